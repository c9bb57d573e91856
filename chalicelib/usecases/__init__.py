"""What the gateway does, one verb a file: load, ask the domain, save. Nothing here knows HTTP, SIP or a database."""
