"""The content in force: where it is, its rule sets, and putting requests to them."""

from __future__ import annotations

from typing import Any

from engine.core.decisions import Ask
from engine.core.facts import Fact
from engine.core.values import Json, format_duration
from engine.lang.model import Rule, RuleSet
from webui.api.problems import ApiProblem
from webui.api.routing import Answer, Call, Route


def show(call: Call) -> Answer:
    """The commit in force, and the problems that refuse a newer one."""
    return Answer(call.system.content().to_json())


def rulesets(call: Call) -> Answer:
    """Rule sets in the order of their files."""
    items: list[Json] = [_ruleset(each) for each in call.system.bundle().rulesets]
    return Answer({"items": items, "next": None})


def consult(call: Call) -> Answer:
    """Puts a request to the rules; the body is the request's data. The verdict is recorded."""
    name = call.path["kind"]
    kind = call.system.bundle().kinds.get(name)
    if kind is None or kind.mode != "request":
        raise ApiProblem(404, "not-found", f"there is no request kind {name[:80]}")
    verdict = call.system.consult(Fact(name, 0, None, call.body))
    denied: dict[str, Any] = dict(verdict.denied)
    return Answer(
        {
            "candidates": list(verdict.candidates),
            "refused": verdict.refused,
            "denied": denied,
            "reasons": list(verdict.reasons),
            "asks": [_ask(ask) for ask in verdict.asks],
            "decisions": [decision.to_json() for decision in verdict.decisions],
        }
    )


def _ask(ask: Ask) -> dict[str, Json]:
    return {
        "role": ask.role,
        "reason": ask.reason,
        "count": ask.count,
        "not_requester": ask.not_requester,
        "timeout": None if ask.timeout is None else format_duration(ask.timeout),
        "on_timeout": ask.on_timeout,
    }


def _ruleset(ruleset: RuleSet) -> dict[str, Json]:
    return {
        "name": ruleset.name,
        "file": ruleset.file,
        "description": ruleset.description,
        "enabled": ruleset.enabled,
        "rules": [_rule(rule) for rule in ruleset.rules],
    }


def _rule(rule: Rule) -> dict[str, Json]:
    return {
        "name": rule.name,
        "description": rule.description,
        "severity": rule.severity,
        "mode": rule.mode,
        "enabled": rule.enabled,
        "file": rule.position.file,
        "line": rule.position.line,
        "kind_mode": rule.kind_mode,
        "runbook": rule.runbook,
        "labels": dict(rule.labels),
    }


ROUTES = (
    Route("GET", "/content", show, "The content in force"),
    Route("GET", "/rulesets", rulesets, "Rule sets", gives="list"),
    Route(
        "POST",
        "/consult/{kind}",
        consult,
        "Put a request to the rules",
        role="operator",
        body={"type": "object"},
    ),
)
