"""The edge and the bare registrar that it is measured against, on the same Kamailio."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from bench.edge_phones import PASSWORD
from bench.processes import cpu_seconds, descendants, memory_kb
from tests.sip.certificates import issue_certificate
from tests.sip.edge import END_WITH_PARENT, REPOSITORY, Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import Account

_BUILT_ROOT = REPOSITORY / "dist" / "edge-root"
_WIDE = {
    "EDGE_PIKE_DENSITY": "65535",
    "EDGE_DEVICE_DENSITY": "1000000000",
    "EDGE_CALL_DENSITY": "1000000000",
    "EDGE_CONNECTIONS_PER_ADDRESS": "16384",
    "EDGE_SHARED_MEMORY_MB": "1400",
    **dict.fromkeys(("EDGE_EXPIRES_MIN", "EDGE_EXPIRES_DEFAULT", "EDGE_EXPIRES_MAX"), "300"),  # nobody refreshes unasked
    "EDGE_HEARTBEAT_SECONDS": "30",
    "EDGE_RENEWAL_SECONDS": "60",
    "EDGE_MEDIA_TIMEOUT": "10",  # a call whose phones vanished is over
}


class BareRegistrar(Edge):
    """bare_registrar.cfg alone, without an agent."""

    def kamailio_start(self) -> tuple[list[str], dict[str, str]]:
        run = self.environment["EDGE_RUN_DIRECTORY"]
        folder = "/opt/sip-edge" if self.root else str(REPOSITORY)
        command = ["kamailio", "-DD", "-E", "-f", f"{folder}/bench/bare_registrar.cfg", "-m", "1400"]
        command += ["-P", f"{run}/kamailio.pid", "-Y", run, "-w", run, f"-ltls:127.0.0.1:{self.port}"]
        return self.in_root(*command) if self.root else [*END_WITH_PARENT, *command], self.environment


class Servers:
    """Both, running; with `calls` rtpengine too.

    `root` is an image's unpacked root, empty for this machine's Kamailio; left out: EDGE_ROOT, else the one that was built.
    `note` says which it is.
    """

    def __init__(self, names: list[str], *, bare: bool = True, calls: bool = False, root: str | None = None) -> None:
        self._calls = calls
        self._folder = tempfile.TemporaryDirectory(prefix="sip-edge-bench-")
        folder = Path(self._folder.name)
        certificate = issue_certificate(folder / "certificate")
        self.functions = FunctionsServer(*certificate)
        for name in names:
            self.functions.add(Account(name, name, PASSWORD), lasts=86400)
        if root is None:
            root = os.environ.get("EDGE_ROOT", str(_BUILT_ROOT) if _BUILT_ROOT.is_dir() and os.geteuid() == 0 else "")
        self.edge = Edge(_make(folder / "edge"), *certificate, self.functions, dict(_WIDE), root)
        self.bare = BareRegistrar(_make(folder / "bare"), *certificate, self.functions, dict(_WIDE), root) if bare else None
        where = "the image's" if root else "this machine's; `make image` gives the image's"
        self.note = f"Kamailio {self.edge.version()}, {where}"

    def __enter__(self) -> Self:
        try:
            if self._calls:
                self.edge.start_rtpengine()
            self.edge.start()
            if self.bare:
                self.bare.start_kamailio()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.edge.close()
        if self.bare:
            self.bare.close()
        self.functions.close()
        self._folder.cleanup()


def kamailio_cpu(server: Edge) -> float:
    """Processor time of all Kamailio processes so far, in seconds."""
    assert server.kamailio is not None
    return cpu_seconds(list(descendants(server.kamailio.pid)))


def kamailio_memory(server: Edge) -> int:
    """Memory of all Kamailio processes in kB, shared pages counted once.

    Without the pages of programs and libraries: their share depends on who else runs them.
    """
    assert server.kamailio is not None
    processes = descendants(server.kamailio.pid)
    return sum(memory_kb(process, kind) for process in processes for kind in ("Pss_Anon", "Pss_Shmem"))


def shared_memory(server: Edge, kind: str) -> float:
    """Of Kamailio, in kB, as its metrics page has it: `used`, or `most` so far."""
    page = httpx.get(f"http://{server.environment['EDGE_METRICS']}/metrics", trust_env=False).text
    line = next(line for line in page.splitlines() if line.startswith(f'sip_edge_kamailio_memory_bytes{{kind="{kind}"}}'))
    return float(line.rpartition(" ")[2]) / 1024


def _make(folder: Path) -> Path:
    folder.mkdir()
    return folder
