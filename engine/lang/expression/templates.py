"""Templates: text with `{{ expression }}` and nothing else, rendered once and never read again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from engine.core.errors import LangError, Position, Problem, WakilError
from engine.core.values import MISSING
from engine.lang.expression.compiling import Scope, evaluate
from engine.lang.expression.nodes import Expression, Template
from engine.lang.expression.parsing import Locate, parse
from engine.lang.expression.values import MAX_MADE
from engine.lang.expression.wording import NOTHING, escaped, worded

MAX_EXPRESSIONS: Final = 200
"""Expressions one template may hold."""
_CUT: Final = "…"


class MissingValue(WakilError):
    """An action's input names what is not there, and no `default(…)` covers it."""

    code = "missing-value"

    def __init__(self, expression: str, position: Position, reason: str) -> None:
        super().__init__(f"{position}: {expression}: {reason}")
        self.expression = expression
        self.position = position


def parse_template(text: str, locate: Locate) -> Template:
    """Takes a text apart; raises `LangError` with a `Problem` for each mistake.

    A `}}` on its own is text (JSON ends so); `{{` as text is written `{{ "{{" }}`.
    """
    template, problems = read_template(text, locate)
    if problems:
        raise LangError(problems)
    return template


def read_template(text: str, locate: Locate) -> tuple[Template, list[Problem]]:
    """As `parse_template`, but gives what could be read beside the mistakes in the rest."""
    parts: list[str | Expression] = []
    problems: list[Problem] = []
    at = expressions = 0
    while at < len(text):
        opened = text.find("{{", at)
        plain = text[at : opened if opened >= 0 else len(text)]
        if plain:
            parts.append(plain)
        if opened < 0:
            break
        closed = _end(text, opened + 2)
        if closed < 0:
            problems.append(_problem(locate(opened), "this {{ is not closed: a }} is missing"))
            break
        expressions += 1
        if expressions > MAX_EXPRESSIONS:
            problems.append(
                _problem(locate(opened), f"a template has at most {MAX_EXPRESSIONS} expressions")
            )
            break
        try:
            parts.append(_expression(text, opened + 2, closed, locate))
        except LangError as error:
            problems.extend(error.problems)
        at = closed + 2
    start = locate(0)
    return Template(text, tuple(parts), start.file, start.line, start.column), problems


def render_text(template: Template, scope: Scope) -> str:
    """Text for people: `—` for what is missing or null, control characters spelled out.

    What the template's author wrote stays as written; only inserted values are escaped. At most
    64 kB.
    """
    pieces: list[str] = []
    for part in template.parts:
        if isinstance(part, str):
            pieces.append(part)
        else:
            pieces.append(escaped(worded(evaluate(part, scope), NOTHING)))
    text = "".join(pieces)
    while len(text.encode("utf-8", "surrogatepass")) > MAX_MADE:
        text = text[: min(len(text) * 3 // 4, MAX_MADE - 3)] + _CUT
    return text


def render_value(value: Any, scope: Scope) -> Any:
    """A tree of templates as a tree of values (`model.Value` to JSON), for an action's inputs.

    A template that is one whole `{{ … }}` keeps its value's type; others become text. Raises
    `MissingValue` where an expression has no value, or makes a text longer than 64 kB.
    """
    if isinstance(value, Template):
        return _template_value(value, scope)
    if isinstance(value, Mapping):
        return {key: render_value(item, scope) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [render_value(item, scope) for item in value]
    return value


def _template_value(template: Template, scope: Scope) -> Any:
    whole = template.whole
    if whole is not None:
        return _present(whole, scope)
    pieces = [
        part if isinstance(part, str) else worded(_present(part, scope)) for part in template.parts
    ]
    text = "".join(pieces)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_MADE:
        place = Position(template.file, template.line, template.column)
        raise MissingValue(template.text[:200], place, "this makes a text longer than 64 kB")
    return text


def _present(expression: Expression, scope: Scope) -> Any:
    value = evaluate(expression, scope)
    if value is MISSING:
        raise MissingValue(
            expression.text.strip(),
            expression.position(),
            "there is no value; cover it with default(…, …) where it may be missing",
        )
    return value


def _expression(text: str, start: int, end: int, locate: Locate) -> Expression:
    inner = text[start:end]
    lead = len(inner) - len(inner.lstrip())
    begin = start + lead
    return parse(inner.strip(), lambda offset: locate(min(begin + offset, len(text))))


def _end(text: str, at: int) -> int:
    """Where the `}}` stands that closes an expression beginning at `at`; quotes may hold others."""
    found = _PIECE.search(text, at)
    while found is not None:
        if found.group() == "}}":
            return found.start()
        if found.group() == "{{":
            return -1
        found = _PIECE.search(text, found.end())
    return -1


_PIECE: Final = re.compile(r"""\}\}|\{\{|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)


def _problem(position: Position, message: str) -> Problem:
    return Problem(position, message, "template")
