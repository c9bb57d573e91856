import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def run(launcher: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "SIPGW_URL": "http://127.0.0.1:1"}
    return subprocess.run(  # noqa: S603 - our own launcher
        [str(launcher), *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_launcher_works_from_any_folder_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__init__.py").write_text("raise SystemExit('the wrong cli')")
    link = tmp_path / "sipgw"
    link.symlink_to(ROOT / "sipgw")
    outcome = run(link, tmp_path, "dhcp", "--server", "isc", "--url", "https://h.example.org/")
    assert (0, True) == (outcome.returncode, "https://h.example.org/$PSN.xml" in outcome.stdout)


def test_the_launcher_hands_the_exit_code_on(tmp_path: Path) -> None:
    outcome = run(ROOT / "sipgw", tmp_path, "devices", "list")
    assert 1 == outcome.returncode
    assert "No gateway answers at http://127.0.0.1:1." in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_without_a_virtual_environment_the_launcher_says_what_to_do(tmp_path: Path) -> None:
    launcher = Path(shutil.copy(ROOT / "sipgw", tmp_path))
    outcome = run(launcher, tmp_path)
    assert 1 == outcome.returncode
    assert "make setup" in outcome.stderr
