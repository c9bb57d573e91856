"""All that ships in the function's package beside app.py: handlers, usecases, vendors, domain, adapters, contracts."""
