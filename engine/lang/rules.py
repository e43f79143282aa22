"""One rule: from its node to `model.Rule`, and what its keys have to do with each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from engine.core.values import Json, format_duration
from engine.lang.conditions import (
    condition_kinds,
    expressions_of,
    has_event_part,
    kind_mode,
)
from engine.lang.expression.nodes import Call, Expression, Field, Name
from engine.lang.expression.unparse import unparse
from engine.lang.expression.walk import walk
from engine.lang.model import Condition, Rule
from engine.lang.reading import (
    MODES,
    choice_of,
    duration_of,
    flag_of,
    integer_of,
    labels_of,
    text_of,
)
from engine.lang.rule_conditions import ConditionReader
from engine.lang.rule_decisions import SEVERITIES, DecisionReader, RunUse
from engine.lang.yaml import Fields

KindMode = Literal["state", "event", "request"]
_ANSWERED = "a request is answered at once and changes nothing that is remembered"
_STATELESS = ("for", "until", "count", "within", "absent", "throttle", "by")
_NOT_FOR: Mapping[KindMode, Mapping[str, str]] = {
    "state": {},
    "event": {
        "for": "an event happens once and cannot last",
        "until": "an event happens once and does not resolve",
    },
    "request": dict.fromkeys(_STATELESS, _ANSWERED),
}
_GUARDS = frozenset({"defined", "default", "get"})


@dataclass(slots=True)
class RuleReader:
    """Reads the rules of one rule set. `runs` gathers what starts playbooks."""

    ruleset: str
    conditions: ConditionReader
    vars: Mapping[str, Json]
    runs: list[RunUse]
    enabled: bool = True

    def read(self, node: Fields) -> Rule | None:
        """The rule; None where its condition cannot be read. Problems are reported."""
        when = self.conditions.condition(node, "when")
        own = frozenset[str]() if when is None else condition_kinds(when)
        until = self.conditions.condition(node, "until", own)
        unless = self.conditions.condition(node, "unless", own)
        by = self.conditions.by(node, when)
        mode = None if when is None else kind_mode(when, self.conditions.kinds)
        decisions = DecisionReader(self.conditions, when, mode)
        then = decisions.read_all(node)
        self.runs.extend(decisions.runs)
        if when is None or mode is None:
            return None
        self._keys(node, when, mode)
        rule = Rule(
            name=text_of(node, "name"),
            ruleset=self.ruleset,
            position=node.position,
            when=when,
            then=then,
            kind_mode=mode,
            description=text_of(node, "description"),
            runbook=text_of(node, "runbook"),
            enabled=self.enabled and flag_of(node, "enabled", True),
            by=by,
            for_=duration_of(node, "for"),
            until=until,
            unless=unless,
            count=integer_of(node, "count"),
            within=duration_of(node, "within"),
            absent=duration_of(node, "absent"),
            throttle=duration_of(node, "throttle"),
            severity=choice_of(node, "severity", SEVERITIES) or "warning",
            labels=labels_of(node, "labels"),
            mode=choice_of(node, "mode", MODES),
            vars=self.vars,
        )
        self._warn(node, rule)
        return _fingerprinted(rule)

    def _keys(self, node: Fields, when: Condition, mode: KindMode) -> None:
        report = self.conditions.report
        for key, why in _NOT_FOR[mode].items():
            found = node.key(key)
            if found is not None:
                report.error(found.position, f"'{key}' does not go with {_shown(mode)} rule: {why}",
                             "conflict")  # fmt: skip
        if mode == "request":
            self._joined_to_request(when)
            return
        count, within, absent = node.key("count"), node.key("within"), node.key("absent")
        if count is not None and within is None:
            message = "'count' needs 'within': how many in how long, as in within: 10m"
            report.error(count.position, message, "missing-key")
        joins_events = len(when.parts) > 1 and has_event_part(when, self.conditions.kinds)
        if within is not None and count is None and not joins_events:
            message = "'within' needs 'count', or a condition that joins an event to other facts"
            report.error(within.position, message, "missing-key")
        for other in ("count", "for", "until"):
            found = node.key(other)
            if absent is not None and found is not None and other not in _NOT_FOR[mode]:
                message = f"'{other}' cannot stand beside 'absent'"
                report.error(found.position, message, "conflict")

    def _joined_to_request(self, when: Condition) -> None:
        """A request is judged against states: nothing else is there when it is asked."""
        requests = 0
        for part in when.parts:
            mode = self.conditions.kinds[part.kind].mode
            requests += mode == "request"
            if mode == "event" or requests > 1:
                message = f"a request is judged against states; '{part.kind}' is {_shown(mode)}"
                self.conditions.report.error(part.condition.position(), message, "conflict")

    def _warn(self, node: Fields, rule: Rule) -> None:
        report, kinds = self.conditions.report, self.conditions.kinds
        held = node.get("for")
        stale = [
            (kinds[part.kind].stale_after, part.kind)
            for part in rule.when.parts
            if kinds[part.kind].mode == "state"
        ]
        for limit, kind in stale:
            if rule.for_ is not None and limit is not None and rule.for_ > limit and held:
                message = (
                    f"'for' ({format_duration(rule.for_)}) outlasts the time after which {kind} "
                    f"facts are stale ({format_duration(limit)}): facts must come more often"
                )
                report.warn(held.position, message, "stale")
        if any(spec.type in {"deny", "require"} for spec in rule.then):
            self._optional(rule)

    def _optional(self, rule: Rule) -> None:
        """Where a field that may be missing decides a deny or a require, say so."""
        verdict = next(spec.type for spec in rule.then if spec.type in {"deny", "require"})
        expressions = [
            *expressions_of(rule.when),
            *(spec.condition for spec in rule.then if spec.condition is not None),
        ]
        guarded = {read for each in expressions for read in _guarded(each)}
        for expression in expressions:
            for node, kind, name in _reads(expression):
                known = self.conditions.kinds.get(kind)
                declared = known.fields.get(name) if known is not None else None
                if declared is None or declared.required or declared.default is not None:
                    continue
                if (kind, name) not in guarded:
                    message = (
                        f"{kind}.{name} may be missing, and then this does not {verdict}; "
                        f"say what should be with defined({kind}.{name}) or default(…)"
                    )
                    place = expression.position(node.column)
                    self.conditions.report.warn(place, message, "optional")


def _shown(mode: KindMode) -> str:
    return f"an {mode}" if mode == "event" else f"a {mode}"


def _reads(expression: Expression) -> Iterator[tuple[Field, str, str]]:
    for node in walk(expression.root):
        if isinstance(node, Field) and isinstance(node.base, Name):
            yield node, node.base.name, node.name


def _guarded(expression: Expression) -> Iterator[tuple[str, str]]:
    for node in walk(expression.root):
        if isinstance(node, Call) and node.function in _GUARDS:
            for argument in node.arguments:
                if isinstance(argument, Field) and isinstance(argument.base, Name):
                    yield argument.base.name, argument.name


def _fingerprinted(rule: Rule) -> Rule:
    """With the hash of what decides whether its state goes on after a reload."""
    conditions = [rule.when, rule.until, rule.unless]
    body: dict[str, Any] = {
        "conditions": [None if each is None else _essence(each) for each in conditions],
        "by": None if rule.by is None else [unparse(each.root) for each in rule.by],
        "timing": [rule.for_, rule.count, rule.within, rule.absent, rule.throttle],
        "vars": _variables(rule, [each for each in conditions if each is not None]),
    }
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    return replace(rule, fingerprint=hashlib.sha256(text.encode()).hexdigest()[:16])


def _essence(condition: Condition) -> list[Any]:
    return [
        condition.operator,
        [[part.name, part.kind, unparse(part.condition.root)] for part in condition.parts],
        None if condition.join is None else list(condition.join),
        None if condition.that is None else unparse(condition.that.root),
        condition.within,
    ]


def _variables(rule: Rule, conditions: list[Condition]) -> dict[str, Json]:
    """The variables that the conditions read; all, where one reads them as a whole."""
    expressions = [one for each in conditions for one in expressions_of(each)]
    if not any("vars" in one.names for one in expressions):
        return {}
    read = {name for one in expressions for _, base, name in _reads(one) if base == "vars"}
    return {name: value for name, value in rule.vars.items() if not read or name in read}
