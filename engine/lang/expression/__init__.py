"""The one small language of conditions and templates: parse, type-check, evaluate."""

from engine.lang.expression.calendars import calendar_open, next_edge, time_fields, time_scope
from engine.lang.expression.compiling import (
    CALENDARS,
    Evaluator,
    Scope,
    compile_expression,
    evaluate,
)
from engine.lang.expression.nodes import Expression, Node, Template
from engine.lang.expression.parsing import Locate, at, parse
from engine.lang.expression.templates import (
    MissingValue,
    parse_template,
    render_text,
    render_value,
)

__all__ = [
    "CALENDARS",
    "Evaluator",
    "Expression",
    "Locate",
    "MissingValue",
    "Node",
    "Scope",
    "Template",
    "at",
    "calendar_open",
    "compile_expression",
    "evaluate",
    "next_edge",
    "parse",
    "parse_template",
    "render_text",
    "render_value",
    "time_fields",
    "time_scope",
]
