"""Rule tests: cases of facts and expected decisions, and what no case covers.

What is not expected must not happen. The facts of a case go through the very engine that runs
live; deadlines between and after them come at their due time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from engine.core.decisions import Decision, Verdict
from engine.core.facts import Fact
from engine.core.values import Json, format_duration
from engine.lang.layers import is_shipped
from engine.lang.model import Bundle, Condition, Rule
from engine.lang.ruletests import Case, Expected, ExpectedVerdict, RuleTest, TestFact
from engine.rules.durable.matcher import build_durable
from engine.rules.engine import Engine
from engine.rules.matcher import Build

START: Final = 1_767_225_600_000_000
"""When every case begins: 2026-01-01T00:00:00Z, microseconds."""


@dataclass(frozen=True, slots=True)
class RunCheck:
    """How far a run that a case decides would come."""

    playbook: str
    problems: tuple[str, ...]
    """What is wrong with its inputs and templates: nothing, if all is well."""
    policy: str
    """What the guard would say of it."""


CheckRun = Callable[[Decision, Sequence[Fact]], RunCheck]
"""Of a `run` decision, and the facts known when it was made."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case: what was wrong, line by line; nothing, if it passed."""

    file: str
    line: int
    ruleset: str
    name: str
    failures: tuple[str, ...]
    runs: tuple[RunCheck, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A rule that no case fires, or a part of a condition that holds in none."""

    ruleset: str
    rule: str
    file: str
    line: int
    condition: str | None = None
    """None: the whole rule."""


@dataclass(frozen=True, slots=True)
class TestReport:
    """All cases of all files."""

    __test__ = False
    results: tuple[CaseResult, ...]
    uncovered: tuple[Uncovered, ...]

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)


@dataclass(slots=True)
class _Coverage:
    fired: set[str] = field(default_factory=set)
    held: set[tuple[str, str]] = field(default_factory=set)

    def note(self, decision: Decision) -> None:
        rule = f"{decision.ruleset}/{decision.rule}"
        self.fired.add(rule)
        self.held.update((rule, reason.condition) for reason in decision.because if reason.fact)


def run_tests(
    bundle: Bundle,
    tests: Iterable[RuleTest],
    *,
    check_run: CheckRun | None = None,
    matcher: Build = build_durable,
) -> TestReport:
    """Runs every case; each sees its own rule set alone, and a fresh engine."""
    results: list[CaseResult] = []
    coverage = _Coverage()
    for test in tests:
        alone = _only(bundle, test.ruleset)
        for case in test.cases:
            runs: list[RunCheck] = []
            if case.request is not None:
                failures, decisions = _ask(alone, case, matcher)
            else:
                failures, decisions = _play(alone, case, matcher)
                runs = [] if check_run is None else _runs(case, decisions, check_run, failures)
            for decision in decisions:
                coverage.note(decision)
            results.append(
                CaseResult(
                    test.file, case.position.line, test.ruleset, case.name,
                    tuple(failures), tuple(runs),
                )
            )  # fmt: skip
    return TestReport(tuple(results), tuple(_uncovered(bundle, coverage)))


def _only(bundle: Bundle, ruleset: str) -> Bundle:
    kept = tuple(one for one in bundle.rulesets if one.name == ruleset)
    return replace(bundle, rulesets=kept)


# ── facts and decisions ───────────────────────────────────────────────────────────────────────


def _play(bundle: Bundle, case: Case, matcher: Build) -> tuple[list[str], list[Decision]]:
    """A case of facts: it lasts until its last fact or the last thing expected."""
    engine = Engine(bundle, now=START, matcher=matcher)
    decisions: list[Decision] = []
    try:
        for fact in case.facts:
            decisions += engine.feed(_fact(fact))
        ends = [fact.at for fact in case.facts] + [expected.at for expected in case.expect]
        decisions += engine.tick(START + max(ends, default=0))
    finally:
        engine.close()
    return _compare(case.expect, decisions), decisions


def _runs(
    case: Case, decisions: Sequence[Decision], check_run: CheckRun, failures: list[str]
) -> list[RunCheck]:
    """Follows each run that was decided; what is wrong with one fails the case."""
    facts = [_fact(each) for each in case.facts]
    checks: list[RunCheck] = []
    for decision in decisions:
        if decision.decision == "run":
            check = check_run(decision, [fact for fact in facts if fact.at <= decision.at])
            failures += [f"{_when(decision)}: {decision.rule}: {each}" for each in check.problems]
            checks.append(check)
    return checks


def _fact(fact: TestFact) -> Fact:
    return Fact(fact.kind, START + fact.at, fact.host, dict(fact.data), fact.gone)


def _compare(expected: Sequence[Expected], decisions: Sequence[Decision]) -> list[str]:
    """What was expected and did not happen, and what happened and was not expected."""
    failures: list[str] = []
    left = list(decisions)
    for item in expected:
        for wanted, data in _wanted(item):
            found = next((d for d in left if _is(d, item, wanted, data)), None)
            if found is None:
                failures.append(_absent(item, wanted, data, left))
            else:
                left.remove(found)
    for decision in left:
        failures.append(f"{_when(decision)}: {_shown(decision)} was not expected")
    return failures


def _wanted(item: Expected) -> list[tuple[str, Json]]:
    """An item of `expect` as decisions: the type, and what its data must say (None: anything)."""
    wanted: list[tuple[str, Json]] = []
    if item.alert is not False:
        wanted.append(("alert", None if item.alert is True else item.alert))
    if item.run is not None:
        wanted.append(("run", item.run))
    if item.notify is not None:
        wanted.append(("notify", item.notify))
    if item.fact is not None:
        wanted.append(("fact", item.fact))
    if item.resolved:
        wanted.append(("resolve", None))
    if item.record:
        wanted.append(("record", None))
    return wanted


_TELLING: Final = {"alert": "text", "run": "playbook", "notify": "to", "fact": "kind"}


def _is(decision: Decision, item: Expected, wanted: str, data: Json) -> bool:
    if decision.decision != wanted or decision.rule != item.rule:
        return False
    if decision.at != START + item.at:
        return False
    if data is not None and decision.data.get(_TELLING[wanted]) != data:
        return False
    return item.key is None or all(
        _key_value(decision, name) == value for name, value in item.key.items()
    )


def _key_value(decision: Decision, name: str) -> Json:
    """A key's field by its name, or by the end of it where that is enough."""
    if name in decision.key:
        return decision.key[name]
    ends = [value for full, value in decision.key.items() if full.rpartition(".")[2] == name]
    return ends[0] if len(ends) == 1 else None


def _absent(item: Expected, wanted: str, data: Json, left: Sequence[Decision]) -> str:
    said = f"{wanted} {data}" if data is not None else wanted
    when = format_duration(item.at)
    near = [d for d in left if d.rule == item.rule and d.decision == wanted]
    place = f"line {item.position.line}: "
    if near:
        return (
            f"{place}expected {said} of {item.rule} at {when}; "
            f"it decided {', '.join(f'{_shown(d)} at {_when(d)}' for d in near[:3])}"
        )
    others = [d for d in left if d.rule == item.rule]
    does = ", ".join(f"{d.decision} at {_when(d)}" for d in others[:3]) or "nothing"
    return f"{place}expected {said} of {item.rule} at {when}; it decided {does}"


def _when(decision: Decision) -> str:
    return format_duration(decision.at - START)


def _shown(decision: Decision) -> str:
    telling = _TELLING.get(decision.decision)
    what = f" {decision.data.get(telling)}" if telling is not None else ""
    key = ", ".join(f"{name}: {value}" for name, value in decision.key.items())
    return f"{decision.decision}{what} of {decision.rule} ({key})"


# ── requests and verdicts ─────────────────────────────────────────────────────────────────────


def _ask(bundle: Bundle, case: Case, matcher: Build) -> tuple[list[str], list[Decision]]:
    """A case of a request: only what it names is compared."""
    assert case.request is not None
    engine = Engine(bundle, now=START, matcher=matcher)
    try:
        for given in case.given:
            engine.feed(_fact(given))
        verdict = engine.consult(_fact(case.request))
    finally:
        engine.close()
    failures = [] if case.verdict is None else _differences(case.verdict, verdict)
    return failures, list(verdict.decisions)


def _differences(expected: ExpectedVerdict, verdict: Verdict) -> list[str]:
    failures: list[str] = []

    def differs(what: str, wanted: object, found: object) -> None:
        failures.append(f"line {expected.position.line}: expected {what} {wanted}, found {found}")

    candidates = list(verdict.candidates)
    wanted = expected.candidates
    if wanted is not None and sorted(wanted) != sorted(candidates):
        differs("candidates", list(wanted), candidates)
    if expected.first is not None and candidates[:1] != [expected.first]:
        differs("first", expected.first, candidates[0] if candidates else "none")
    for name, reason in (expected.denied or {}).items():
        if verdict.denied.get(name) != reason:
            differs(f"{name} denied:", reason, verdict.denied.get(name, "not denied"))
    roles = [ask.role for ask in verdict.asks]
    if expected.ask is not None and expected.ask not in roles:
        differs("ask:", expected.ask, ", ".join(roles) or "no ask")
    if expected.refused is not None and expected.refused is not verdict.refused:
        differs("refused:", expected.refused, verdict.refused)
    return failures


# ── coverage ──────────────────────────────────────────────────────────────────────────────────


def _uncovered(bundle: Bundle, coverage: _Coverage) -> Iterable[Uncovered]:
    """What the content itself brings; shipped rules have tests of their own."""
    for ruleset in bundle.rulesets:
        if not ruleset.enabled or is_shipped(ruleset.file):
            continue
        for rule in ruleset.rules:
            if not rule.enabled:
                continue
            place = rule.position
            if rule.id not in coverage.fired:
                yield Uncovered(ruleset.name, rule.name, place.file, place.line)
            else:
                yield from _conditions(rule, rule.when, coverage)


def _conditions(rule: Rule, condition: Condition, coverage: _Coverage) -> Iterable[Uncovered]:
    for part in condition.parts:
        for expression in part.written:
            if not {(rule.id, expression.text), (rule.id, condition.text)} & coverage.held:
                yield Uncovered(
                    rule.ruleset, rule.name, expression.file, expression.line, expression.text
                )
