"""Says what broke YAML where a condition was written without the quotes it needs."""

from __future__ import annotations

import re

from engine.lang.yaml_nodes import Scalar, Source, shorten

_KEY = re.compile(r"(?:^|[\s{,])(?P<key>[A-Za-z_][\w.-]*):[ \t]+(?=\S)")
_ITEM = re.compile(r"^\s*-[ \t]+(?=\S)")
_NEXT_KEY = re.compile(r",\s*[A-Za-z_][\w.-]*:\s")
CONDITION_KEYS = frozenset({"when", "until", "unless", "where", "that", "if", "all", "any"})
_TABS = "a tab in the indentation; use spaces"
_CHARACTER = "no value can begin with this character; quote it"
_PLAIN = {
    "mapping values are not allowed in this context": "a second ': ' in one line",
    "mapping values are not allowed here": "a second ': ' in one line",
    "did not find expected key": "a key was expected here",
    "did not find expected '-' indicator": "a list item ('- ') was expected here",
    "did not find expected ',' or ']'": "',' or ']' was expected here",
    "did not find expected ',' or '}'": "',' or '}' was expected here",
    "did not find expected node content": "a value was expected here",
    "found character that cannot start any token": _CHARACTER,
    "found a tab character that violates indentation": _TABS,
    "found a tab character where an indentation space is expected": _TABS,
    "found unexpected end of stream": "a quote was opened and never closed",
    "could not find expected ':'": "a ':' was expected after this key",
    "found unknown escape character": "an unknown escape after '\\' inside double quotes",
    "found undefined tag handle": "tags are not read",
    "found unexpected document indicator": "a quote was still open at '---' or '...'",
}


def quote(text: str) -> str:
    """`text` as a single-quoted YAML scalar."""
    return "'" + text.replace("'", "''") + "'"


def explain_syntax(source: Source, index: int, began: int | None, problem: str) -> tuple[int, str]:
    """Where a syntax error really is, and a sentence that says what would be right."""
    place = source.position(index)
    lines = [(place.line, place.column)]
    if began is not None and (first := source.position(began)).line != place.line:
        lines.append((first.line, len(source.line(first.line))))
    for number, column in lines:
        found = _unquoted(source.line(number), column, problem)
        if found is not None:
            at, shown, reason = found
            message = f"{reason}; quote the whole value: {shorten(shown, 160)}"
            return source.index(number, at + 1), message
    if source.text[index : index + 1] == "\t":
        return index, _TABS
    if problem.startswith("mapping values") and source.line(place.line).count(": ") < 2:
        return index, "this ':' does not fit: the line above lacks its ':' or its quotes"
    if began is not None and problem == "found unexpected end of stream":
        return began, _PLAIN[problem]
    if not source.text[index:].strip() and (opened := _opened(source.text, began)) is not None:
        return opened, f"this '{source.text[opened]}' is never closed"
    said = _PLAIN.get(problem, shorten(problem, 200))
    if began is not None and problem in _OPENED and source.position(began).line != place.line:
        said = f"{said}; what is open began in line {source.position(began).line}"
    return index, said


def _opened(text: str, began: int | None) -> int | None:
    """Where the bracket stands that the end of the text leaves open; None where none is known."""
    last = len(text.rstrip()) - 1
    places = (at for at in (began, last) if at is not None and 0 <= at < len(text))
    return next((at for at in places if text[at] in "[{"), None)


_OPENED = frozenset({"did not find expected ',' or ']'", "did not find expected ',' or '}'"})
_LEADING = "YAML ends the value at its second quote"
_COLON = "YAML reads ': ' as a key and its value"
_BRACKET = "YAML reads brackets and commas here as its own"
_TEMPLATE = "YAML reads '{{' as a mapping"


def _unquoted(line: str, column: int, problem: str) -> tuple[int, str, str] | None:
    """The value on a line that lacks its quotes: where it begins, how it is written, and why."""
    keys = [found for found in _KEY.finditer(line) if found.end() <= column]
    colon = problem.startswith("mapping values")
    if not any("{" in line[: found.start("key")] for found in keys) and colon:
        keys = keys[:1]
    for found in reversed(keys):
        key, at = found["key"], found.end()
        value = _bare(line[at:])
        if key in {"all", "any"} and value.startswith("["):
            return _broken_item(line, at)
        if value.startswith(("{", "[")) and key not in CONDITION_KEYS and value[:2] != "{{":
            continue  # a collection of YAML's own, which no quotes belong around
        reason = _broken_by(value, problem)
        if reason is not None and (key in CONDITION_KEYS or reason is not _BRACKET):
            return at, f"{key}: {quote(value)}", reason
    if (item := _ITEM.match(line)) is not None and not keys:
        value = line[item.end() :].rstrip()
        own = value.startswith("{") and value[:2] != "{{"
        reason = None if own else _broken_by(value, problem)
        if reason is not None:
            return item.end(), f"- {quote(value)}", reason
    return None


def _broken_item(line: str, at: int) -> tuple[int, str, str] | None:
    """In `all: [A, B]`, the first item that cannot stand without quotes."""
    place = at + 1
    while place < len(line) and line[place] != "]":
        place += len(line[place:]) - len(line[place:].lstrip(" ,"))
        value = _bare(line[place:], commas=True)
        reason = _broken_by(value, "did not find expected ','") if value else None
        if reason is not None:
            return place, quote(value), reason
        place += max(len(value), 1)
    return None


def _broken_by(value: str, problem: str) -> str | None:
    if not value:
        return None
    if value.startswith("{{"):
        return _TEMPLATE
    if value[0] in "\"'":
        closing = value.find(value[0], 1)
        while value[0] == "'" and closing > 0 and value[closing + 1 : closing + 2] == "'":
            closing = value.find("'", closing + 2)
        rest = value[closing + 1 :].strip()
        return _LEADING if closing > 0 and rest and not rest.startswith(("#", ":")) else None
    if ": " in value and "mapping values are not allowed" in problem:
        return _COLON
    if not problem.startswith("did not find expected"):
        return None
    if ": " in value and not value.startswith(("{", "[")):
        return _COLON
    return _BRACKET if re.search(r"[\[\]{}]", value) else None


def _bare(value: str, *, commas: bool = False) -> str:
    """A value without the closing brackets and the neighbours that follow it in flow style."""
    depth, quoted = 0, ""
    for at, character in enumerate(value):
        if quoted:
            quoted = "" if character == quoted else quoted
        elif character in "\"'":
            quoted = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            if depth == 0:
                return value[:at].rstrip()
            depth -= 1
        elif character == "," and depth == 0 and (commas or _NEXT_KEY.match(value[at:])):
            return value[:at].rstrip()
    return value.rstrip()


def quoting_hint(scalar: Scalar, key: str | None) -> str | None:
    """Why a condition that does not parse may have been cut short by YAML; None if it was not."""
    if scalar.style != "plain":
        return None
    text = scalar.source.text
    rest = text[scalar.end :].split("\n", 1)[0].rstrip("\r")
    label = f"{key}: " if key else "- "
    if re.match(r"\s+#", rest):
        whole = scalar.text + rest.rstrip()
        return f"YAML takes ' #' for a comment; quote the whole value: {label}{quote(whole)}"
    if re.match(r"\s*[,\[\]{}]", rest) and _unbalanced(scalar.text):
        whole = _bare(scalar.text + rest, commas=key is None)
        label = f"{key}: " if key else ""
        return f"in flow style ',' ends the value; quote the whole of it: {label}{quote(whole)}"
    return None


def _unbalanced(text: str) -> bool:
    """Whether a bracket or a quote in it is open, so that more of it must follow."""
    return any(text.count(a) != text.count(b) for a, b in ("()", "[]")) or text.count('"') % 2 == 1
