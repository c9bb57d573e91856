"""The whole gateway on one machine: HTTP front, development identity provider, supervisor. Never deployed."""
