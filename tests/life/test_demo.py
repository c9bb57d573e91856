"""`make demo` sees every step in the lives of one phone of each vendor, and fails where one cannot be seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.life

REPOSITORY = Path(__file__).parents[2]
PICTURES = Path("tests/artefacts/pages")  # shown in CI and not kept in the repository
PHONES = ["Yealink T46S", "Poly VVX450", "Cisco 8841", "AudioCodes C450HD"]
DEMO_SECONDS = 180  # only a demo that hangs takes this long


def run_demo(*options: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """The demo makes its own network namespace, so this runs outside of one."""
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "local.demo", *options],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
        env={**os.environ, "PATH": path or os.environ["PATH"]},
    )


@pytest.fixture
def path_without_browser(tmp_path: Path) -> str:
    """A PATH with everything that the machine's has, except Chromium."""
    for folder in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(folder).iterdir() if Path(folder).is_dir() else ():
            link = tmp_path / program.name
            link.unlink(missing_ok=True)
            link.symlink_to(program)
    (tmp_path / "chromium").unlink(missing_ok=True)
    assert shutil.which("chromium", path=str(tmp_path)) is None
    return str(tmp_path)


def what_failed(demo: subprocess.CompletedProcess[str]) -> str:
    """The step that was not seen with what came before, then the gateway's last lines."""
    steps, _, gateway = demo.stdout.partition("\nThe demo failed: ")
    return f"{steps[-3000:]}\nThe demo failed: {gateway[:4000]}\n{demo.stderr[-2000:]}"


def test_every_step_of_the_demo_is_seen() -> None:
    shutil.rmtree(REPOSITORY / PICTURES, ignore_errors=True)
    demo = run_demo("--pictures", str(PICTURES))

    assert 0 == demo.returncode, what_failed(demo)
    begun, seen = (sum(line.startswith(start) for line in demo.stdout.splitlines()) for start in ("[", "     ✓ seen"))
    assert begun == seen
    assert f"All {seen} steps were seen" in demo.stdout
    assert "NOT SEEN" not in demo.stdout
    unseen = [phone for phone in PHONES if f"{phone}: Remove:" not in demo.stdout]
    assert [] == unseen
    pictures = {folder.name: len(list(folder.glob("*.png"))) for folder in (REPOSITORY / PICTURES).iterdir()}
    expected = {"yealink": 12, "poly": 6, "cisco": 6, "audiocodes": 6}
    assert expected == pictures


def test_the_demo_fails_with_a_phone_that_is_not_compatible() -> None:
    demo = run_demo("--model", "T19P_E2")

    assert 1 == demo.returncode, demo.stdout[-6000:] + demo.stderr[-2000:]
    assert "✗ NOT SEEN: https://localhost:8443/lang_en/ serves no file for 805ec0123456" in demo.stdout
    assert "steps were seen" not in demo.stdout


def test_the_demo_fails_where_nobody_can_open_the_pairing_pages(path_without_browser: str) -> None:
    demo = run_demo(path=path_without_browser)

    assert 1 == demo.returncode, demo.stdout[-6000:] + demo.stderr[-2000:]
    assert "✗ NOT SEEN: chromium is missing" in demo.stdout
    assert "steps were seen" not in demo.stdout
