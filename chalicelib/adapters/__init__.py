"""The only place with I/O. Each folder implements Protocols of usecases/ports.py for one outside thing."""
