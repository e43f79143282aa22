"""Cron lines as crontab(5) means them: when does a line come due next?

Five fields, or a nickname (`@daily`). Where day of month and day of week are both restricted,
either will do; a field that begins with `*` is not a restriction. 0 and 7 are Sunday. Times are
local: in the hour that the clock skips a line comes due by the time before the change, in the one
that comes twice only once, unless its hour field begins with `*`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter

from engine.core.values import SECOND

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DAYS = "sun|mon|tue|wed|thu|fri|sat"
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_VALUE = {0: r"\d+", 1: r"\d+", 2: r"\d+", 3: rf"(?:\d+|{_MONTHS})", 4: rf"(?:\d+|{_DAYS})"}
_YEARS = 8
"""How far ahead a due time is looked for: 29 February is never further away."""


def cron_problem(line: str) -> str | None:
    """What is wrong with a line, in a sentence; None where nothing is."""
    try:
        _iterator(line, datetime(2026, 1, 1))
    except ValueError as error:
        return str(error)
    return None


def next_due(line: str, after: int, zone: str) -> int:
    """The first instant after `after` (microseconds UTC) at which the line is due.

    Raises ValueError where the line is not one of crontab(5) or never comes due.
    """
    place = ZoneInfo(zone)
    moment = datetime.fromtimestamp(after // SECOND, UTC)
    fields = _fields(line)
    if fields[1].startswith("*"):  # every hour: by real time, whatever the clocks are set to
        offset = moment.astimezone(place).utcoffset() or timedelta()
        return _following(line, moment.replace(tzinfo=None) + offset, offset, after)
    local = moment.astimezone(place).replace(tzinfo=None)
    iterator = _iterator(line, local)
    while True:
        due = _upcoming(iterator, line)
        instant = int(due.replace(tzinfo=place).timestamp()) * SECOND
        if instant > after:
            return instant


def _following(line: str, local: datetime, offset: timedelta, after: int) -> int:
    iterator = _iterator(line, local)
    while True:
        due = (_upcoming(iterator, line) - offset).replace(tzinfo=UTC)
        instant = int(due.timestamp()) * SECOND
        if instant > after:
            return instant


def _upcoming(iterator: croniter, line: str) -> datetime:
    try:
        found: datetime = iterator.get_next(datetime)
    except CroniterError:
        raise ValueError(f"{line!r} never comes due") from None
    return found


def _iterator(line: str, local: datetime) -> croniter:
    fields = _fields(line)
    try:
        return croniter(
            " ".join(fields),
            local,
            day_or=True,
            implement_cron_bug=True,
            max_years_between_matches=_YEARS,
        )
    except (CroniterError, ValueError, KeyError) as error:
        raise ValueError(f"{line!r} is not a cron line: {error}") from None


def _fields(line: str) -> list[str]:
    """The five fields, in lower case; raises ValueError for what crontab(5) does not know."""
    text = line.strip().lower()
    fields = _NICKNAMES.get(text, text).split()
    if len(fields) != 5:
        raise ValueError(
            f"{line!r} is not a cron line: five fields are wanted (minute, hour, day of month, "
            "month, day of week), such as '0 3 * * *'"
        )
    for place, field in enumerate(fields):
        value = _VALUE[place]
        item = rf"(?:\*|{value}(?:-{value})?)(?:/[1-9]\d*)?"
        if not re.fullmatch(rf"{item}(?:,{item})*", field):
            raise ValueError(f"{line!r} is not a cron line: {field!r} is not understood")
    return fields
