"""The conditions of a rule: `when`, `until`, `unless` and `by`, from nodes to the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.core.errors import LangError, Position, Problem
from engine.core.facts import Catalogue
from engine.lang.conditions import Role, composite, condition_kinds, plain_condition
from engine.lang.expression.nodes import Expression, Field, Literal_, Name, Subscript
from engine.lang.expression.nodes import Node as Tree
from engine.lang.expression.types import Names
from engine.lang.model import Condition
from engine.lang.reading import Language, Report, duration_of, items_of
from engine.lang.yaml import Fields, Items, Node, Scalar


@dataclass(frozen=True, slots=True)
class ConditionReader:
    """Reads the conditions of one rule set's rules."""

    language: Language
    kinds: Catalogue
    names: Names
    """What a condition may name: every kind, and what every rule has."""

    @property
    def report(self) -> Report:
        return self.language.report

    def condition(
        self, rule: Fields, key: Role, own: frozenset[str] = frozenset()
    ) -> Condition | None:
        """The condition under `key`; None where it is absent or wrong (which is reported)."""
        node = rule.get(key)
        if isinstance(node, Scalar):
            expression = self._checked(node, key)
            if expression is None:
                return None
            return self._built(lambda: plain_condition(expression, self.kinds, role=key, own=own))
        if isinstance(node, Fields):
            return self._composite(node, key, own)
        return None

    def _composite(self, node: Fields, role: Role, own: frozenset[str]) -> Condition | None:
        operator = "any" if "any" in node and "all" not in node else "all"
        listed = items_of(node, operator)
        parts = [self._checked(item, None) for item in _whole(listed)]
        that = self._checked(node.get("that"), "that")
        found = [part for part in parts if part is not None]
        if len(found) < len(listed) or not listed or ("that" in node and that is None):
            return None
        return self._built(
            lambda: composite(
                "any" if operator == "any" else "all",
                found,
                self.kinds,
                position=node.position,
                text=shown(node),
                join=_join(node.get("join")),
                that=that,
                within=duration_of(node, "within"),
                role=role,
                own=own,
            )
        )

    def _checked(self, node: Node | None, key: str | None) -> Expression | None:
        return self.language.expression(node, key, self.names)

    def _built(self, build: Callable[[], Condition]) -> Condition | None:
        """What is said of a place once (an unknown name) is not said again in other words."""
        try:
            return build()
        except LangError as error:
            said = self.report.places_of_errors()
            self.report.extend([p for p in error.problems if p.position not in said])
            return None

    def by(self, rule: Fields, when: Condition | None) -> tuple[Expression, ...] | None:
        """The fields of `by`; None without it."""
        if not isinstance(rule.get("by"), Items):
            return None
        found: list[Expression] = []
        for item in items_of(rule, "by"):
            expression = self.language.expression(item, None, None, condition=False)
            if expression is None:
                continue
            if not _is_field(expression.root):
                message = (
                    "'by' lists fields such as host, auth.source_ip or labels.site, "
                    f"not '{expression.text}'"
                )
                self.report.error(expression.position(), message, "by")
            elif when is not None:
                self.report.extend(self.foreign(expression, when, "by"))
                self.language.expression(item, None, self.names, condition=False)
            found.append(expression)
        return tuple(found)

    def foreign(self, expression: Expression, when: Condition, where: str) -> list[Problem]:
        """Kinds read where only those of `when` have a fact."""
        own = condition_kinds(when)
        return [
            Problem(
                expression.position(),
                f"'{name}' is no part of this rule's 'when', so there is no {name} fact to read",
                "condition",
            )
            for name in sorted(expression.names)
            if name in self.kinds and name not in own
        ]


def _whole(items: tuple[Node, ...]) -> list[Node]:
    """The items without the later pieces of one that commas broke: the first speaks for it."""
    kept: list[Node] = []
    open_ = 0
    for item in items:
        if open_ <= 0:
            kept.append(item)
            open_ = 0
        if isinstance(item, Scalar) and item.style == "plain":
            open_ += item.text.count("(") - item.text.count(")")
    return kept


def _join(node: Node | None) -> list[tuple[str, Position]] | None:
    if not isinstance(node, Items):
        return None
    return [(item.text, item.position) for item in node.items if isinstance(item, Scalar)]


def _is_field(tree: Tree) -> bool:
    """`host`, `KIND.field…`, `labels.name`, with subscripts by constant text."""
    if isinstance(tree, Name):
        return tree.name == "host"
    inside = False
    while isinstance(tree, Field | Subscript):
        if isinstance(tree, Subscript) and not isinstance(tree.index, Literal_):
            return False
        tree = tree.base
        inside = True
    return inside and isinstance(tree, Name) and tree.name not in {"vars", "time", "host"}


def shown(node: Node) -> str:
    """A condition in one line, as `because` and people read it."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Items):
        return f"[{', '.join(shown(item) for item in node.items)}]"
    return f"{{{', '.join(f'{name}: {shown(value)}' for name, value in node)}}}"
