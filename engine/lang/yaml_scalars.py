"""Where each character of a scalar's value stands in its source, through quoting and folding.

YAML 1.2.2, chapters 7.3 (flow scalars), 8.1 (block scalars). Worked out only when an error needs
the place, and checked against the value the parser gave: where they differ there is no map.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

Pairs = list[tuple[str, int]]
_PROPERTIES = re.compile(r"(?:[&!][^\s]*\s+)*")
_HEADER = re.compile(r"[|>]([0-9+-]*)[^\n\r]*(?:\r\n|\n|\r|$)")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|$)")
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0",
    "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_CODES = {"x": 2, "u": 4, "U": 8}


def content_start(text: str, start: int) -> int:
    """Skips anchors and tags before a scalar."""
    found = _PROPERTIES.match(text, start)
    return found.end() if found else start


@lru_cache(maxsize=8)
def source_offsets(text: str, start: int, end: int, style: str, value: str) -> list[int] | None:
    """The index in `text` of each character of `value`; None where it cannot be told. Remembered,
    because every part of an expression asks for its place in the same value."""
    start = content_start(text, start)
    candidates: Iterator[Pairs]
    if style == "plain":
        candidates = iter([_flow(text, start, end, "")])
    elif style in {"single", "double"}:
        candidates = iter([_flow(text, start + 1, end - 1, text[start])])
    else:
        candidates = _block(text, start, end, folded=style == "folded")
    for pairs in candidates:
        if "".join(character for character, _ in pairs) == value:
            return [place for _, place in pairs]
    return None


def _flow(text: str, start: int, end: int, quote: str) -> Pairs:
    out: Pairs = []
    index = start
    while index < end:
        character = text[index]
        if character in " \t\r\n":
            index = _fold(text, index, end, out)
        elif quote == "'" and character == "'":
            out.append(("'", index))
            index += 2
        elif quote == '"' and character == "\\":
            index = _escape(text, index, end, out)
        else:
            out.append((character, index))
            index += 1
    return out


def _fold(text: str, index: int, end: int, out: Pairs) -> int:
    """White space inside a flow scalar: kept within a line, folded around line breaks."""
    stop = index
    while stop < end and text[stop] in " \t\r\n":
        stop += 1
    breaks = [found.start() for found in re.finditer(r"\r\n|\r|\n", text[index:stop])]
    if not breaks:
        out.extend((text[place], place) for place in range(index, stop))
    elif len(breaks) == 1:
        out.append((" ", index + breaks[0]))
    else:
        out.extend(("\n", index + place) for place in breaks[1:])
    return stop


def _escape(text: str, index: int, end: int, out: Pairs) -> int:
    code = text[index + 1] if index + 1 < end else ""
    if code in _CODES:
        stop = index + 2 + _CODES[code]
        number = int(text[index + 2 : stop] or "0", 16)
        out.append((chr(number) if number < 0x110000 else "\ufffd", index))
        return stop
    if code in {"\n", "\r", ""}:
        stop = index + 1
        while stop < end and text[stop] in " \t\r\n":
            stop += 1
        return stop
    out.append((_ESCAPES.get(code, code), index))
    return index + 2


def _block(text: str, start: int, end: int, *, folded: bool) -> Iterator[Pairs]:
    header = _HEADER.match(text, start)
    if header is None:
        return
    lines: list[tuple[int, str]] = []
    index = header.end()
    while index < end and (found := _LINE.match(text, index)):
        lines.append((index, found[1]))
        if found.end() == index:
            break
        index = found.end()
    first = next((line for _, line in lines if line.strip(" ")), "")
    depth = len(first) - len(first.lstrip(" "))
    explicit = any(character.isdigit() for character in header[1])
    chomp = "-" if "-" in header[1] else "+" if "+" in header[1] else ""
    # With an explicit indicator the parent's indentation, unknown here, would have to be added.
    for indent in range(depth, -1, -1) if explicit else (depth,):
        pairs = _block_lines(lines, indent, chomp, folded=folded)
        yield pairs
        yield pairs[:-1]  # a file that ends without a line break


def _block_lines(lines: list[tuple[int, str]], indent: int, chomp: str, *, folded: bool) -> Pairs:
    out: Pairs = []
    pending: Pairs = []
    seen = was_indented = False
    last_break: tuple[str, int] | None = None
    for place, line in lines:
        content = line[indent:]
        if not content and not line.strip(" "):
            pending.append(("\n", place + len(line)))
            continue
        indented = content[:1] in {" ", "\t"}
        if seen and last_break is not None:
            if folded and not was_indented and not indented:
                if not pending:
                    out.append((" ", last_break[1]))
            else:
                out.append(last_break)
        out.extend(pending)
        pending = []
        out.extend((character, place + indent + at) for at, character in enumerate(content))
        seen, was_indented = True, indented
        last_break = ("\n", place + len(line))
    if chomp != "-" and last_break is not None:
        out.append(last_break)
    if chomp == "+":
        out.extend(pending)
    return out
