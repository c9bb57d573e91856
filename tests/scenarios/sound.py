"""Sound for tests: tones that a client says, and what was heard of them or of speech, from the samples that it recorded.

Samples are mono, 16 bits, 8 kHz: the clients speak G.711. Judging needs no more than sums, so no library is asked for.
"""

from __future__ import annotations

import cmath
import math
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path

Samples = Sequence[int]

RATE = 8000
WINDOW = RATE // 2
_AMPLITUDE = 8000
_TONE_SECONDS = 300  # longer than any test waits
_LEAST_LEVEL = 500  # a sixteenth of what is said
_PIECE = RATE // 5
_DRIFT = RATE // 20
_ALIKE = 0.8  # espeak's voice through G.711 is 0.95 alike and more, other words below 0.6
_PURE = 0.9  # of a window's energy; G.711 leaves 0.998 of a tone, two tones at once have half each


def tone_file(folder: Path, hertz: int) -> Path:
    """A wav file of one tone; made once in a folder. `hertz` divides by ten, so a tenth of a second holds whole waves."""
    path = folder / f"{hertz}.wav"
    if path.exists():
        return path
    piece = array("h", (round(_AMPLITUDE * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE // 10)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(piece.tobytes() * 10 * _TONE_SECONDS)
    return path


def holds_tone(samples: Samples, hertz: int) -> bool:
    """Whether half a second of it is that tone and next to nothing else."""
    return any(_is_tone(samples[start : start + WINDOW], hertz) for start in range(0, len(samples) - WINDOW + 1, WINDOW // 5))


def has_trace_of(samples: Samples, hertz: int) -> bool:
    """Whether a tenth of a second of it has anything of that tone."""
    step = RATE // 10
    pieces = (samples[start : start + step] for start in range(0, len(samples) - step + 1, step))
    return any(_share(piece, hertz) > 1 - _PURE and _level(piece) > _LEAST_LEVEL / 10 for piece in pieces)


def part_heard(heard: Samples, said: Samples) -> float:
    """Which part of what was said was heard, wherever in `heard` it begins: 1 is every word.

    It is compared in pieces, each near where the one before it was found: a client that waits for late packets stretches time.
    """
    pieces = [said[start : start + _PIECE] for start in range(0, len(said) - _PIECE + 1, _PIECE)]
    loud = [number for number, piece in enumerate(pieces) if _level(piece) > _LEAST_LEVEL]
    middle = loud[len(loud) // 2]
    place, likeness = _find(pieces[middle], heard, range(len(heard) - _PIECE))
    found = int(likeness > _ALIKE)
    for numbers in ([n for n in loud if n > middle], [n for n in reversed(loud) if n < middle]):
        drift = place - middle * _PIECE
        for number in numbers:
            expected = number * _PIECE + drift
            near = range(max(0, expected - _DRIFT), min(expected + _DRIFT, len(heard) - _PIECE))
            at, likeness = _find(pieces[number], heard, near)
            if likeness > _ALIKE:
                drift = at - number * _PIECE
                found += 1
    return found / len(loud)


def _find(piece: Samples, heard: Samples, places: range) -> tuple[int, float]:
    """Where in `heard` the piece is, and how much alike the two are there. Every fourth sample tells where."""
    thin = piece[::4]

    def rough(place: int) -> float:
        part = heard[place : place + _PIECE : 4]
        return _product(part, thin) / (_product(part, part) + 1) ** 0.5

    place = max(places, key=rough, default=0)
    return place, _correlation(heard[place : place + _PIECE], piece)


def _is_tone(piece: Samples, hertz: int) -> bool:
    return _level(piece) > _LEAST_LEVEL and _share(piece, hertz) > _PURE


def _share(piece: Samples, hertz: int) -> float:
    """The part of the piece's energy that is at this frequency (one bin of a Fourier transform)."""
    turn = cmath.exp(-2j * math.pi * hertz / RATE)
    total = 0j
    for sample in reversed(piece):
        total = total * turn + sample
    energy = sum(sample * sample for sample in piece)
    return 2 * abs(total) ** 2 / (len(piece) * energy) if energy else 0.0


def _level(piece: Samples) -> float:
    return (sum(sample * sample for sample in piece) / len(piece)) ** 0.5


def _correlation(one: Samples, other: Samples) -> float:
    energy = (_product(one, one) * _product(other, other)) ** 0.5
    return _product(one, other) / energy if energy else 0.0


def _product(one: Samples, other: Samples) -> float:
    return sum(x * y for x, y in zip(one, other, strict=False))
