"""A settled phone fetches its file: rendering alone, and through the local front over TLS."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable

import httpx

from bench.figures import Figure
from bench.local_gateway import LocalGateway
from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from chalicelib.vendors.catalogue import vendors
from chalicelib.vendors.preview import preview

RENDERS = 2_000
FETCH_SECONDS = 5.0
CONNECTIONS = 8


def measure_rendering() -> list[Figure]:
    """Milliseconds for one phone's whole set of files, per vendor, without a store."""
    figures = []
    for vendor in vendors().values():
        model = next(iter(vendor.models))
        count = len(preview(vendor.name, model, PhoneState.SIGNED_IN, Language.DE))
        times = []
        for _ in range(RENDERS):
            started = time.perf_counter()
            preview(vendor.name, model, PhoneState.SIGNED_IN, Language.DE)
            times.append((time.perf_counter() - started) * 1000)
        figures.append(
            Figure(f"render {vendor.name} {model}, p50", statistics.median(times) / count, "ms a file", "< 1", f"{count} files")
        )
    return figures


def measure_fetching() -> list[Figure]:
    """Requests a second over TLS keep-alive: a settled phone's file beside /healthz, which touches nothing."""
    with LocalGateway() as gateway:
        agent = {"User-Agent": "Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34:56"}
        with httpx.Client(verify=str(gateway.trust_anchor), headers=agent) as http:
            body = http.get(f"{gateway.https_url}/805ec0123456.cfg").text
            url = body.split("server.url = ")[1].split()[0] + "805ec0123456.cfg"
            http.get(url).raise_for_status()  # the first fetch settles the phone
        idle = _rate(gateway, f"{gateway.https_url}/healthz", agent)
        fetch = _rate(gateway, url, agent)
    return [
        Figure("/healthz through the front", idle, "requests/s", "", f"{CONNECTIONS} TLS connections"),
        Figure("settled phone's file", fetch, "requests/s", "", f"{CONNECTIONS} TLS connections, client on the same cores"),
        Figure("settled phone's file, ratio to /healthz", fetch / idle, "", "", "same run"),
    ]


def _rate(gateway: LocalGateway, url: str, headers: dict[str, str]) -> float:
    counts = [0] * CONNECTIONS
    deadline = time.monotonic() + FETCH_SECONDS

    def fetch(index: int) -> None:
        with httpx.Client(verify=str(gateway.trust_anchor), headers=headers) as http:
            while time.monotonic() < deadline:
                http.get(url).raise_for_status()
                counts[index] += 1

    _run_threads(fetch)
    return sum(counts) / FETCH_SECONDS


def _run_threads(work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(index,)) for index in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
