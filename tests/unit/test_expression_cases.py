"""Runs every case in tests/cases/expressions: what LANGUAGE says of expressions, sentence by
sentence."""

import json
from pathlib import Path

import pytest
import yaml

from engine.core.errors import LangError, Position
from engine.core.values import MISSING
from engine.lang.expression import at, compile_expression, evaluate, parse, unparse

CASES = Path(__file__).parent.parent / "cases" / "expressions"


def every_case():
    for file in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load(file.read_text("utf-8")):
            if "mistake" in case:
                continue  # of the type check, which has kinds of its own
            yield pytest.param(case, id=f"{file.stem}: {case['name']}")


@pytest.mark.parametrize("case", list(every_case()))
def test_case(case):
    if "error" in case:
        with pytest.raises(LangError) as caught:
            parse(case["expression"], at("rules.yaml", 7, 1))
        (problem,) = caught.value.problems
        assert problem.message == case["error"]
        assert problem.position == Position("rules.yaml", 7, case["column"])
        return
    expression = parse(case["expression"], at("rules.yaml"))
    found = evaluate(expression, case["data"])
    if case.get("missing"):
        assert found is MISSING
    else:
        assert json.dumps(found) == json.dumps(case["want"])
    again = compile_expression(parse(unparse(expression.root), at("again.yaml")))(case["data"])
    assert repr(again) == repr(found)
