"""Lists of arguments as written: what data would decide in them, and what a shell would read."""

from __future__ import annotations

import re
from typing import Final

from engine.lang.reading import Report, constant
from engine.lang.yaml import Items, Node, Scalar

_SHELLS: Final = re.compile(r"(?:.*/)?(?:ba|da|z|k|a)?sh")
_SCRIPT_NEXT: Final = re.compile(r"-[a-z]*c")


def check_argument_list(node: Node, key: str, report: Report) -> None:
    """An error where a template gives the whole list, a warning where a shell would read what a
    template gives."""
    if isinstance(node, Scalar) and not constant(node):
        message = (
            f"'{key}' must be a list, one item for each argument: a template would let data "
            "decide how many there are"
        )
        report.error(node.position, message, "type")
    script = _script(node) if isinstance(node, Items) else None
    if script is not None and not constant(script):
        message = (
            "a shell reads what this template gives, as commands too; give it as an argument: "
            """[/bin/sh, -c, 'echo "$1"', sh, "{{ … }}"]"""
        )
        report.warn(script.position, message, "shell")


def _script(argv: Items) -> Node | None:
    """The item that a shell takes for its script; None where there is none."""
    words = argv.items
    if not words or not isinstance(words[0], Scalar) or not _SHELLS.fullmatch(words[0].text):
        return None
    for place, word in enumerate(words[1:-1], 1):
        if isinstance(word, Scalar) and _SCRIPT_NEXT.fullmatch(word.text):
            return words[place + 1]
    return None
