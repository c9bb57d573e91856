"""Desk phones in software, one of each vendor: they fetch, register, dial, show screens and obey NOTIFY as real ones do.

Everything that it does follows from the phone files that a server hands it; nothing is configured past them. The SIP in it
is a real client (Debian's linphone-daemon), not one of ours, so that the gateway is seen through somebody else's eyes.
"""
