"""`python -m sip_edge.announcements [FOLDER]`: speaks every text into FOLDER/LANGUAGE/NAME.wav; nothing where all are there.

Needs espeak-ng. Where it has no voice for a language, that language gets the English file.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEFAULT_FOLDER = HERE / "wav"
LANGUAGES = ("en", "es", "ja", "de", "fr", "pt")
_WORDS_PER_MINUTE = 150


def make_announcements(folder: Path) -> int:
    """How many files were made. Raises OSError without espeak-ng, CalledProcessError where it cannot speak English."""
    source = (HERE / "texts.toml").read_bytes()
    stamp = folder / "texts.sha256"
    digest = hashlib.sha256(source).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == digest:
        return 0
    texts = tomllib.loads(source.decode())
    for language in LANGUAGES:
        (folder / language).mkdir(parents=True, exist_ok=True)
        for name, words in texts.items():
            _speak(words, language, folder / language / f"{name}.wav")
    stamp.write_text(digest, encoding="ascii")
    return len(texts) * len(LANGUAGES)


def _speak(words: dict[str, str], language: str, file: Path) -> None:
    try:
        _run_espeak(words[language], language, file)
    except (KeyError, subprocess.CalledProcessError):
        _run_espeak(words["en"], "en", file)


def _run_espeak(text: str, language: str, file: Path) -> None:
    command = ["espeak-ng", "-v", language, "-s", str(_WORDS_PER_MINUTE), "-w", str(file), "--stdin"]
    subprocess.run(command, input=text, text=True, check=True, capture_output=True)  # noqa: S603 - our own texts


def main() -> int:
    """Exit status 1 where espeak-ng is missing or fails."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER
    try:
        made = make_announcements(folder)
    except (OSError, subprocess.CalledProcessError) as problem:
        sys.stderr.write(f"announcements could not be made ({problem}); is espeak-ng installed?\n")
        return 1
    if made:
        sys.stderr.write(f"{made} announcements made in {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
