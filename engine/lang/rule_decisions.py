"""The `then` of a rule: what it decides, from nodes to the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from engine.core.facts import FactKind
from engine.lang.expression.nodes import Expression, Template
from engine.lang.expression.suggest import did_you_mean
from engine.lang.expression.types import Names
from engine.lang.model import Condition, DecisionSpec, Selector
from engine.lang.reading import (
    Report,
    choice_of,
    constant,
    duration_of,
    fields_of,
    flag_of,
    integer_of,
    labels_of,
    mappings_of,
    optional_text,
    text_of,
)
from engine.lang.rule_conditions import ConditionReader
from engine.lang.schema import check_node
from engine.lang.yaml import Fields, Node, Scalar, shorten

Type = Literal["alert", "run", "notify", "fact", "require", "prefer", "deny", "ask"]
TYPES: tuple[Type, ...] = (
    "alert", "run", "notify", "fact", "require", "prefer", "deny", "ask",
)  # fmt: skip
VERDICTS = frozenset({"require", "prefer", "deny", "ask"})
_BELONGS = {
    "severity": frozenset({"alert"}),
    "tell": frozenset({"alert"}),
    "with": frozenset({"run"}),
    "reason": VERDICTS,
}
_TELL: tuple[Literal["always", "on_failure", "never"], ...] = ("always", "on_failure", "never")
SEVERITIES: tuple[Literal["info", "warning", "critical"], ...] = ("info", "warning", "critical")
_TIMEOUT: tuple[Literal["deny", "allow"], ...] = ("deny", "allow")


@dataclass(slots=True)
class RunUse:
    """A `run` decision, to be held against its playbook once all are read."""

    item: Fields
    playbook: Scalar
    given: Fields | None
    names: Names


@dataclass(slots=True)
class DecisionReader:
    """Reads the decisions of one rule; `runs` gathers those that start playbooks."""

    conditions: ConditionReader
    when: Condition | None
    mode: Literal["state", "event", "request"] | None
    runs: list[RunUse] = field(default_factory=list)

    @property
    def _report(self) -> Report:
        return self.conditions.report

    def read_all(self, rule: Fields) -> tuple[DecisionSpec, ...]:
        found = (self._read(item) for item in mappings_of(rule, "then"))
        return tuple(spec for spec in found if spec is not None)

    def _read(self, item: Fields) -> DecisionSpec | None:
        kind = next((name for name in TYPES if name in item), None)
        if kind is None:
            return None
        self._misplaced(item, kind)
        ask = fields_of(item, "ask")
        spec: dict[str, Any] = {
            "type": kind,
            "position": item.position,
            "condition": self._expression(item.get("if"), "if"),
            "severity": choice_of(item, "severity", SEVERITIES),
            "tell": choice_of(item, "tell", _TELL) or "always",
            "reason": self._template(item.get("reason")),
        }
        spec.update(self._particulars(item, kind, ask))
        return DecisionSpec(**spec)

    def _particulars(self, item: Fields, kind: Type, ask: Fields | None) -> dict[str, Any]:
        if kind == "alert":
            return {"text": self._template(item.get("alert"))}
        if kind == "run":
            return self._run(item)
        if kind == "notify":
            notify = fields_of(item, "notify")
            if notify is None:
                return {}
            to, text = notify.get("to"), notify.get("text")
            return {"to": self._template(to), "text": self._template(text)}
        if kind == "fact":
            return self._fact(fields_of(item, "fact"))
        if kind != "ask":
            return {"selector": self._selector(item.get(kind))}
        if ask is None:
            return {}
        return {
            "role": text_of(ask, "role"),
            "count": integer_of(ask, "count") or 1,
            "not_requester": flag_of(ask, "not_requester", False),
            "timeout": duration_of(ask, "timeout"),
            "on_timeout": choice_of(ask, "on_timeout", _TIMEOUT) or "deny",
        }

    def _misplaced(self, item: Fields, kind: Type) -> None:
        for name, owners in _BELONGS.items():
            key = item.key(name)
            if key is not None and kind not in owners:
                message = f"'{name}' does not go with '{kind}'"
                self._report.error(key.position, message, "conflict")
        key = item.key(kind)
        if kind in VERDICTS and self.mode not in {"request", None} and key is not None:
            message = f"'{kind}' answers a request; this rule is over a{_n(self.mode)} {self.mode}"
            self._report.error(key.position, message, "conflict")

    def _run(self, item: Fields) -> dict[str, Any]:
        playbook, given = item.get("run"), fields_of(item, "with")
        if isinstance(playbook, Scalar) and isinstance(playbook.value, str):
            self.runs.append(RunUse(item, playbook, given, self.conditions.names))
        names = self.conditions.names
        values = self.conditions.language.values(given, names)
        self._foreign_in(values)
        return {"playbook": optional_text(item, "run"), "inputs": values}

    def _fact(self, fact: Fields | None) -> dict[str, Any]:
        if fact is None:
            return {}
        names = self.conditions.names
        data = self.conditions.language.values(fields_of(fact, "data"), names)
        self._foreign_in(data)
        name, node = text_of(fact, "kind"), fact.get("kind")
        kind = self.conditions.kinds.get(name)
        if kind is not None:
            self._fits(fact, kind)
        elif node is not None and name:
            hint = did_you_mean(name, self.conditions.kinds)
            message = f"there is no fact kind '{shorten(name)}'{hint}"
            self._report.error(node.position, message, "unknown-kind")
        return {"kind": name, "host": self._template(fact.get("host")), "data": data}

    def _fits(self, fact: Fields, kind: FactKind) -> None:
        place = fact.get("kind")
        if kind.mode == "request" and place is not None:
            message = f"'{kind.name}' is a request: it is asked, not posted"
            self._report.error(place.position, message, "conflict")
        host = fact.key("host")
        if kind.is_global and host is not None:
            self._report.error(host.position, f"{kind.name} facts have no host", "conflict")
        properties = kind.schema.get("properties", {})
        data = fields_of(fact, "data")
        for key, value in data.entries if data is not None else ():
            if key.text in properties:
                if constant(value):
                    self._report.extend(check_node(value, properties[key.text], key.text))
            elif not kind.open:
                hint = did_you_mean(key.text, kind.fields)
                message = f"{kind.name} has no field '{shorten(key.text)}'{hint}"
                self._report.error(key.position, message, "unknown-field")

    def _selector(self, node: Node | None) -> Selector | None:
        if isinstance(node, Fields):
            return Selector(
                id=optional_text(node, "id"),
                provider=optional_text(node, "provider"),
                tier=optional_text(node, "tier"),
                capability=optional_text(node, "capability"),
                labels=labels_of(node, "labels"),
            )
        if isinstance(node, Scalar) and node.value == "candidate":
            if self.when is not None and len(self.when.parts) < 2:
                message = "'candidate' is the joined model, and this rule joins none"
                self._report.error(node.position, message, "conflict")
            return Selector(candidate=True)
        return Selector(everything=True) if isinstance(node, Scalar) else None

    def _expression(self, node: Node | None, key: str) -> Expression | None:
        found = self.conditions.language.expression(node, key, self.conditions.names)
        if found is not None:
            self._foreign(found)
        return found

    def _template(self, node: Node | None) -> Template | None:
        names: Names = self.conditions.names
        found = self.conditions.language.template(node, names)
        if found is not None:
            self._foreign_in(found)
        return found

    def _foreign_in(self, value: Any) -> None:
        for expression in _expressions(value):
            self._foreign(expression)

    def _foreign(self, expression: Expression) -> None:
        if self.when is not None:
            self._report.extend(self.conditions.foreign(expression, self.when, "then"))


def _expressions(value: Any) -> list[Expression]:
    if isinstance(value, Template):
        return [part for part in value.parts if isinstance(part, Expression)]
    if isinstance(value, dict):
        return [found for item in value.values() for found in _expressions(item)]
    if isinstance(value, list):
        return [found for item in value for found in _expressions(item)]
    return []


def _n(word: str | None) -> str:
    return "n" if word == "event" else ""
