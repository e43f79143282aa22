"""Logs: lines of files, and the journal, each once, from where the last look ended."""

from __future__ import annotations

import glob
import logging
import posixpath
from typing import Any

from agents.journal import VACUUM, journalctl, read_entries
from agents.lines import parse_entry, parse_line
from agents.tail import Position, Tail
from engine.core.errors import WakilError
from engine.core.ports import AgentContext, AgentType, Collection, Observation
from engine.core.values import SECOND, Json

_log = logging.getLogger(__name__)
MAX_FILES = 200
MAX_LINES = 20_000
"""In one round, over all files."""
_JOURNAL_EVERY = 2 * SECOND
_LIST_EVERY = 2 * SECOND


class Logs:
    """Follows all files that the patterns name, and the journal.

    Positions are made durable at the next collection, when what was read has been posted: a kill
    in between repeats lines, and loses none.
    """

    def __init__(self, context: AgentContext) -> None:
        self._context = context
        self._patterns: list[str] = list(context.settings.get("files", ()))
        self._journal = journalctl() if context.settings.get("journal") else None
        self._tails: dict[str, Tail] = {}
        self._told: set[str] = set()
        self._used: set[str] = set()
        """Patterns that have been looked for."""
        self._unsaved: dict[str, Json] = {}
        self._saved: dict[str, Json] = {}
        self._cursor = context.memory.get("journal")
        self._next_journal = self._next_list = 0

    def collect(self) -> Collection:
        """The lines that have come since the last collection."""
        for key, value in self._unsaved.items():
            self._context.memory.set(key, value)
            self._saved[key] = value
        self._unsaved = {}
        now = self._context.clock.now()
        if now >= self._next_list:
            self._next_list = now + _LIST_EVERY
            self._find_files()
        observations: list[Observation] = []
        for tail in list(self._tails.values()):
            if len(observations) < MAX_LINES:
                observations += self._read(tail)
        if self._journal is not None and now >= self._next_journal:
            self._next_journal = now + _JOURNAL_EVERY
            observations += self._read_journal(self._journal, now)
        return Collection(observations)

    def _find_files(self) -> None:
        """Follows what the patterns name by now. What was there when a pattern was first used is
        followed from its end, what comes later from its beginning."""
        for pattern in self._patterns:
            known = pattern in self._used or self._context.memory.get(f"pattern/{pattern}")
            for path in sorted(glob.iglob(pattern))[:MAX_FILES]:  # noqa: PTH207 - absolute
                if path not in self._tails and len(self._tails) < MAX_FILES:
                    self._follow(path, from_end=known is None)
            if known is None:
                self._unsaved[f"pattern/{pattern}"] = True
            self._used.add(pattern)

    def _follow(self, path: str, from_end: bool) -> None:
        kept: Any = self._context.memory.get(f"file/{path}")
        position = Position(**kept) if isinstance(kept, dict) else None
        tail = Tail(path, self._open, position)
        if position is None and from_end:
            try:
                tail.skip_to_end()
            except (OSError, WakilError) as error:
                self._lose(tail, error)
                return
        self._tails[path] = tail

    def _lose(self, tail: Tail, error: Exception) -> None:
        tail.close()
        self._tails.pop(tail.path, None)
        if not isinstance(error, FileNotFoundError) and tail.path not in self._told:
            self._told.add(tail.path)
            _log.warning("%s cannot be followed: %s", tail.path, error)

    def close(self) -> None:
        """Lets go of all files."""
        for tail in self._tails.values():
            tail.close()
        self._tails = {}

    def _open(self, path: str) -> int:
        """Through the hands: by the folder that no pattern reaches into, links never followed."""
        folders, name = posixpath.split(path)
        return self._context.hands.open_log(folders, name)

    def _read(self, tail: Tail) -> list[Observation]:
        try:
            lines = [line for line in tail.read() if line.strip()]
        except (OSError, WakilError) as error:  # looked at again later
            self._lose(tail, error)
            return []
        observations = [Observation("log", parse_line(tail.path, line)) for line in lines]
        if tail.skipped:
            text = f"{tail.skipped} bytes of {tail.path} were passed over: more than can be read"
            fact = {"source": tail.path, "unit": "wakil", "level": "warning", "message": text}
            observations.insert(0, Observation("log", fact))
            tail.skipped = 0
        if tail.position is not None:
            key, position = f"file/{tail.path}", tail.position.to_json()
            if self._saved.get(key) != position:
                self._unsaved[key] = position
        return observations

    def _read_journal(self, program: str, now: int) -> list[Observation]:
        """Entries since the cursor; the first time it only finds out where the journal ends."""
        cursor = self._cursor if isinstance(self._cursor, str) else None
        observations = []
        for line in read_entries(program, cursor):
            entry = parse_entry(line)
            if entry is None:
                continue
            fact, at, self._cursor = entry[0], entry[1], entry[2] or self._cursor
            if cursor is not None and fact["message"]:
                observations.append(Observation("log", fact, None if at is None else min(at, now)))
        if self._cursor != cursor:
            self._unsaved["journal"] = self._cursor
        return observations


AGENT = AgentType(
    id="logs",
    description="Lines of log files and of the journal.",
    facts=("log",),
    every=SECOND,
    settings={
        "type": "object",
        "properties": {
            "files": {
                "type": "array",
                "items": {
                    "type": "string",
                    "pattern": "^/",
                    "x-is": "an absolute path, `*` allowed",
                    "x-effect": "log",
                },
                "default": [],
            },
            "journal": {"type": "boolean", "default": False},
        },
        "additionalProperties": False,
    },
    build=Logs,
    actions=(VACUUM,),
)
