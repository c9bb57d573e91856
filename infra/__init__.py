"""A region of the gateway in AWS: one settings file, one command. Needs `.venv-infra`; nothing that ships imports it."""

import os

# CDK's own runtime starts with its import, and would print a banner over every command where Node.js is older than it likes.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "18,20")
os.environ.setdefault("CDK_DISABLE_STACK_TRACE", "1")  # seconds of every synthesis, for traces that nobody reads
