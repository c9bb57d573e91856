"""What the agent decides. Pure: facts and time come in, actions come out; nothing here waits, reads or writes."""
