"""Says what broke YAML where a condition was written without the quotes it needs."""

from __future__ import annotations

import re

from engine.lang.yaml_nodes import Scalar, Source, shorten

_KEYED = re.compile(r"^(?P<lead>[\s-]*(?:\{\s*)?(?:[^:#\"'{}\[\],]+:\s+[^:]*?[,{]\s*)*)"
                    r"(?P<key>[A-Za-z_][\w.-]*):[ \t]+(?P<value>\S.*)$")  # fmt: skip
_ITEM = re.compile(r"^\s*-[ \t]+(?P<value>\S.*)$")
CONDITION_KEYS = frozenset({"when", "until", "unless", "where", "that", "if", "all", "any"})
_TABS = "a tab in the indentation; use spaces"
_PLAIN = {
    "mapping values are not allowed in this context": "a second ': ' in one line",
    "mapping values are not allowed here": "a second ': ' in one line",
    "did not find expected key": "a key was expected here",
    "did not find expected '-' indicator": "a list item ('- ') was expected here",
    "did not find expected ',' or ']'": "',' or ']' was expected here",
    "did not find expected ',' or '}'": "',' or '}' was expected here",
    "did not find expected node content": "a value was expected here",
    "found character that cannot start any token": "no value can begin with this character",
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
    line = source.position(index).line
    for number in dict.fromkeys((line, source.position(began).line if began is not None else line)):
        text = source.line(number)
        found = _KEYED.match(text) or _ITEM.match(text)
        if found is None:
            continue
        value = found["value"]
        key = found.groupdict().get("key")
        reason = _broken_by(value, problem)
        if reason and (key is None or key in CONDITION_KEYS or reason == _LEADING):
            shown = f"{key}: {quote(_bare(value))}" if key else f"- {quote(_bare(value))}"
            place = source.index(number, found.start("value") + 1)
            return place, f"{reason}; quote the whole value: {shorten(shown, 160)}"
    if source.text[index : index + 1] == "\t":
        return index, _TABS
    return index, _PLAIN.get(problem, shorten(problem, 200))


_LEADING = "YAML ends the value at its second quote"
_COLON = "YAML reads ': ' as a key and its value"
_BRACKET = "YAML reads this as the end of a list or mapping"


def _broken_by(value: str, problem: str) -> str | None:
    if value[0] in "\"'" and problem.startswith("did not find expected"):
        closing = value.find(value[0], 1)
        if closing > 0 and re.match(r"\s*[^\s,}\]#:]", value[closing + 1 :]):
            return _LEADING
    if ": " in value and "mapping values are not allowed" in problem:
        return _COLON
    if re.search(r"[\[\]{}]", value) and problem.startswith("did not find expected ','"):
        return _BRACKET
    return None


def _bare(value: str) -> str:
    """A value in flow style without the brackets and neighbours that follow it."""
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
        elif character == "," and depth == 0 and re.match(r",\s*[\w.-]+:\s", value[at:]):
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
        whole = _bare(scalar.text + rest)
        return f"in flow style ',' ends the value; quote the whole of it: {label}{quote(whole)}"
    return None


def _unbalanced(text: str) -> bool:
    return any(text.count(a) != text.count(b) for a, b in ("()", "[]")) or text.count('"') % 2 == 1
