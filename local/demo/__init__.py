"""`make demo`: a virtual phone of each vendor lives against a gateway started for them, each step seen and printed."""
