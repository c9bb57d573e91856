"""`python -m local.identity_provider`: serves until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from local.identity_provider.accounts import Accounts, load_people
from local.identity_provider.grants import Grants
from local.identity_provider.keys import SigningKeyFile
from local.identity_provider.server import IdentityServer


def main() -> None:
    """Reads the command line, serves."""
    parser = argparse.ArgumentParser(prog="python -m local.identity_provider", description="Development identity provider.")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--public-url", default="", help="what browsers call; default http://127.0.0.1:PORT")
    parser.add_argument("--keys", type=Path, required=True, help="file of the signing keys, made where it is missing")
    parser.add_argument("--secrets", type=Path, required=True, help="the gateway's secrets.json, for entra_client_secret")
    parser.add_argument("--people", type=Path, help="JSON file of extra users")
    options = parser.parse_args()
    client_secret = json.loads(options.secrets.read_text())["entra_client_secret"]
    accounts = Accounts(client_secret, load_people(options.people) if options.people else ())
    public_host = urlsplit(options.public_url).hostname or "localhost"
    grants = Grants(SigningKeyFile(options.keys), accounts, public_host)
    server = IdentityServer((options.address, options.port), grants, options.public_url)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    sys.stdout.write(json.dumps({"event": "identity_provider_started", "url": server.public_url}) + "\n")
    sys.stdout.flush()
    server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
