"""Value classes: every value lands in a class whose values no test tells apart."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.core.values import MISSING
from engine.lang.expression.values import equal, ordered
from engine.rules.durable.classes import Predicate, Relation, ValueClasses, just_above

EDGE = 1 << 53
GREATEST = 1.7976931348623157e308
NUMBERS = [0, -0.0, 1, 0.1, 90, 90.0, EDGE - 1, EDGE, EDGE + 1, float(EDGE), -EDGE, 2**63, 2**64]
INTEGERS = st.one_of(
    st.integers(-5, 5), st.sampled_from([2**53, 2**63, 2**64]).flatmap(
        lambda middle: st.integers(middle - 3, middle + 3)
    )
)  # fmt: skip
CONSTANTS = st.one_of(
    st.none(), st.booleans(), INTEGERS, st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=3), st.sampled_from(NUMBERS),
)  # fmt: skip
VALUES = st.one_of(
    CONSTANTS, st.just(MISSING), st.sampled_from([math.nan, math.inf, -math.inf, 10**400]),
    st.floats(), st.lists(st.integers(), max_size=2), st.just({}), st.just({"a": None}),
)  # fmt: skip
ONE: list[Relation] = ["==", "!=", "<", "<=", ">", ">="]
TESTS = st.one_of(
    st.builds(
        lambda r, c, n: Predicate(r, (c,), n), st.sampled_from(ONE), CONSTANTS, st.booleans()
    ),
    st.builds(
        lambda r, c, n: Predicate(r, tuple(c), n),
        st.sampled_from(["in", "not in"]), st.lists(CONSTANTS, max_size=4), st.booleans(),
    ),
    st.builds(lambda n: Predicate("true", (), n), st.booleans()),
)  # fmt: skip


def truth(test: Predicate, value: Any) -> bool:
    """The language's meaning, said once more in the plainest way."""
    if value is MISSING:
        return test.negated
    match test.relation:
        case "true":
            held = value is True
        case "==" | "in":
            held = any(equal(value, constant) for constant in test.constants)
        case "!=" | "not in":
            held = not any(equal(value, constant) for constant in test.constants)
        case relation:
            other = test.constants[0]
            held = ordered(value, other) and {
                "<": lambda: value < other, "<=": lambda: value <= other,
                ">": lambda: value > other, ">=": lambda: value >= other,
            }[relation]()  # fmt: skip
    return held is not test.negated


@settings(deadline=None, max_examples=400)
@given(st.lists(TESTS, min_size=1, max_size=6), st.lists(VALUES, min_size=1, max_size=8))
@example([Predicate("==", (EDGE,)), Predicate(">", (float(EDGE),))], [EDGE, EDGE + 1, float(EDGE)])
@example(
    [Predicate("<", (1.7976931348623157e308,))], [1.7976931348623157e308, math.inf, 10**308 * 2]
)
def test_codes_pass_exactly_where_the_values_do(tests: list[Predicate], values: list[Any]) -> None:
    classes = ValueClasses(tests)
    for test in tests:
        ranges = classes.passing(test)
        for value in values:
            code = classes.code(value)
            assert 0 <= code < classes.size
            passed = any(low <= code <= high for low, high in ranges)
            assert passed is truth(test, value), (test, value, code)


@settings(deadline=None)
@given(st.lists(TESTS, min_size=1, max_size=6))
def test_ranges_are_disjoint_and_in_order(tests: list[Predicate]) -> None:
    classes = ValueClasses(tests)
    for test in tests:
        edges = [edge for span in classes.passing(test) for edge in span]
        assert edges == sorted(edges)
        assert all(high + 1 < low for high, low in zip(edges[1::2], edges[2::2], strict=False))
        assert all(code < classes.size for code in edges)


@pytest.mark.parametrize("number", [*NUMBERS, -1, 5e-324, 1.7976931348623157e308, -(2**64)])
def test_nothing_lies_between_a_number_and_just_above(number: float) -> None:
    above = just_above(number)
    assert above > number
    between = [math.nextafter(number, math.inf) if abs(number) < 1e308 else above, int(number) + 1]
    assert all(candidate >= above for candidate in between if candidate > number)


def test_not_a_number_and_infinity_have_codes_of_their_own() -> None:
    classes = ValueClasses([Predicate(">", (5,))])
    codes = {classes.code(value) for value in (math.nan, math.inf, -math.inf, 6, 10**400)}
    assert codes == {classes.code(6), classes.infinity, classes.nan, 0}
    assert classes.code(6) == classes.code(10**400)
