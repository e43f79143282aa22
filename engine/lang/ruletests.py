"""policies/tests/*.yaml: what rules are expected to decide, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.core.errors import Position
from engine.core.facts import Catalogue
from engine.core.values import Json
from engine.lang.expression.suggest import did_you_mean
from engine.lang.model import RuleSet
from engine.lang.reading import (
    Report,
    duration_of,
    fields_of,
    flag_of,
    mappings_of,
    optional_text,
    text_of,
    texts_of,
)
from engine.lang.schema import check_shape
from engine.lang.yaml import Fields, Items, Node, Scalar, shorten, to_json

_BESIDE = frozenset({"at", "host", "gone"})
_WHERE = frozenset({"at", "rule", "key"})


@dataclass(frozen=True, slots=True)
class TestFact:
    """A fact of a case: `at` in microseconds after the case's start."""

    __test__ = False
    kind: str
    at: int
    host: str | None
    data: Mapping[str, Json]
    gone: bool
    position: Position


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of one rule at one instant; None or False: nothing of that sort."""

    at: int
    rule: str
    position: Position
    alert: bool | str = False
    """True, or the alert's exact text."""
    run: str | None = None
    notify: str | None = None
    fact: str | None = None
    resolved: bool = False
    record: bool = False
    key: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class ExpectedVerdict:
    """What is expected of a request; only what is not None is compared."""

    position: Position
    candidates: tuple[str, ...] | None = None
    first: str | None = None
    denied: Mapping[str, str] | None = None
    ask: str | None = None
    refused: bool | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One case: facts over time and decisions, or a request and its verdict."""

    name: str
    position: Position
    facts: tuple[TestFact, ...] = ()
    expect: tuple[Expected, ...] = ()
    request: TestFact | None = None
    given: tuple[TestFact, ...] = ()
    verdict: ExpectedVerdict | None = None


@dataclass(frozen=True, slots=True)
class RuleTest:
    """The cases of one file."""

    file: str
    ruleset: str
    position: Position
    cases: tuple[Case, ...] = field(default=())


def read_ruletest(node: Node, kinds: Catalogue, report: Report) -> RuleTest | None:
    """The cases of a file's tree; None where it is none. Problems are reported."""
    report.extend(check_shape(node, "ruletest"))
    if not isinstance(node, Fields):
        return None
    cases = tuple(_Reader(kinds, report).case(each) for each in mappings_of(node, "cases"))
    named = node.get("ruleset") or node
    return RuleTest(node.source.file, text_of(node, "ruleset"), named.position, cases)


def check_names(test: RuleTest, rulesets: Mapping[str, RuleSet], report: Report) -> None:
    """The rule set, and each rule that a case expects something of, exist."""
    ruleset = rulesets.get(test.ruleset)
    if ruleset is None:
        hint = did_you_mean(test.ruleset, rulesets)
        message = f"there is no rule set '{shorten(test.ruleset)}'{hint}"
        report.error(test.position, message, "unknown-ruleset")
        return
    names = {rule.name for rule in ruleset.rules}
    for case in test.cases:
        for expected in case.expect:
            if expected.rule not in names:
                hint = did_you_mean(expected.rule, names)
                message = f"rule set '{test.ruleset}' has no rule '{shorten(expected.rule)}'{hint}"
                report.error(expected.position, message, "unknown-rule")


@dataclass(frozen=True, slots=True)
class _Reader:
    kinds: Catalogue
    report: Report

    def case(self, node: Fields) -> Case:
        expect = node.get("expect")
        request = fields_of(node, "request")
        self._paired(node, expect)
        facts = (self._fact(each) for each in mappings_of(node, "facts"))
        given = (self._fact(each) for each in mappings_of(node, "given"))
        return Case(
            name=text_of(node, "name"),
            position=node.position,
            facts=tuple(fact for fact in facts if fact is not None),
            expect=tuple(_expected(each) for each in mappings_of(node, "expect")),
            request=None if request is None else self._fact(request, asked=True),
            given=tuple(fact for fact in given if fact is not None),
            verdict=_verdict(expect) if isinstance(expect, Fields) else None,
        )

    def _paired(self, node: Fields, expect: Node | None) -> None:
        if expect is None:
            return
        for item in mappings_of(node, "expect"):
            if {key.text for key, _ in item.entries} <= _WHERE:
                message = "this expects nothing; add alert, run, notify, fact, resolved or record"
                self.report.error(item.position, message, "nothing-expected")
        if "request" in node and isinstance(expect, Items):
            message = "of a request a mapping is expected, such as {candidates: [a, b]}"
            self.report.error(expect.position, message, "type")
        if "facts" in node and isinstance(expect, Fields):
            message = "of facts a list is expected, such as [{at: 5m, rule: NAME, alert: true}]"
            self.report.error(expect.position, message, "type")
        given = node.key("given")
        if given is not None and "facts" in node:
            self.report.error(given.position, "'given' goes with 'request'", "conflict")

    def _fact(self, node: Fields, *, asked: bool = False) -> TestFact | None:
        named = [(key, value) for key, value in node.entries if key.text not in _BESIDE]
        if len(named) != 1:
            message = "exactly one fact kind is wanted here, as in {at: 0s, disk: {mount: /}}"
            self.report.error(node.position, message, "kind")
            return None
        (key, value), kind = named[0], self.kinds.get(named[0][0].text)
        if kind is None:
            hint = did_you_mean(key.text, self.kinds)
            message = f"there is no fact kind '{shorten(key.text)}'{hint}"
            self.report.error(key.position, message, "unknown-kind")
            return None
        if (kind.mode == "request") is not asked:
            message = f"{kind.name} is a request: write it under 'request'"
            if asked:
                message = f"{kind.name} is no request, so nobody can ask it"
            self.report.error(key.position, message, "mode")
            return None
        for field_key, _ in value.entries if isinstance(value, Fields) else ():
            if not kind.open and field_key.text not in kind.fields:
                hint = did_you_mean(field_key.text, kind.fields)
                message = f"{kind.name} has no field '{shorten(field_key.text)}'{hint}"
                self.report.warn(field_key.position, message, "unknown-field")
        return TestFact(
            kind=kind.name,
            at=duration_of(node, "at") or 0,
            host=None if kind.is_global else (optional_text(node, "host") or "test"),
            data=dict(to_json(value)) if isinstance(value, Fields) else {},
            gone=flag_of(node, "gone", False),
            position=node.position,
        )


def _expected(node: Fields) -> Expected:
    alert: Any = to_json(found) if isinstance(found := node.get("alert"), Scalar) else False
    key = fields_of(node, "key")
    rule = node.get("rule") or node
    return Expected(
        at=duration_of(node, "at") or 0,
        rule=text_of(node, "rule"),
        position=rule.position,
        alert=alert if isinstance(alert, (bool, str)) else False,
        run=optional_text(node, "run"),
        notify=optional_text(node, "notify"),
        fact=optional_text(node, "fact"),
        resolved=flag_of(node, "resolved", False),
        record=flag_of(node, "record", False),
        key=None if key is None else dict(to_json(key)),
    )


def _verdict(node: Fields) -> ExpectedVerdict:
    denied = fields_of(node, "denied")
    return ExpectedVerdict(
        position=node.position,
        candidates=texts_of(node, "candidates") if "candidates" in node else None,
        first=optional_text(node, "first"),
        denied=None if denied is None else dict(to_json(denied)),
        ask=optional_text(node, "ask"),
        refused=flag_of(node, "refused", False) if "refused" in node else None,
    )
