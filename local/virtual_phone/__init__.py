"""A Yealink SIP-T46S in software: it fetches, registers, dials, shows screens and obeys check-sync as the real one does.

Everything that it does follows from the phone files that a server hands it; nothing is configured past them. The SIP in it
is a real client (Debian's linphone-daemon), not one of ours, so that the gateway is seen through somebody else's eyes.
"""
