"""One firing told whole: why, by which lines of YAML, over which values, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from engine.core.facts import Fact
from engine.core.values import HOUR, MINUTE, SECOND, Json, format_duration, format_instant
from engine.lang.model import Bundle, Rule
from engine.store.decisions import StoredDecision
from webui.system import System

_MOST_LINES: Final = 80
_MOST_POINTS: Final = 500


def story_of(system: System, stored: Sequence[StoredDecision]) -> dict[str, Json]:
    """All decisions of one firing, in the order they were made."""
    first, bundle = stored[0], system.bundle()
    decision = first.decision
    rule = _rule_of(bundle, decision.ruleset, decision.rule)
    because = next((each.decision.because for each in stored if each.decision.because), ())
    alert = system.store.alerts.get(decision.firing)
    runs = system.store.runs.runs_of_firing(decision.firing)
    steps = system.store.runs.steps_of_runs([run.id for run in runs])
    return {
        "firing": decision.firing,
        "ruleset": decision.ruleset,
        "rule": decision.rule,
        "key": dict(decision.key),
        "at": format_instant(decision.at),
        "commit": first.commit,
        "decisions": [each.to_json() for each in stored],
        "because": [reason.to_json() for reason in because],
        "source": _source(bundle, rule) if first.commit == bundle.commit else None,
        "timing": None if rule is None else _timing(rule),
        "alert": None if alert is None else {**alert.to_json(), "runs": [run.id for run in runs]},
        "runs": [run.to_json(steps.get(run.id, ())) for run in runs],
        "resolved": _resolved(stored),
        "series": _series(system, stored, rule),
    }


def _rule_of(bundle: Bundle, ruleset: str, name: str) -> Rule | None:
    wanted = f"{ruleset}/{name}"
    return next((rule for rule in bundle.rules if rule.id == wanted), None)


def _resolved(stored: Sequence[StoredDecision]) -> Json:
    for each in stored:
        if each.decision.decision == "resolve":
            reason = each.decision.data.get("reason")
            return {"at": format_instant(each.decision.at), "reason": reason}
    return None


def _timing(rule: Rule) -> dict[str, Json]:
    spans = {
        "for": rule.for_,
        "within": rule.within,
        "absent": rule.absent,
        "throttle": rule.throttle,
    }
    timing: dict[str, Json] = {
        name: format_duration(span) for name, span in spans.items() if span is not None
    }
    if rule.count is not None:
        timing["count"] = rule.count
    if rule.until is not None:
        timing["until"] = rule.until.text
    if rule.unless is not None:
        timing["unless"] = rule.unless.text
    return timing


def _source(bundle: Bundle, rule: Rule | None) -> Json:
    """The rule's lines, from its own to before the next rule's; None where they are not there."""
    if rule is None:
        return None
    text = bundle.sources.get(rule.position.file)
    if text is None:
        return None
    lines = text.splitlines()
    later = [
        other.position.line
        for other in bundle.rules
        if other.position.file == rule.position.file and other.position.line > rule.position.line
    ]
    start = rule.position.line - 1
    end = min([line - 1 for line in later] + [len(lines), start + _MOST_LINES])
    shown: list[Any] = lines[start:end]
    while shown and not shown[-1].strip():
        shown.pop()
    return {"file": rule.position.file, "line": rule.position.line, "lines": shown}


def _series(system: System, stored: Sequence[StoredDecision], rule: Rule | None) -> Json:
    """The number that the first condition compares, an hour around the firing."""
    for reason in stored[0].decision.because:
        if reason.fact is None:
            continue
        found = _compared(reason.condition, reason.fact, rule)
        if found is not None:
            field, limit = found
            points = _points(system, reason.fact, field, stored[0].decision.at)
            return {"field": f"{reason.fact.kind}.{field}", "points": points, "limit": limit}
    return None


def _compared(condition: str, fact: Fact, rule: Rule | None) -> tuple[str, float | None] | None:
    pattern = re.compile(
        rf"\b{re.escape(fact.kind)}\.(\w+)\s*(?:>=|<=|>|<|==)\s*(?:(-?\d+(?:\.\d+)?)|vars\.(\w+))?"
    )
    for found in pattern.finditer(condition):
        value = fact.data.get(found[1])
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        if found[2] is not None:
            return found[1], float(found[2])
        limit = rule.vars.get(found[3]) if rule is not None and found[3] else None
        return found[1], float(limit) if isinstance(limit, int | float) else None
    return None


def _points(system: System, fact: Fact, field: str, at: int) -> list[Json]:
    kind = system.bundle().kinds.get(fact.kind)
    key = {name: fact.data.get(name) for name in (kind.key if kind is not None else ())}
    page = system.store.journal.read(
        kind=fact.kind,
        host=fact.host,
        since=at - HOUR,
        until=at + 30 * MINUTE,
        limit=1000,
    )
    points: list[Json] = [
        [each.at / SECOND, each.data[field]]
        for each in reversed(page.items)
        if all(each.data.get(name) == value for name, value in key.items())
        and isinstance(each.data.get(field), int | float)
    ]
    step = -(-len(points) // _MOST_POINTS) or 1
    return points[::-1][::step][::-1]
