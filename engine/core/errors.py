"""Everything Wakil raises on purpose.

WakilError                 a sentence a person can act on; `code` is stable, for programs
├── LangError              content is wrong: a sorted list of `Problem`s, each with its place
├── FactRefused            a fact did not fit its kind (422 at the door)
├── SettingsError          the machine's settings or the command line are wrong
├── ContentError           a content directory cannot be used (missing, locked, unreadable)
├── StoreError             the database cannot do what was asked (newer schema, locked …)
├── Refused                policy, rights or a limit said no; `reasons` say which
├── ActionError            an action failed; nothing is known to have changed beyond `changed`
│   └── UnknownEffect      an action's effect cannot be known: never repeated blindly
└── NotFound               no such thing (404)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file; `line` and `column` count from 1, columns in characters."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with content: where, what, and what would be right."""

    position: Position
    message: str
    code: str = field(default="invalid", compare=False)
    severity: Literal["error", "warning"] = field(default="error", compare=False)

    def __str__(self) -> str:
        return f"{self.position}: {'warning: ' if self.severity == 'warning' else ''}{self.message}"


class WakilError(Exception):
    """Base of all errors raised on purpose."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class LangError(WakilError):
    """Content that fails its check; carries every problem found, in file order."""

    code = "invalid-content"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = sorted(set(problems))
        count = len(self.problems)
        head = f"{count} problem{'s' if count != 1 else ''}"
        super().__init__(head + "".join(f"\n{problem}" for problem in self.problems))


class FactRefused(WakilError):
    """A fact that does not fit its kind."""

    code = "fact-refused"


class SettingsError(WakilError):
    """Wrong settings of the machine or of the command line."""

    code = "invalid-settings"


class ContentError(WakilError):
    """A content directory that cannot be used at all."""

    code = "unusable-content"


class StoreError(WakilError):
    """The database cannot do what was asked."""

    code = "store"


class NotFound(WakilError):
    """No such thing."""

    code = "not-found"


class Refused(WakilError):
    """Policy, rights or a limit said no."""

    code = "refused"

    def __init__(self, message: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.reasons = tuple(reasons) or (message,)


class ActionError(WakilError):
    """An action failed."""

    code = "action-failed"


class UnknownEffect(ActionError):
    """An action was cut off: whether it took effect is not known."""

    code = "unknown-effect"
