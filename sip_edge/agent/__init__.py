"""The agent beside Kamailio: fetches credentials and verdicts, delivers events, carries out commands. `core` decides."""
