"""A development identity provider inside this process on a free loopback port, for tests that want a real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.identity_provider.accounts import Accounts
from local.identity_provider.grants import Grants
from local.identity_provider.keys import SigningKeyFile
from local.identity_provider.server import IdentityServer


@contextmanager
def running_identity_provider(folder: Path, web_client_secret: str, port: int = 0) -> Iterator[IdentityServer]:
    """Serves until the end of the block. `server.public_url` is its URL; `server.grants.keys` signs what a test makes up."""
    grants = Grants(SigningKeyFile(folder / "keys.json"), Accounts(web_client_secret), "localhost")
    server = IdentityServer(("127.0.0.1", port), grants)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
