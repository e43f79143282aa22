"""What a template in an input gives, held against the type that is wanted there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.errors import LangError, Problem
from engine.lang.expression.checking import Checker
from engine.lang.expression.templates import parse_template
from engine.lang.expression.types import TEXT, Names, NameType, schema_type
from engine.lang.expression.walk import shown_types
from engine.lang.schema_words import expected_words
from engine.lang.yaml import Node, Scalar


def check_made(node: Node, schema: Mapping[str, Any], key: str, names: Names) -> list[Problem]:
    """A problem where a template can never give what the schema wants.

    One whole `{{ … }}` keeps its value's type, anything else makes text; what is not known, or
    may be several things, is left to the run.
    """
    if not isinstance(node, Scalar):
        return []
    wanted, found = schema_type(schema), _made(node, names)
    if found is None or not found.groups() or not wanted.groups():
        return []
    if found.groups() & wanted.groups():
        return []
    message = f"'{key}' must be {expected_words(schema)}; this template gives {shown_types(found)}"
    return [Problem(node.position, message, "type")]


def _made(node: Scalar, names: Names) -> NameType | None:
    try:
        template = parse_template(node.text, node.locate)
    except LangError:
        return None  # said where the value itself is read
    whole = template.whole
    return TEXT if whole is None else Checker(whole, names, None).infer(whole.root)
