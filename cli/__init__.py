"""The command line `./sipgw`: a client of the gateway's HTTP API and nothing more. It decides nothing about devices."""
