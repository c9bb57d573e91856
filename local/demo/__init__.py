"""`make demo`: a virtual phone goes through its whole life against a gateway started for it, each step seen and printed."""
