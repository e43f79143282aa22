"""The one small language of conditions and templates: parse, type-check, evaluate."""

from engine.lang.expression.compiling import (
    CALENDARS,
    Evaluator,
    Scope,
    compile_expression,
    evaluate,
)
from engine.lang.expression.nodes import Expression, Node, Template
from engine.lang.expression.parsing import Locate, at, parse

__all__ = [
    "CALENDARS",
    "Evaluator",
    "Expression",
    "Locate",
    "Node",
    "Scope",
    "Template",
    "at",
    "compile_expression",
    "evaluate",
    "parse",
]
