"""The SIP edge: Kamailio (kamailio/) and the agent beside it (agent/). Shares with the functions only chalicelib.contracts."""
