"""configs/calendar.yaml: calendars for `during`, schedules that post `schedule` facts."""

from __future__ import annotations

import re
from datetime import date

from croniter import CroniterBadDateError, CroniterError, croniter

from engine.lang.model import Calendar, Schedule
from engine.lang.reading import Report, fields_of, mappings_of, text_of, texts_of
from engine.lang.schema import check_shape
from engine.lang.yaml import Fields, Items, Node, Scalar, shorten

_NICKNAMES = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)
_NAMES = frozenset(
    {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
    | {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)
_WORD = re.compile(r"[^0-9*/,\s-]+")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def read_calendar(node: Node, report: Report) -> tuple[dict[str, Calendar], tuple[Schedule, ...]]:
    """Calendars by name, and the schedules. Problems are reported."""
    report.extend(check_shape(node, "calendar"))
    if not isinstance(node, Fields):
        return {}, ()
    calendars = {
        name: _calendar(name, entry, report)
        for name, entry in fields_of(node, "calendars") or ()
        if isinstance(entry, Fields)
    }
    return calendars, _schedules(node, report)


def _calendar(name: str, node: Fields, report: Report) -> Calendar:
    start, end = 0, 24 * 60
    hours = text_of(node, "hours")
    if hours.count("-") == 1 and hours.count(":") == 2:
        start, end = (_minutes(text) for text in hours.split("-"))
    if not {"days", "hours"} & {key for key, _ in node}:
        report.error(node.position, f"calendar '{shorten(name)}' needs 'days' or 'hours'")
    if start == end:
        where = node.get("hours") or node
        report.error(
            where.position, "these hours begin when they end; leave 'hours' out for all day"
        )
    except_ = node.get("except")
    for item in except_.items if isinstance(except_, Items) else ():
        if isinstance(item, Scalar) and not _is_date(item.text):
            report.error(item.position, f"there is no date {shorten(item.text)}")
    return Calendar(name, texts_of(node, "days") or DAYS, start, end, texts_of(node, "except"))


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute) if (hour + minute).isdigit() else 0


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _schedules(node: Fields, report: Report) -> tuple[Schedule, ...]:
    found: list[Schedule] = []
    names: set[str] = set()
    for entry in mappings_of(node, "schedules"):
        name, cron = text_of(entry, "name"), entry.get("cron")
        if name in names:
            report.error(entry.position, f"two schedules are named '{shorten(name)}'", "duplicate")
        names.add(name)
        if isinstance(cron, Scalar) and isinstance(cron.value, str):
            wrong = cron_problem(cron.value)
            if wrong is not None:
                report.error(cron.position, wrong, "cron")
            found.append(Schedule(name, cron.value, entry.position))
    return tuple(found)


def cron_problem(line: str) -> str | None:
    """What keeps a line from being one of crontab(5); None where it is one."""
    said = f"'{shorten(line)}' is no line of crontab(5)"
    if line in _NICKNAMES:
        return None
    if len(line.split()) != 5:
        return f"{said}: it takes five fields, as in 0 3 * * *"
    for word in _WORD.findall(line.lower()):
        if word not in _NAMES:
            return f"{said}: it does not know '{shorten(word)}'"
    try:
        croniter(line).get_next()
    except CroniterBadDateError:
        return f"'{shorten(line)}' never comes: there is no such date"
    except (CroniterError, ValueError, KeyError) as error:
        return f"{said}: {shorten(str(error), 120)}"
    return None
