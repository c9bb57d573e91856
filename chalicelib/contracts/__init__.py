"""What the functions, the edge and the command line say to each other. Frozen dataclasses and JSON; standard library only."""
