"""What a line of a log says: its level, who wrote it, its message."""

from __future__ import annotations

import json
import re
from typing import Any

from engine.core.text import escape_controls

MAX_MESSAGE = 8192
LEVELS = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")
"""By syslog severity, RFC 5424 section 6.2.1."""

_WORDS = {
    "debug": "debug",
    "trace": "debug",
    "info": "info",
    "information": "info",
    "notice": "info",
    "warn": "warning",
    "warning": "warning",
    "err": "error",
    "error": "error",
    "severe": "error",
    "fatal": "critical",
    "crit": "critical",
    "critical": "critical",
    "alert": "critical",
    "emerg": "critical",
    "emergency": "critical",
    "panic": "critical",
}
_NAMES = "|".join(sorted(_WORDS, key=len, reverse=True))
_NAMED = re.compile(rf"\b(?:level|lvl|severity)[\"']?\s*[=:]\s*[\"']?({_NAMES})\b", re.IGNORECASE)
_FRAMED = re.compile(rf"[\[<(|]\s*(?:[a-z_]{{1,20}}:)?({_NAMES})\s*[\])>|]", re.IGNORECASE)
_SHOUTED = re.compile(rf"\b({_NAMES.upper()})\b")
_LEADING = re.compile(rf"^\W*({_NAMES})\s*:", re.IGNORECASE)
_PRIORITY = re.compile(r"^<(\d{1,3})>")
_SYSLOG = re.compile(
    r"^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(?:Z|[+-]\d\d:?\d\d))"
    r" \S{1,255} ([A-Za-z0-9_./@-]{1,64})(?:\[\d+\])?: (.*)$",
    re.DOTALL,
)
_HEAD = 256
"""Characters within which a line says its level."""


def parse_line(source: str, line: bytes) -> dict[str, Any]:
    """The `log` fact of one line of a file. No level is given where the line says none."""
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    level, text = _priority(text)
    unit = None
    if found := _SYSLOG.match(text):
        unit, text = found[1], found[2]
    level = level or _level(text)
    return _fact(source, unit, level, text)


def _priority(text: str) -> tuple[str | None, str]:
    found = _PRIORITY.match(text)
    if not found or int(found[1]) > 191:
        return None, text
    return LEVELS[int(found[1]) % 8], text[found.end() :]


def _level(text: str) -> str | None:
    head = text[:_HEAD]
    for pattern in (_NAMED, _FRAMED, _SHOUTED, _LEADING):
        if found := pattern.search(head):
            return _WORDS[found[1].lower()]
    return None


def parse_entry(line: bytes) -> tuple[dict[str, Any], int | None, str | None] | None:
    """The `log` fact of one entry of the journal (systemd.journal-fields(7)), its instant
    (microseconds) and its cursor; None where it is no entry.

    Who wrote it is told by the trusted fields, those with a leading `_`: what a program says of
    itself (SYSLOG_IDENTIFIER) anybody can say.
    """
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    unit = entry.get("_SYSTEMD_UNIT") or entry.get("_COMM")
    if entry.get("_TRANSPORT") == "kernel":
        unit = "kernel"
    priority = str(entry.get("PRIORITY", ""))
    level = LEVELS[int(priority)] if re.fullmatch("[0-7]", priority) else "info"
    told = str(entry.get("__REALTIME_TIMESTAMP", ""))
    cursor = entry.get("__CURSOR")
    unit = str(unit).removesuffix(".service") if unit else None
    fact = _fact("journal", unit, level, _message(entry.get("MESSAGE")))
    return fact, int(told) if told.isdigit() else None, cursor if isinstance(cursor, str) else None


def _message(value: Any) -> str:
    """Text, or the bytes of what is not UTF-8, as the journal's JSON has it."""
    if isinstance(value, list) and all(type(one) is int and 0 <= one < 256 for one in value):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _fact(source: str, unit: str | None, level: str | None, text: str) -> dict[str, Any]:
    if len(text) > MAX_MESSAGE:
        text = text[:MAX_MESSAGE] + "…"
    fact: dict[str, Any] = {"source": escape_controls(source), "message": escape_controls(text)}
    if unit:
        fact["unit"] = escape_controls(unit)
    if level:
        fact["level"] = level
    return fact
