"""From a firing to its decisions: conditions, texts and inputs of `then`, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.core.decisions import Because, Decision
from engine.core.facts import Fact
from engine.core.values import Json
from engine.lang.expression import evaluate
from engine.lang.expression.templates import MissingValue, render_text, render_value
from engine.lang.model import DecisionSpec, Rule, Selector
from engine.rules.correlation.core import Core
from engine.rules.correlation.joins import Given
from engine.rules.correlation.keys import as_text, plain
from engine.rules.correlation.plan import ConditionPlan

WITHDRAWN: Final = "withdrawn"


def because(plan: ConditionPlan, given: Given) -> tuple[Because, ...]:
    """One entry for each part that held, with its line and its fact, and one for `that`."""
    source, that = plan.source, plan.source.that
    if given and that is not None and len(source.parts) == 1 and source.is_plain:
        place = source.position  # what reads the clock was put aside; shown is what was written
        return (Because(source.text, place.file, place.line, given[0][1].fact),)
    reasons: list[Because] = []
    for slot, record in given:
        for part, bit in zip(slot.parts, slot.part_bits, strict=True):
            if plan.every or record.mask & bit:
                reasons.extend(
                    Because(expression.text, expression.file, expression.line, record.fact)
                    for expression in part.written
                )
    if reasons and that is not None:
        named = [(slot.name, record) for slot, record in given if slot.name in that.names]
        first = min(named, key=lambda each: that.text.find(each[0]), default=("", given[0][1]))
        reasons.append(Because(that.text, that.file, that.line, first[1].fact))
    return tuple(reasons)


def without_fact(plan: ConditionPlan) -> tuple[Because, ...]:
    """The entries of a condition that nothing has matched."""
    return tuple(
        Because(expression.text, expression.file, expression.line, None)
        for slot in plan.slots
        for part in slot.parts
        for expression in part.written
    )


class Speaker:
    """Says what one rule decides."""

    def __init__(self, rule: Rule, core: Core) -> None:
        self.rule = rule
        self._core = core

    def fire(
        self,
        firing: str,
        key: Mapping[str, Json],
        at: int,
        scope: dict[str, Any],
        reasons: tuple[Because, ...],
        host: str | None,
    ) -> str | None:
        """Decides all of `then`; gives the severity of the gravest alert raised, if any."""
        rule, core = self.rule, self._core
        scope["firing"] = firing
        if not rule.then:
            core.out.append(self._decision(at, "record", key, {}, firing, reasons))
            return None
        raised: str | None = None
        for place, spec in enumerate(rule.then):
            if spec.condition is not None and evaluate(spec.condition, scope) is not True:
                continue
            data = decided(spec, rule, scope, host, core)
            if data is None:
                core.counters["decisions_without_value"] += 1
                continue
            core.out.append(self._decision(at, spec.type, key, data, firing, reasons, place))
            if spec.type == "alert":
                raised = data["severity"] if raised is None else _graver(raised, data["severity"])
            elif spec.type == "fact":
                core.feed_back(Fact(data["kind"], at, data["host"], data["data"]), rule.id)
        if raised is not None:
            core.feed_back(_alert(rule.ruleset, rule.name, key, at, raised), rule.id)
        return raised

    def resolve(
        self,
        firing: str,
        key: Mapping[str, Json],
        at: int,
        reasons: tuple[Because, ...] = (),
        reason: str | None = None,
        *,
        alerted: bool = True,
    ) -> None:
        """Decides that an open firing has ended; the fact of its alert goes with it."""
        data = {} if reason is None else {"reason": reason}
        self._core.out.append(self._decision(at, "resolve", key, data, firing, reasons))
        if alerted:
            fact = _alert(self.rule.ruleset, self.rule.name, key, at, None)
            self._core.feed_back(fact, self.rule.id)

    def _decision(
        self,
        at: int,
        kind: Any,
        key: Mapping[str, Json],
        data: Mapping[str, Any],
        firing: str,
        reasons: tuple[Because, ...],
        place: int = -1,
    ) -> Decision:
        rule = self.rule
        return Decision(
            at, rule.ruleset, rule.name, kind, key, data, firing, reasons, place,
            rule.labels, rule.mode,
        )  # fmt: skip


def withdrawn(
    rule: str, key: Mapping[str, Json], firing: str, alerted: bool, at: int, core: Core
) -> None:
    """Decides that a firing has ended because its rule `ruleset/rule` is no more."""
    ruleset, _, name = rule.partition("/")
    data = {"reason": WITHDRAWN}
    core.out.append(Decision(at, ruleset, name, "resolve", key, data, firing))
    if alerted:
        core.feed_back(_alert(ruleset, name, key, at, None), rule)


def _alert(ruleset: str, rule: str, key: Mapping[str, Json], at: int, severity: str | None) -> Fact:
    """The `alert` fact of a firing: open with a severity, gone without."""
    host = key.get("host")
    values = [plain(value) for name, value in key.items() if name != "host"]
    subject = as_text(tuple(values)) if values else ""
    data: dict[str, Json] = {"ruleset": ruleset, "rule": rule, "subject": subject}
    if severity is not None:
        data |= {"severity": severity, "status": "open", "since_seconds": 0}
    return Fact("alert", at, host if isinstance(host, str) else None, data, severity is None)


def decided(
    spec: DecisionSpec, rule: Rule, scope: Mapping[str, Any], host: str | None, core: Core
) -> dict[str, Any] | None:
    """A decision's data; None where it names something that has no value."""
    match spec.type:
        case "alert":
            text = render_text(spec.text, scope) if spec.text is not None else ""
            severity = spec.severity or rule.severity
            return {"text": text, "severity": severity, "tell": spec.tell}
        case "run":
            return {"playbook": spec.playbook, "with": inputs(spec.inputs, scope)}
        case "notify":
            to = render_text(spec.to, scope) if spec.to is not None else ""
            return {"to": to, "text": render_text(spec.text, scope) if spec.text else ""}
        case "fact":
            return _fact(spec, scope, host, core)
        case _:
            return _ruling(spec, scope)


def inputs(given: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    """Rendered values; one that has no value is left out, for its receiver to miss."""
    rendered: dict[str, Any] = {}
    for name, value in given.items():
        try:
            rendered[name] = render_value(value, scope)
        except MissingValue:
            continue
    return rendered


def _fact(
    spec: DecisionSpec, scope: Mapping[str, Any], host: str | None, core: Core
) -> dict[str, Any] | None:
    kind = core.kinds.get(spec.kind or "")
    if spec.host is not None:
        try:
            host = render_value(spec.host, scope)
        except MissingValue:
            return None
        if not isinstance(host, str):
            return None
    if kind is not None and kind.is_global:
        host = None
    return {"kind": spec.kind, "host": host, "data": inputs(spec.data, scope)}


def _ruling(spec: DecisionSpec, scope: Mapping[str, Any]) -> dict[str, Any]:
    reason = render_text(spec.reason, scope) if spec.reason is not None else ""
    data: dict[str, Any] = {"selector": selector(spec.selector), "reason": reason}
    if spec.type == "ask":
        data |= {
            "role": spec.role,
            "count": spec.count,
            "not_requester": spec.not_requester,
            "timeout": spec.timeout,
            "on_timeout": spec.on_timeout,
        }
    return data


def selector(chosen: Selector | None) -> Json:
    """A selector as written."""
    if chosen is None or chosen.everything:
        return True
    if chosen.candidate:
        return "candidate"
    fields = ("id", "provider", "tier", "capability")
    shown: dict[str, Json] = {
        name: value for name in fields if (value := getattr(chosen, name)) is not None
    }
    if chosen.labels:
        shown["labels"] = dict(chosen.labels)
    return shown


def _graver(one: str, other: str) -> str:
    order = ("info", "warning", "critical")
    return max(one, other, key=order.index)
