"""Inputs are checked before anything starts."""

from __future__ import annotations

import pytest
from support.runs import playbook

from engine.playbook.inputs import InvalidInputs, check_inputs

GOOD = {
    "string": "text",
    "integer": 3,
    "number": 2.5,
    "boolean": False,
    "duration": "7d",
    "list": [1, "a"],
    "object": {"a": 1},
}


@pytest.mark.parametrize("type_", GOOD)
def test_each_type_takes_its_own_and_nothing_else(type_):
    book = playbook(inputs={"x": {"type": type_, "required": True}})
    assert check_inputs(book, {"x": GOOD[type_]}) == {"x": GOOD[type_]}
    takes = {type_}
    takes |= {"number": {"integer"}, "string": {"duration"}}.get(type_, set())
    for other, value in GOOD.items():
        if other not in takes:
            with pytest.raises(InvalidInputs, match="input 'x' must be"):
                check_inputs(book, {"x": value})


@pytest.mark.parametrize("value", [5, "5", "5 m", "-5m", "5M", None])
def test_what_is_no_duration(value):
    book = playbook(inputs={"x": {"type": "duration", "required": True}})
    with pytest.raises(InvalidInputs, match="a duration such as 5m"):
        check_inputs(book, {"x": value})


def test_defaults_are_filled_in_and_what_is_optional_may_be_absent():
    book = playbook(
        inputs={"keep": {"type": "duration", "default": "7d"}, "note": {"type": "string"}}
    )
    assert check_inputs(book, {}) == {"keep": "7d"}
    assert check_inputs(book, {"keep": "1h", "note": None}) == {"keep": "1h", "note": None}


def test_an_enum_knows_true_from_one():
    book = playbook(inputs={"x": {"type": "integer", "enum": (1, 2)}})
    assert check_inputs(book, {"x": 2}) == {"x": 2}
    with pytest.raises(InvalidInputs, match="must be one of 1, 2"):
        check_inputs(book, {"x": 3})
    with pytest.raises(InvalidInputs):
        check_inputs(book, {"x": True})


def test_every_problem_is_named_at_once():
    book = playbook(
        inputs={
            "mount": {"type": "string", "required": True},
            "size": {"type": "integer", "required": True},
        }
    )
    with pytest.raises(InvalidInputs) as caught:
        check_inputs(book, {"muont": "/", "size": True})
    assert caught.value.problems == (
        "it has no input 'muont'; did you mean 'mount'?",
        "input 'mount' is required (text)",
        "input 'size' must be a whole number",
    )
