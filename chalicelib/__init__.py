"""All that ships in the function's package beside app.py: handlers, usecases, vendors, domain, adapters, contracts."""

__version__ = "0.1.0"
