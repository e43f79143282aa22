"""The type check: every reference against the kinds, and what was probably meant."""

from pathlib import Path

import pytest
import yaml

from engine.core.errors import Position
from engine.core.facts import FactKind, FieldType
from engine.lang.expression import (
    ANY,
    TEXT,
    at,
    check,
    object_type,
    optional_reads,
    parse,
    rule_names,
    schema_type,
    variables_type,
)


def field(name, *types, **more):
    return FieldType(name, frozenset(types), **more)


DISK = FactKind(
    "disk",
    "state",
    ("mount",),
    fields={
        "mount": field("mount", "string", required=True),
        "used_percent": field("used_percent", "number", required=True),
        "inodes": field("inodes", "integer", required=True),
        "read_only": field("read_only", "boolean"),
    },
    renamed={"usage": "used_percent"},
)
SERVICE = FactKind(
    "service",
    "state",
    ("name",),
    fields={
        "name": field("name", "string", required=True),
        "state": field("state", "string", required=True, enum=("running", "stopped", "failed")),
    },
)
TASK = FactKind(
    "task",
    "request",
    fields={
        "labels": field("labels", "array", items=field("", "string")),
        "max_seconds": field("max_seconds", "number"),
        "priority": field("priority", "string", default="normal"),
        "meta": field("meta", "object", properties={"depth": field("depth", "integer")}),
        "level": field("level", "array", items=field("", "string", enum=("low", "high"))),
    },
)
EVENT = FactKind("event", "event", fields={"name": field("name", "string")}, open=True)
NAMES = rule_names(
    [DISK, SERVICE, TASK, EVENT],
    variables_type({"full": 90, "mounts": ["/"]}, [{"full": 95, "site": "ruh"}]),
)

CASES = Path(__file__).parent.parent / "cases" / "expressions" / "check_mistakes.yaml"
MISTAKES = [
    pytest.param(case["expression"], case["mistake"], id=case["expression"])
    for case in yaml.safe_load(CASES.read_text("utf-8"))
]


def messages(text, **more):
    found = check(parse(text, at("r.yaml")), NAMES, condition=True, **more)
    return [problem.message for problem in found]


@pytest.mark.parametrize(("text", "mistake"), MISTAKES)
def test_a_mistake_is_told(text, mistake):
    assert messages(text, calendars=["business"]) == [mistake]


@pytest.mark.parametrize(
    "text",
    [
        'disk.used_percent >= vars.full and disk.mount != "/boot"',
        "disk.inodes > 1.5 and disk.inodes == disk.used_percent",
        'service.state in ["running", "failed"] and service.state != "stopped"',
        'labels.role == "web" and labels["a.b"] in ["x"] and host == "web-1"',
        'event.name == "x" and event.anything.at.all > 5 and event["host"] == host',
        'time.hour >= 22 and time.weekday in ["sat", "sun"] and during("business")',
        '"personal_data" in task.labels and task.meta.depth > 1',
        "vars.site == labels.site and disk.mount in vars.mounts",
        "not disk.read_only and default(disk.read_only, false) == false",
        "defined(disk) and len(members) > 1",
        'len([x for x in task.labels if x != "a"]) > 1',
        'get(labels, "role", "none") == "web"',
        "max(disk.used_percent, 5) > 1 and max(task.labels) > 1",
        'upper(disk.mount | default("x")) == "X"',
    ],
)
def test_what_is_sound_is_left_alone(text):
    assert messages(text, calendars=["business"]) == []


def test_the_place_is_where_the_reference_begins():
    expression = parse(
        '"قرص" == disk.mount and disk.used_precent > 5', at("policies/d.yaml", 6, 11)
    )
    (problem,) = check(expression, NAMES)
    assert problem.position == Position("policies/d.yaml", 6, 35)
    assert str(problem) == (
        "policies/d.yaml:6:35: disk has no field 'used_precent'; did you mean 'used_percent'?"
    )


def test_every_mistake_is_told_in_order_of_place():
    found = check(parse("disk.a > 1 and dsk.b > 2 and service.c", at("r.yaml")), NAMES)
    assert [problem.position.column for problem in found] == [1, 16, 30]


def test_null_of_what_is_never_null_is_a_warning():
    (problem,) = check(parse("disk.mount == null", at("r.yaml")), NAMES)
    assert problem.severity == "warning"
    assert problem.message.endswith("defined(disk.mount)")


def test_unknown_calendars_pass_where_none_are_known():
    assert messages('during("anything")') == []


def test_optional_fields_that_nothing_covers():
    def reads(text):
        return [field.name for field in optional_reads(parse(text, at("r.yaml")), NAMES)]

    assert reads("task.max_seconds > 5 and disk.used_percent > 1") == ["max_seconds"]
    assert reads("defined(task.max_seconds) and task.max_seconds > 5") == []
    assert reads("default(task.max_seconds, 1) > 5") == []
    assert reads('task.priority == "low"') == []


def test_names_of_a_playbook_from_its_schemas():
    prune = schema_type(
        {
            "type": "object",
            "properties": {"freed_bytes": {"type": "integer"}, "trash": {"type": "string"}},
            "additionalProperties": False,
        }
    )
    names = {
        "steps": object_type({"prune": prune}, noun="step"),
        "inputs": object_type({"m": TEXT}),
    }
    assert check(parse("steps.prune.freed_bytes < 1 * GiB", at("p.yaml")), names) == []
    (problem,) = check(parse("steps.prun.freed_bytes < 1", at("p.yaml")), names)
    assert problem.message == "steps has no step 'prun'; did you mean 'prune'?"
    (problem,) = check(parse("steps.prune.free_bytes < 1", at("p.yaml")), names)
    assert problem.message == "steps.prune has no field 'free_bytes'; did you mean 'freed_bytes'?"
    assert check(parse("item.whatever == 1", at("p.yaml")), {"item": ANY}) == []
