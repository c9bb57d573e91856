"""Life tests run inside a network namespace of their own, and are reported outside as if they ran here.

Outside, the tests of a file marked `in_namespace` are handed to a second pytest inside a namespace, one for each file; its
reports come back over a pipe, one JSON line each, while it runs. Inside, pytest is as always.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest

from local.virtual_phone.namespace import command_in_namespace, inside_namespace

REPOSITORY = Path(__file__).parents[2]
REPORTS = "LIFE_TEST_REPORTS"  # file descriptor to which the pytest inside writes
END_SECONDS = 120
_runs: list[InnerRun] = []


class InnerRun:
    """pytest inside a namespace, for some tests of one file."""

    def __init__(self, config: pytest.Config, file: Path, node_ids: list[str]) -> None:
        self.file = file
        self._config = config
        reading, writing = os.pipe()
        self._output = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed in `end`
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            command_in_namespace([sys.executable, "-m", "pytest", "-vv", "-p", "no:cacheprovider", *node_ids]),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, REPORTS: str(writing)},
            pass_fds=[writing],
        )
        os.close(writing)
        self._reports: TextIO = os.fdopen(reading, encoding="utf-8")

    def reports_of(self, node_id: str) -> Iterator[pytest.TestReport]:
        """Set-up, call and tear-down of one test, as they come; the tests are asked for in the order in which they run."""
        for line in self._reports:
            data: dict[str, Any] = json.loads(line)
            report = self._config.hook.pytest_report_from_serializable(config=self._config, data=data)
            assert report.nodeid == node_id, f"expected a report of {node_id}, got one of {report.nodeid}"
            yield report
            if report.when == "teardown":
                return
        yield self._missing(node_id)

    def end(self) -> None:
        """Waits for its end; what it leaves running would be a mistake of the tests."""
        self._reports.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def _missing(self, node_id: str) -> pytest.TestReport:
        self._output.seek(0)
        reason = f"pytest inside the namespace ended without a report of this test:\n{self._output.read()[-6000:]}"
        return pytest.TestReport(node_id, (str(self.file), None, node_id), {}, "failed", reason, "call")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "in_namespace: runs in a second pytest inside a network namespace")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    if inside_namespace() or item.get_closest_marker("in_namespace") is None:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _run_of(item).reports_of(item.nodeid):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Inside: sends the report out. Outside nothing is asked for."""
    if inside_namespace() and REPORTS in os.environ:
        data = _config.hook.pytest_report_to_serializable(config=_config, report=report)
        os.write(int(os.environ[REPORTS]), json.dumps(data).encode() + b"\n")


def pytest_sessionstart(session: pytest.Session) -> None:
    global _config  # noqa: PLW0603 - pytest_runtest_logreport is not told
    _config = session.config


def pytest_sessionfinish() -> None:
    while _runs:
        _runs.pop().end()


def _run_of(item: pytest.Item) -> InnerRun:
    if _runs and _runs[-1].file == item.path:
        return _runs[-1]
    while _runs:
        _runs.pop().end()  # one gateway at a time: they would share the machine's two cores
    wanted = [other.nodeid for other in item.session.items if other.path == item.path]
    _runs.append(InnerRun(item.config, item.path, wanted))
    return _runs[-1]


_config: pytest.Config
