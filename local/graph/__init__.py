"""Microsoft Graph on this machine, as far as the gateway uses it: what its documents say, over HTTP on loopback.

For tests, and for `make run DIRECTORY=graph`. Sources are named in docs/graph.md.
"""
