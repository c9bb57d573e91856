"""What the set-up says where it may not install packages, and by which program it fills the Python environment.

A copy of local/setup.sh runs on a PATH of its own, where each program that would change the machine only writes down its words.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[3] / "local" / "setup.sh"
PROGRAMS = ("bash", "cat", "cut", "dirname", "env", "grep", "readlink", "sed", "sha256sum")
RECORD = 'printf "%s\\n" "$(basename "$0") $*" >>"$CALLS"\n'
INSTALLED = "for last; do :; done; printf 'ii %s\\n' \"$@\"\n"
PYTHON = """case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$UV" "$3/bin/uv" ;;
  "-m pip config list") printf '%s\\n' "$PIP_SAYS" ;;
esac
"""
LOCK = """httpx==1.0 \\
    --hash=sha256:aa
    # via -r requirements/functions.in
uv==2.0 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via -r requirements/dev.in
wcwidth==3.0 \\
    --hash=sha256:dd
    # via prompt-toolkit
"""


class Machine:
    """A checkout with the script and a lock, and the PATH that the script sees."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self._programs, self._calls = folder / "checkout", folder / "programs", folder / "calls"
        for name in ("checkout/local", "checkout/requirements", "programs"):
            (folder / name).mkdir(parents=True)
        shutil.copy(SETUP, self.checkout / "local")
        (self.checkout / "requirements" / "dev.txt").write_text(LOCK)
        for name in (*PROGRAMS, "basename", "cp", "mkdir"):
            (self._programs / name).symlink_to(str(shutil.which(name)))
        self._uv = folder / "uv"
        self.program("id", "echo 1000\n")
        self.program("dpkg-query", INSTALLED)
        self.program("python3", RECORD + PYTHON)
        self.uv_ends_with(0)

    def program(self, name: str, text: str) -> None:
        path = self._programs / name
        path.write_text("#!/bin/bash\n" + text)
        path.chmod(0o755)

    def uv_ends_with(self, status: int) -> None:
        self._uv.write_text(f"#!/bin/bash\n{RECORD}exit {status}\n")
        self._uv.chmod(0o755)

    def set_up(self, pip_says: str = "") -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self._programs), "CALLS": str(self._calls), "UV": str(self._uv), "PIP_SAYS": pip_says}
        return subprocess.run(  # noqa: S603 - our own script
            ["/bin/bash", str(self.checkout / "local" / "setup.sh")],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def installations(self) -> list[str]:
        """Program by program, who was told to install what."""
        calls = self._calls.read_text().splitlines()
        return [f"{line.split()[0]} {line.split()[-1]}" for line in calls if " install " in line]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_who_may_not_install_and_has_sudo_is_told_the_command(machine: Machine) -> None:
    machine.program("dpkg-query", "exit 1\n")
    machine.program("sudo", "exit 1\n")

    done = machine.set_up()
    assert 1 == done.returncode
    assert "Missing packages: python3 python3-venv openssl kamailio " in done.stderr
    assert "Only root can install them. Run this, then try again:" in done.stderr
    assert "  sudo apt-get update && sudo apt-get install --no-install-recommends python3 " in done.stderr


def test_who_has_no_sudo_is_told_to_become_root(machine: Machine) -> None:
    machine.program("dpkg-query", "exit 1\n")

    done = machine.set_up()
    assert 1 == done.returncode
    assert "Only root can install them. As root (su -), run this, then try again:" in done.stderr
    assert "  apt-get update && apt-get install --no-install-recommends python3 " in done.stderr
    assert "sudo" not in done.stderr


def test_uv_fills_the_environment(machine: Machine) -> None:
    done = machine.set_up(pip_says="global.cert='/etc/ssl/certs/ca-certificates.crt'")

    assert 0 == done.returncode, done.stderr
    (by_pip, by_uv) = machine.installations()
    assert by_pip.startswith("python /dev/fd/")  # the lock's lines about uv itself
    assert "uv requirements/dev.txt" == by_uv


@pytest.mark.parametrize("setting", ["global.index-url='https://mirror.test/simple'", "global.proxy='proxy.test:3128'"])
def test_pip_fills_it_where_it_was_told_of_another_index_or_a_proxy(machine: Machine, setting: str) -> None:
    done = machine.set_up(pip_says=setting)

    assert 0 == done.returncode, done.stderr
    assert ["python requirements/dev.txt"] == machine.installations()


def test_pip_fills_it_where_uv_fails(machine: Machine) -> None:
    machine.uv_ends_with(2)

    done = machine.set_up()
    assert 0 == done.returncode, done.stderr
    assert ["uv requirements/dev.txt", "python requirements/dev.txt"] == machine.installations()[1:]
    assert "setup     | uv could not install them\nsetup     | by pip: a minute or two\n" in done.stdout


def test_nothing_is_installed_twice(machine: Machine) -> None:
    machine.set_up()
    before = machine.installations()

    machine.set_up()
    assert before == machine.installations()
