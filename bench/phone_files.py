"""A settled phone fetches its file: rendering alone, and through the local front over TLS."""

from __future__ import annotations

import gc
import os
import re
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.figures import Figure
from bench.local_gateway import LocalGateway
from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from chalicelib.vendors.catalogue import vendors
from chalicelib.vendors.preview import preview

RENDERS = 2_000
MEMORY_RENDERS = 100_000
OWN_URL = re.compile(r"https://[^/\s]+/d/[A-Za-z0-9_-]{43}/lang_en/")
PHONES = {  # User-Agent, the file of stage 1, the file with the account
    "yealink": ("Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34:56", "805ec0123456.cfg", "805ec0123456.cfg"),
    "poly": ("FileTransport PolycomVVX-VVX_450-UA/6.4.3.5814 Type/Application", "0004f2123456.cfg", "0004f2123456-user.cfg"),
    "cisco": ("Cisco-CP-8841-3PCC/12.0.3 (00562b123456)", "8841-3PCC.xml", "00562b123456.xml"),
    "audiocodes": ("AUDC/3.4.8.808 AUDC-IPPhone-C450HD_UC_3.4.8.808/1", "00908f123456.cfg", "00908f123456.cfg"),
}
FETCH_SECONDS = 4.0
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


def measure_memory() -> list[Figure]:
    """What 100,000 renders leave behind: resident memory after the first tenth, and at the end."""
    samples = [(vendor.name, next(iter(vendor.models))) for vendor in vendors().values()]
    each = MEMORY_RENDERS // len(samples)
    for vendor, model in samples:
        _render_often(vendor, model, each // 10)
    before = _resident_mb()
    for vendor, model in samples:
        _render_often(vendor, model, each)
    after = _resident_mb()
    return [
        Figure(f"memory after {MEMORY_RENDERS:,} renders", after, "MB", "flat", f"{before:.1f} MB before"),
        Figure("its growth", after - before, "MB", "0", "all vendors in turn"),
    ]


def measure_fetching() -> list[Figure]:
    """Requests a second over TLS keep-alive: a settled phone's file of each vendor beside /healthz, which touches nothing."""
    figures = []
    with LocalGateway() as gateway:
        idle = _rate(gateway, f"{gateway.https_url}/healthz", {})
        figures.append(Figure("/healthz through the front", idle, "requests/s", "", f"{CONNECTIONS} TLS connections"))
        for vendor, (agent, stage_one, name) in PHONES.items():
            headers = {"User-Agent": agent}
            with httpx.Client(verify=str(gateway.trust_anchor), headers=headers) as http:
                found = OWN_URL.search(http.get(f"{gateway.https_url}/{stage_one}").text)
                if found is None:
                    raise SystemExit(f"stage 1 answered no URL to {agent}")
                http.get(found.group() + name).raise_for_status()  # the first fetch settles the phone
            rate = _rate(gateway, found.group() + name, headers)
            figures.append(Figure(f"settled {vendor} phone's file", rate, "requests/s", "", f"{rate / idle:.2f} of /healthz"))
    return figures


def _render_often(vendor: str, model: str, times: int) -> None:
    for _ in range(times):
        preview(vendor, model, PhoneState.SIGNED_IN, Language.DE)


def _resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


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
