"""What `time` and `during("…")` read: an instant in the content's timezone, and its calendars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final

from engine.core.values import MISSING, SECOND
from engine.lang.expression.compiling import CALENDARS

if TYPE_CHECKING:  # the model itself is built of expressions
    from engine.lang.model import Calendar

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CYCLE: Final = 9
"""Days within which a calendar that ever changes does, exceptions aside."""


def time_scope(at: int, zone: tzinfo, calendars: Mapping[str, Calendar]) -> dict[str, Any]:
    """What a scope needs for `time` and `during` at an instant (microseconds UTC)."""

    def is_open(name: str) -> Any:
        calendar = calendars.get(name)
        return MISSING if calendar is None else calendar_open(calendar, at, zone)

    return {"time": time_fields(at, zone), CALENDARS: is_open}


def time_fields(at: int, zone: tzinfo) -> dict[str, Any]:
    """`hour` 0-23, `minute` 0-59, `weekday` `mon`…`sun`, `date` `YYYY-MM-DD` of an instant; an
    empty object where the instant is beyond the years 1 to 9999."""
    local = _local(at, zone)
    if local is None:
        return {}
    return {
        "hour": local.hour,
        "minute": local.minute,
        "weekday": WEEKDAYS[local.weekday()],
        "date": local.date().isoformat(),
    }


def calendar_open(calendar: Calendar, at: int, zone: tzinfo) -> bool:
    """Whether the instant lies in the calendar's hours: from `start` up to, not with, `end`.

    Hours that pass midnight belong to the day they begin on, `except` dates too; hours that end
    where they start are the whole day.
    """
    local = _local(at, zone)
    if local is None:
        return False
    minute = local.hour * 60 + local.minute
    today = _counts(calendar, local.date())
    if calendar.start < calendar.end:
        return today and calendar.start <= minute < calendar.end
    if today and minute >= calendar.start:
        return True
    return minute < calendar.end and _counts(calendar, local.date() - timedelta(days=1))


def next_edge(calendar: Calendar, at: int, zone: tzinfo) -> int | None:
    """The first instant after `at` (microseconds UTC) at which the calendar opens or closes; None
    for one that never changes."""
    local = _local(at, zone)
    if local is None:
        return None
    now_open = calendar_open(calendar, at, zone)
    for instant in sorted(set(_candidates(calendar, local.date(), zone))):
        if instant > at and calendar_open(calendar, instant, zone) is not now_open:
            return instant
    return None


def _local(at: int, zone: tzinfo) -> datetime | None:
    try:
        return (_EPOCH + timedelta(microseconds=at)).astimezone(zone)
    except (OverflowError, ValueError):
        return None


def _counts(calendar: Calendar, day: date) -> bool:
    return WEEKDAYS[day.weekday()] in calendar.days and day.isoformat() not in calendar.except_


def _candidates(calendar: Calendar, today: date, zone: tzinfo) -> Iterator[int]:
    """Instants at which the calendar might change: its hours on the days to come, and where the
    zone puts its clocks forward or back on one of them."""
    anchors = {today}
    for text in calendar.except_:
        excepted = date.fromisoformat(text)
        if excepted >= today - timedelta(days=1):
            anchors.add(excepted)
    days = {
        anchor + timedelta(days=offset)
        for anchor in anchors
        if anchor.year < 9999
        for offset in range(-1, _CYCLE)
    }
    for day in days:
        yield from _instants(day, calendar.start, zone)
        yield from _instants(day, calendar.end, zone)
        yield from _clock_change(day, zone)


def _instants(day: date, minute: int, zone: tzinfo) -> Iterator[int]:
    """A time of the day as instants: two where the clock shows it twice or never."""
    moment = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    for fold in (0, 1):
        yield _microseconds(moment.replace(tzinfo=zone, fold=fold))


def _clock_change(day: date, zone: tzinfo) -> Iterator[int]:
    """The instant within a day at which the zone's offset changes, if it does."""
    start = _microseconds(datetime(day.year, day.month, day.day, tzinfo=zone)) // SECOND
    low, high = start, start + 86400
    if _offset(low, zone) == _offset(high, zone):
        return
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == _offset(start, zone):
            low = middle
        else:
            high = middle
    yield high * SECOND


def _offset(seconds: int, zone: tzinfo) -> timedelta | None:
    return (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()


def _microseconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
