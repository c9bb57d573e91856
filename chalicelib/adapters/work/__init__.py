"""Where messages for parts of jobs lie until somebody takes them: a queue of this process, or SQS."""
