"""Notices a renewed certificate and has Kamailio read it. Phones that are connected notice nothing.

Kamailio keeps 0.6 MB of shared memory with every reload, so it is told only of files that changed and that go together.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Iterable
from pathlib import Path

from sip_edge.agent.control import Control, KamailioRefused, KamailioSilent
from sip_edge.agent.log import log_event
from sip_edge.agent.metrics import Metrics


class CertificateWatch:
    """Looks every `seconds`. A certificate that cannot be used is logged once and the old one stays in use."""

    def __init__(self, certificate: str, key: str, control: Control, metrics: Metrics, *, seconds: int) -> None:
        self._files = (Path(certificate), Path(key))
        self._control = control
        self._metrics = metrics
        self._seconds = seconds

    async def run(self) -> None:
        """Watches until cancelled."""
        known = _digest(self._files)
        while True:
            await asyncio.sleep(self._seconds)
            found = _digest(self._files)
            if found and found != known and await self._reload():
                known = found

    async def _reload(self) -> bool:
        """Whether this version of the files is dealt with: taken or refused. Kamailio away: it is tried again."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
            await self._control.ask("tls.reload")
        except KamailioSilent:
            return False
        except (OSError, KamailioRefused) as problem:  # an SSLError is an OSError
            self._metrics.certificate_reloads.add("refused")
            log_event("certificate_refused", problem=str(problem), certificate=str(self._files[0]))
            return True
        self._metrics.certificate_reloads.add("taken")
        log_event("certificate_reloaded", certificate=str(self._files[0]))
        return True


def _digest(files: Iterable[Path]) -> str:
    """Of both files' contents: a rewrite of the same bytes is no change. Empty where one cannot be read just now."""
    try:
        return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    except OSError:
        return ""
