"""The log as people read it: one line a message, whoever wrote what is in it."""

from __future__ import annotations

import logging
from typing import Any

from engine.core.text import escape_controls, escape_lines


class OneLine(logging.Formatter):
    """Spells control characters out; only a traceback of ours has several lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        record.message = escape_controls(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """Each line begins with a bar, so that none can pass for a message."""
        return "\n".join(
            f"| {line}" for line in escape_lines(super().formatException(ei)).split("\n")
        )
