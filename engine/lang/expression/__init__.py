"""The one small language of conditions and templates: parse, type-check, evaluate."""

from engine.lang.expression.calendars import calendar_open, next_edge, time_fields, time_scope
from engine.lang.expression.checking import check
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
from engine.lang.expression.types import (
    ANY,
    BOOLEAN,
    INTEGER,
    LABELS,
    NUMBER,
    TEXT,
    TIME,
    Names,
    NameType,
    kind_type,
    list_type,
    object_type,
    rule_names,
    schema_type,
    value_type,
    variables_type,
)
from engine.lang.expression.unparse import unparse
from engine.lang.expression.walk import (
    calendars_of,
    optional_reads,
    read_fields,
    read_names,
    uses_time,
    walk,
)

__all__ = [
    "ANY",
    "BOOLEAN",
    "CALENDARS",
    "INTEGER",
    "LABELS",
    "NUMBER",
    "TEXT",
    "TIME",
    "Evaluator",
    "Expression",
    "Locate",
    "MissingValue",
    "NameType",
    "Names",
    "Node",
    "Scope",
    "Template",
    "at",
    "calendar_open",
    "calendars_of",
    "check",
    "compile_expression",
    "evaluate",
    "kind_type",
    "list_type",
    "next_edge",
    "object_type",
    "optional_reads",
    "parse",
    "parse_template",
    "read_fields",
    "read_names",
    "render_text",
    "render_value",
    "rule_names",
    "schema_type",
    "time_fields",
    "time_scope",
    "unparse",
    "uses_time",
    "value_type",
    "variables_type",
    "walk",
]
