"""Notices a renewed certificate, the phones' or the trunk's, and has Kamailio read it. Who is connected notices nothing.

Kamailio keeps 0.6 MB of shared memory with every reload, so it is told only of files that changed and that go together.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from pathlib import Path

from sip_edge.agent.control import KamailioRefused, KamailioSilent, order
from sip_edge.agent.log import log_event
from sip_edge.agent.metrics import Metrics
from sip_edge.agent.settings import AgentSettings, KamailioSettings

# What Kamailio has read, in its run directory: an agent that was away knows whether it missed a renewal.
_NOTE = "certificate.sha256"


Pairs = tuple[tuple[Path, Path], ...]


def certificate_pairs(settings: KamailioSettings | AgentSettings) -> Pairs:
    """Certificate and key for phones, and those for the trunk where it has its own."""
    pair = (Path(settings.tls_certificate), Path(settings.tls_key))
    trunk = (Path(settings.trunk_certificate or pair[0]), Path(settings.trunk_key or pair[1]))
    return (pair,) if trunk == pair else (pair, trunk)


def note_certificates(run_directory: Path, pairs: Pairs) -> None:
    """Kamailio is about to read these files."""
    (run_directory / _NOTE).write_text(_digest(pairs), encoding="ascii")


class CertificateWatch:
    """Looks every `seconds`. A certificate that cannot be used is logged once and the old one stays in use."""

    def __init__(self, settings: AgentSettings, metrics: Metrics) -> None:
        self._pairs = certificate_pairs(settings)
        self._run_directory = Path(settings.run_directory)
        self._address = settings.media_control
        self._metrics = metrics
        self._seconds = settings.renewal_seconds
        self._refused = ""  # digest of the files whose refusal has been logged

    async def run(self) -> None:
        """Watches until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            found = _digest(self._pairs)
            if found not in ("", self._read_note()):
                await self._reload(found)

    def _names(self) -> str:
        return ", ".join(str(certificate) for certificate, _ in self._pairs)

    def _read_note(self) -> str:
        try:
            return (self._run_directory / _NOTE).read_text(encoding="ascii")
        except OSError:
            return ""

    async def _reload(self, found: str) -> None:
        """What is refused is offered again: the fault may lie beside these files, such as in the trunk's authorities."""
        try:
            for pair in self._pairs:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*pair)
            await asyncio.to_thread(order, self._address, "reload")
        except KamailioSilent:
            return
        except (OSError, KamailioRefused) as problem:  # an SSLError is an OSError
            if found != self._refused:
                self._metrics.certificate_reloads.add("refused")
                log_event("certificate_refused", problem=str(problem), certificates=self._names())
            self._refused = found
            return
        note_certificates(self._run_directory, self._pairs)
        self._metrics.certificate_reloads.add("taken")
        log_event("certificate_reloaded", certificates=self._names())


def _digest(pairs: Pairs) -> str:
    """Of all files' contents: a rewrite of the same bytes is no change. Empty where one cannot be read just now."""
    try:
        return hashlib.sha256(b"\0".join(file.read_bytes() for pair in pairs for file in pair)).hexdigest()
    except OSError:
        return ""
