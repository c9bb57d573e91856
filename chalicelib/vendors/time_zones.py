"""Time zones as phones want them: the standard offset, and the rule of daylight saving.

Source: the system's time zone database (IANA), through zoneinfo.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache

from chalicelib.contracts.frozen import dataclass

LAST_WEEK = 5


@dataclass(frozen=True)
class ClockChange:
    """A yearly change of the clocks: `week` 1 to 4 counts from the month's begin, 5 is the last; `weekday` 0 is Monday.

    `hour` is the local hour before the change.
    """

    month: int
    week: int
    weekday: int
    hour: int

    def day(self, year: int) -> int:
        """The day of the month, for phones that know dates alone."""
        days = [week[self.weekday] for week in calendar.monthcalendar(year, self.month) if week[self.weekday]]
        return days[-1] if self.week == LAST_WEEK else days[self.week - 1]


@dataclass(frozen=True)
class DaylightSaving:
    """When the clocks go forward and back, and by how many minutes."""

    start: ClockChange
    end: ClockChange
    minutes: int


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - a start needs no time zone (docs/architecture.md, "A quick start")

    return ZoneInfo(name)


@cache
def standard_offset(zone: str) -> timedelta:
    """The zone's offset from UTC outside summer time: the smaller of January's and July's, on either hemisphere."""
    year = datetime.now(UTC).year
    offsets = [datetime(year, month, 1, 12, tzinfo=_zone(zone)).utcoffset() or timedelta(0) for month in (1, 7)]
    return min(offsets)


def format_offset(offset: timedelta) -> str:
    """`+1`, `-5`, `+5:30`, `0`: as Yealink's local_time.time_zone writes it."""
    minutes = int(offset.total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+" if minutes else ""
    return f"{sign}{hours}:{rest:02}" if rest else f"{sign}{hours}"


@cache
def daylight_saving(zone: str) -> DaylightSaving | None:
    """The rule of this year, or None where the clocks stay. Zones with other than two changes a year have none that fits."""
    year = datetime.now(UTC).year
    changes = list(_changes(zone, year))
    if len(changes) != len(("forward", "back")):
        return None
    forward = next((change for change in changes if change[1] > timedelta(0)), None)
    back = next((change for change in changes if change[1] < timedelta(0)), None)
    if forward is None or back is None:
        return None
    return DaylightSaving(_rule(forward[0]), _rule(back[0]), int(forward[1].total_seconds() // 60))


def _changes(zone: str, year: int) -> list[tuple[datetime, timedelta]]:
    """Each change of the year: the local time just before it as the clocks showed it, and by how much they went forward."""
    found = []
    info = _zone(zone)
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        before, following = _offset(day, info), day + timedelta(days=1)
        if _offset(following, info) != before:
            moment = next(hour for hour in _quarters(day) if _offset(hour, info) != before)
            found.append(((moment + before).replace(tzinfo=None), _offset(moment, info) - before))
        day = following
    return found


def _offset(moment: datetime, info: tzinfo) -> timedelta:
    return moment.astimezone(info).utcoffset() or timedelta(0)


def _quarters(day: datetime) -> Iterator[datetime]:
    return (day + timedelta(minutes=minutes) for minutes in range(15, 24 * 60 + 1, 15))


def _rule(local: datetime) -> ClockChange:
    last = (local + timedelta(days=7)).month != local.month
    return ClockChange(local.month, LAST_WEEK if last else (local.day - 1) // 7 + 1, local.weekday(), local.hour)
