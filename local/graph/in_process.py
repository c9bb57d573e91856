"""A double of Microsoft Graph inside this process on a free loopback port, for tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from local.graph.server import GraphServer
from local.graph.tenants import GraphTenants


@contextmanager
def running_graph(key_set: Callable[[], dict[str, Any]], port: int = 0) -> Iterator[GraphServer]:
    """Serves until the end of the block. `server.tenants` is what it knows, `server.faults` what goes wrong next."""
    server = GraphServer(("127.0.0.1", port), GraphTenants(), key_set)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
