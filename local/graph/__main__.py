"""`python -m local.graph`: the double of Microsoft Graph with the development tenant's people, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import urllib.request
from typing import Any

from local.graph.server import GraphServer
from local.graph.tenants import Account, GraphTenants
from local.identity_provider.accounts import DEVELOPMENT_TENANT

TIMEOUT_SECONDS = 5
DEVELOPMENT_ACCOUNTS = (
    Account("anna@example.com", "Anna Berg", (("+4989123401", "primary"),), "SIP phones"),
    Account("ben@example.com", "Ben Okafor", (("tel:+4989123402;ext=402", "primary"),), "SIP phones", by_group=True),
    Account("carl@example.com", "Carl Moreau", (("+4989123403", "primary"),), "Sales"),  # a policy that nobody has imported
    Account("dora@example.com", "Dora Lindqvist", (("+4989123404", "primary"),), "SIP phones", enabled=False),
    Account("admin@example.com", "Ada Admin"),
)


def main() -> None:
    """Reads the command line, serves."""
    parser = argparse.ArgumentParser(prog="python -m local.graph", description="Double of Microsoft Graph, on loopback.")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--identity-provider", required=True, help="URL of the development identity provider")
    options = parser.parse_args()
    tenants = GraphTenants()
    tenants.put(DEVELOPMENT_TENANT, *DEVELOPMENT_ACCOUNTS)
    server = GraphServer(("127.0.0.1", options.port), tenants, lambda: _read_key_set(options.identity_provider))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    sys.stdout.write(json.dumps({"event": "graph_started", "url": server.url}) + "\n")
    sys.stdout.flush()
    server.serve_forever()
    server.server_close()


def _read_key_set(identity_provider: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{identity_provider}/common/discovery/v2.0/keys", timeout=TIMEOUT_SECONDS) as answer:
        keys: dict[str, Any] = json.loads(answer.read())
        return keys


if __name__ == "__main__":
    main()
