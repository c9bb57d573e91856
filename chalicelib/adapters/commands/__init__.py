"""Ways to hand a command to an edge's agent."""
