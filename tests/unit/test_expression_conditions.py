"""Conditions taken apart into parts over one fact kind each."""

import pytest

from engine.core.errors import LangError, Position
from engine.core.facts import FactKind, FieldType
from engine.lang.conditions import (
    composite,
    condition_fields,
    condition_kinds,
    condition_uses_time,
    expressions_of,
    has_event_part,
    kind_mode,
    plain_condition,
)
from engine.lang.expression import at, parse


def kind(name, mode, *fields, **more):
    return FactKind(name, mode, fields={field: FieldType(field) for field in fields}, **more)


KINDS = {
    one.name: one
    for one in [
        kind("disk", "state", "mount", "used_percent"),
        kind("cpu", "state", "percent", "mount"),
        kind("maintenance", "state", "name", "active"),
        kind("auth", "event", "user", "result"),
        kind("task", "request", "priority", "max_seconds", is_global=True),
        kind("model", "state", "id", "p95_seconds", is_global=True),
    ]
}
OWN = frozenset({"disk"})


def plain(text, **more):
    return plain_condition(parse(text, at("policies/d.yaml", 7, 11)), KINDS, **more)


def shape(condition):
    parts = [(part.kind, part.condition.text) for part in condition.parts]
    return condition.operator, parts, condition.that.text if condition.that else None


def built(operator, *texts, that=None, join=None, role="when", own=frozenset()):
    return composite(
        operator,
        [parse(text, at("p.yaml", line, 7)) for line, text in enumerate(texts, 1)],
        KINDS,
        position=Position("p.yaml"),
        text=" ".join(texts),
        join=join,
        that=None if that is None else parse(that, at("p.yaml", 9, 9)),
        within=None,
        role=role,
        own=own,
    )


@pytest.mark.parametrize(
    ("text", "operator", "parts", "that"),
    [
        (
            'disk.used_percent >= vars.full and disk.mount != "/boot"',
            "all",
            [("disk", 'disk.used_percent >= vars.full and disk.mount != "/boot"')],
            None,
        ),
        (
            "disk.used_percent > 90 and cpu.percent > 5",
            "all",
            [("disk", "disk.used_percent > 90"), ("cpu", "cpu.percent > 5")],
            None,
        ),
        (
            'disk.mount != host and cpu.percent > 5 and (disk.mount == "/" or disk.mount == host)',
            "all",
            [
                (
                    "disk",
                    'disk.mount != host and (disk.mount == "/" or disk.mount == host)',
                ),
                ("cpu", "cpu.percent > 5"),
            ],
            None,
        ),
        (
            "disk.used_percent > 90 or cpu.percent > 5 or disk.mount == host",
            "any",
            [("disk", "disk.used_percent > 90 or disk.mount == host"), ("cpu", "cpu.percent > 5")],
            None,
        ),
        (
            'disk.used_percent > 90 and cpu.percent > 5 and labels.role == "db" and time.hour > 5',
            "all",
            [("disk", "disk.used_percent > 90"), ("cpu", "cpu.percent > 5")],
            'labels.role == "db" and time.hour > 5',
        ),
        (
            'disk.used_percent > 90 and labels.role == "db" and during("nights")',
            "all",
            [("disk", 'disk.used_percent > 90 and labels.role == "db"')],
            'during("nights")',
        ),
        (
            "disk.used_percent > 90 or time.hour < 5",
            "all",
            [("disk", "disk.used_percent > 90 or time.hour < 5")],
            None,
        ),
        ("not maintenance.active", "all", [("maintenance", "not maintenance.active")], None),
    ],
)
def test_an_expression_is_its_parts(text, operator, parts, that):
    assert shape(plain(text)) == (operator, parts, that)


def test_parts_keep_their_places_and_the_whole_its_text():
    condition = plain("disk.used_percent > 90 and (cpu.percent > 5 and disk.mount == host)")
    assert condition.text == "disk.used_percent > 90 and (cpu.percent > 5 and disk.mount == host)"
    assert condition.position == Position("policies/d.yaml", 7, 11)
    disk, cpu = condition.parts
    assert cpu.condition.position().column == 39
    assert disk.condition.text == "disk.used_percent > 90 and disk.mount == host"
    assert disk.condition.position(disk.condition.text.index("disk.mount")).column == 59


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (
            "disk.used_percent > 1 and (cpu.percent > 1 or auth.user == host)",
            38,
            "this mixes cpu and auth below the top of a condition; "
            "only 'and' may join them here; write one rule for each side of the 'or'",
        ),
        (
            "disk.used_percent > 1 or (cpu.percent > 1 and auth.user == host)",
            37,
            "this mixes cpu and auth below the top of a condition; "
            "write one rule for each side of the 'or', each an 'all' of its kinds",
        ),
        (
            "disk.used_percent > cpu.percent",
            11,
            "this mixes disk and cpu below the top of a condition; facts of different kinds are "
            "compared under 'that': {all: [defined(disk), defined(cpu)], "
            "that: 'disk.used_percent > cpu.percent'}",
        ),
        (
            "disk.used_percent > 90 and not maintenance.active",
            38,
            "not maintenance.active would hold without any maintenance fact; "
            "write it beside 'when' as  unless: maintenance.active",
        ),
        (
            "disk.used_percent > 90 and default(cpu.percent, 0) < 5",
            38,
            "default(cpu.percent, 0) < 5 would hold without any cpu fact; "
            "write it beside 'when' as  unless: not (default(cpu.percent, 0) < 5)",
        ),
        (
            "time.hour > 5",
            11,
            "'when' names no fact kind, so no fact could ever make it true; "
            "name one, as in: disk.used_percent > 90",
        ),
        ("dsk.used_percent > 5", 11, "unknown name 'dsk'; did you mean 'disk'?"),
        (
            "disk.used_percent > 5 or cpu.percent > 5 or time.hour == 3",
            55,
            "time.hour == 3 names no fact kind, so it is no part of an 'any'; "
            "put it under 'that', which holds beside the parts",
        ),
    ],
)
def test_what_cannot_be_taken_apart_says_how_to_write_it(text, column, message):
    with pytest.raises(LangError) as caught:
        plain(text)
    (problem,) = caught.value.problems
    assert problem.message == message
    assert problem.position == Position("policies/d.yaml", 7, column)


def test_until_and_unless_may_name_the_own_kind_and_the_clock():
    assert shape(plain("disk.used_percent < 85", role="until", own=OWN))[1]
    assert shape(plain("not disk.used_percent > 85", role="until", own=OWN))[1]
    both = plain('maintenance.active and disk.mount == "/"', role="unless", own=OWN)
    assert condition_kinds(both) == {"maintenance", "disk"}
    assert shape(plain('during("nights")', role="unless", own=OWN)) == (
        "all",
        [],
        'during("nights")',
    )


def test_unless_with_what_would_hold_without_a_fact():
    with pytest.raises(LangError, match=r"write it as part of 'when': … and maintenance\.active"):
        plain("not maintenance.active", role="unless", own=OWN)


def test_a_composite_with_that():
    condition = built(
        "all",
        "defined(task.max_seconds)",
        "defined(model.p95_seconds)",
        that="model.p95_seconds > task.max_seconds",
    )
    assert shape(condition) == (
        "all",
        [("task", "defined(task.max_seconds)"), ("model", "defined(model.p95_seconds)")],
        "model.p95_seconds > task.max_seconds",
    )
    assert condition.join is None
    assert kind_mode(condition, KINDS) == "request"
    assert condition_fields(condition) == {
        "task": {"max_seconds"},
        "model": {"p95_seconds"},
    }
    assert len(expressions_of(condition)) == 3


def test_a_second_part_of_the_same_kind_means_the_fact_at_hand():
    condition = built("all", "disk.used_percent > 90", "cpu.percent > 5", "disk.mount == host")
    assert shape(condition)[1] == [
        ("disk", "disk.used_percent > 90 and disk.mount == host"),
        ("cpu", "cpu.percent > 5"),
    ]
    either = built("any", "disk.used_percent > 90", "disk.mount == host")
    assert shape(either) == (
        "all",
        [("disk", "disk.used_percent > 90 or disk.mount == host")],
        None,
    )


def test_parts_of_the_surroundings_alone_belong_to_that():
    condition = built(
        "all", "disk.used_percent > 9", "cpu.percent > 5", "time.hour > 5", that="host == vars.h"
    )
    assert condition.that.text == "time.hour > 5 and host == vars.h"
    assert condition_uses_time(condition)
    assert condition.that.position(0) == Position("p.yaml", 3, 7)


def test_join_names_fields_that_every_part_has():
    place = Position("p.yaml", 5, 8)
    assert built("all", "disk.mount == host", "cpu.percent > 1", join=[("mount", place)]).join == (
        "mount",
    )
    assert built("all", "disk.mount == host", "cpu.percent > 1", join=[]).join == ()
    with pytest.raises(LangError) as caught:
        built("all", "disk.mount == host", "auth.user == host", join=[("mont", place)])
    assert [str(problem) for problem in caught.value.problems] == [
        "p.yaml:5:8: auth has no 'mont' to join on",
        "p.yaml:5:8: disk has no 'mont' to join on; did you mean 'mount'?",
    ]
    with pytest.raises(LangError, match="task has no 'host' to join on"):
        built("all", "task.priority == host", "disk.mount == host", join=[("host", place)])


def test_a_second_part_may_be_compared_with_the_fact_at_hand():
    condition = built("all", "disk.used_percent > 90", "cpu.percent > disk.used_percent")
    assert shape(condition) == (
        "all",
        [("disk", "disk.used_percent > 90"), ("cpu", "defined(cpu)")],
        "cpu.percent > disk.used_percent",
    )
    held_back = plain("cpu.percent > disk.used_percent", role="unless", own=OWN)
    assert shape(held_back) == (
        "all",
        [("cpu", "defined(cpu)")],
        "cpu.percent > disk.used_percent",
    )
    until = built("all", "cpu.percent > 5", that="disk.mount == cpu.mount", role="until", own=OWN)
    assert shape(until)[2] == "disk.mount == cpu.mount"
    for wrong in ("cpu.percent > model.id", "cpu.percent > 5 or disk.mount == host"):
        with pytest.raises(LangError, match="this mixes"):
            built("all", "disk.used_percent > 90", wrong)


def test_every_problem_of_a_composite_is_told():
    with pytest.raises(LangError) as caught:
        built(
            "all",
            "task.priority == cpu.percent",
            "not maintenance.active",
            "auth.user == host",
            that="model.id == host",
        )
    assert [problem.position.line for problem in caught.value.problems] == [1, 2, 9]
    assert caught.value.problems[2].message == (
        "'that' names model, which is no part; add one: defined(model)"
    )


def test_a_composite_without_parts():
    with pytest.raises(LangError, match="all needs at least one part over a fact kind"):
        built("all", "time.hour > 5")


def test_what_a_rule_is_by_its_parts():
    state, event = plain("disk.mount == host"), plain("disk.mount == host and auth.user == host")
    assert (kind_mode(state, KINDS), has_event_part(state, KINDS)) == ("state", False)
    assert (kind_mode(event, KINDS), has_event_part(event, KINDS)) == ("event", True)
