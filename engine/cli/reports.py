"""Problems and test results, for people and for the machines that run them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

import click

from engine.cli.output import show, show_json
from engine.core.errors import Problem

if TYPE_CHECKING:  # a check needs no engine
    from engine.rules.casetests import CaseResult, TestReport

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters outside `Char` of XML 1.0."""


def print_problems(problems: Sequence[Problem], format_: str, *, err: bool = False) -> None:
    """Problems on standard output, sorted as they come; warnings in text, and with `err` all, on
    standard error."""
    if format_ == "json":
        show_json([_problem(each) for each in problems])
        return
    for problem in problems:
        if format_ == "github":
            show(_github(problem))
        else:
            show(str(problem), err=err or problem.severity == "warning")
    errors = sum(problem.severity == "error" for problem in problems)
    if errors and format_ == "text":
        show(f"{errors} error{'s' if errors != 1 else ''}", err=True)


def _problem(problem: Problem) -> dict[str, object]:
    place = problem.position
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
    }


def _github(problem: Problem) -> str:
    """A workflow command of GitHub Actions, which shows it beside the line."""
    place = problem.position
    message = _escaped(problem.message)
    file = _escaped(place.file).replace(":", "%3A").replace(",", "%2C")
    where = f"file={file},line={place.line},col={place.column}"
    return f"::{problem.severity} {where}::{message}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def print_unloadable(problems: Sequence[Problem], format_: str) -> None:
    """Content whose tests cannot be run, in the form its reader waits for."""
    if format_ == "json":
        shown = [_problem(each) for each in problems]
        report = {"passed": False, "cases": [], "uncovered": [], "problems": shown}
        show_json(report)
    elif format_ == "junit":
        suite = ElementTree.Element(
            "testsuite", name="wakil", tests=str(len(problems)), failures="0",
            errors=str(len(problems)),
        )  # fmt: skip
        for problem in problems:
            file = problem.position.file
            case = ElementTree.SubElement(
                suite, "testcase", classname="check", name=str(problem.position), file=file
            )
            ElementTree.SubElement(case, "error", message=_xml(problem.message))
        click.echo(ElementTree.tostring(suite, encoding="unicode"))
    else:
        print_problems(problems, "text")


def print_test_report(report: TestReport, format_: str) -> None:
    """Every case, and the rules and conditions that none covers."""
    if format_ == "json":
        show_json(_report(report))
    elif format_ == "junit":
        click.echo(ElementTree.tostring(_junit(report.results), encoding="unicode"))
    else:
        _print_text(report)


def _print_text(report: TestReport) -> None:
    for result in report.results:
        mark = "ok  " if result.passed else "FAIL"
        show(f"{mark} {result.ruleset}: {result.name}")
        for run in result.runs:
            if run.policy:
                show(f"     {run.playbook}: {run.policy}")
        for failure in result.failures:
            show(f"     {result.file}:{result.line}: {failure}")
    for each in report.uncovered:
        what = f"condition {each.condition}" if each.condition else "the rule"
        show(f"uncovered: {each.file}:{each.line}: {each.ruleset}/{each.rule}: {what}")
    passed = sum(result.passed for result in report.results)
    failed = len(report.results) - passed
    rules = sum(each.condition is None for each in report.uncovered)
    show(f"{passed} passed, {failed} failed, {rules} rules uncovered")


def _report(report: TestReport) -> dict[str, object]:
    return {
        "passed": report.passed,
        "cases": [
            {
                "file": result.file,
                "line": result.line,
                "ruleset": result.ruleset,
                "name": result.name,
                "passed": result.passed,
                "failures": list(result.failures),
                "runs": [{"playbook": run.playbook, "policy": run.policy} for run in result.runs],
            }
            for result in report.results
        ],
        "uncovered": [
            {
                "ruleset": each.ruleset,
                "rule": each.rule,
                "file": each.file,
                "line": each.line,
                "condition": each.condition,
            }
            for each in report.uncovered
        ],
    }


def _junit(results: Iterable[CaseResult]) -> ElementTree.Element:
    listed = list(results)
    suite = ElementTree.Element(
        "testsuite",
        name="wakil",
        tests=str(len(listed)),
        failures=str(sum(not result.passed for result in listed)),
    )
    for result in listed:
        case = ElementTree.SubElement(
            suite, "testcase", classname=result.ruleset, name=_xml(result.name), file=result.file
        )
        if not result.passed:
            failure = ElementTree.SubElement(case, "failure", message=_xml(result.failures[0]))
            failure.text = _xml("\n".join(result.failures))
    return suite


def _xml(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def print_findings(findings: Sequence[tuple[str, str, str, str]], format_: str) -> None:
    """What `doctor` found: (what, state, what is the case, what to do)."""
    if format_ == "json":
        names = ("what", "state", "said", "mend")
        shown = [dict(zip(names, each, strict=True)) for each in findings]
        show_json(shown)
        return
    marks = {"well": "ok   ", "note": "note ", "wrong": "WRONG"}
    for what, state, said, mend in findings:
        show(f"{marks[state]} {what}: {said}")
        if mend:
            show(f"      {mend}")
