"""Fact kinds as LANGUAGE lists them, a content's own, and the door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from referencing import Registry
from support.content import load_content, write

from engine.core.errors import FactRefused, LangError
from engine.core.values import MINUTE, SECOND, parse_instant
from engine.lang.door import Door
from engine.lang.kinds import shipped_kinds

KINDS = {
    "cpu": "percent iowait_percent steal_percent cores load_1m load_5m load_15m load_per_core",
    "memory": "percent available_percent available_bytes total_bytes swap_percent",
    "disk": "mount device fstype used_percent free_bytes total_bytes inodes_used_percent read_only",
    "network": "interface sent_bytes_per_second received_bytes_per_second errors_per_second up",
    "process": "pid name user cpu_percent memory_percent memory_bytes state age_seconds",
    "service": "name manager state restarts since_seconds",
    "listener": "address port process user",
    "certificate": "path subject days_left",
    "agent": "id state",
    "maintenance": "name active",
    "alert": "ruleset rule subject severity status since_seconds",
    "model": "id provider tier capabilities healthy success_rate p95_seconds labels",
    "quota": "model key requests_left_ratio tokens_left_ratio",
    "budget": "name period limit_usd used_usd used_ratio elapsed_ratio",
    "key": "provider name age_days status",
    "log": "source unit level message",
    "auth": "service result method user source_ip",
    "backup": "name status bytes seconds",
    "webhook": "name source type delivery body",
    "usage": "model task_type caller team tokens cost_usd seconds success",
    "outcome": "playbook run status rule error",
    "schedule": "name",
    "event": "",
    "task": "type priority capability estimated_tokens max_seconds labels caller team",
    "run": "playbook inputs labels destructive targets trigger hosts_last_hour runs_last_hour"
    " failures_in_row running",
}
KEYS = {
    "disk": ("mount",),
    "network": ("interface",),
    "process": ("pid",),
    "service": ("name",),
    "listener": ("address", "port"),
    "certificate": ("path",),
    "agent": ("id",),
    "maintenance": ("name",),
    "alert": ("ruleset", "rule", "subject"),
    "model": ("id",),
    "quota": ("model", "key"),
    "budget": ("name",),
    "key": ("provider", "name"),
    "backup": ("name",),
    "webhook": ("name",),
    "outcome": ("playbook",),
}
GLOBAL = {"model", "quota", "budget", "key", "webhook", "usage", "outcome", "schedule"} | {
    "task",
    "run",
}
EVENTS = {"log", "auth", "backup", "webhook", "usage", "outcome", "schedule", "event"}
NEVER_STALE = {"agent", "maintenance", "alert", "model", "quota", "budget", "key"}
NOW = 1_767_225_600 * SECOND
AT = "2026-01-01T00:00:00Z"


def test_the_catalogue_is_the_documented_one() -> None:
    found = {name: " ".join(kind.fields) for name, kind in shipped_kinds().items()}
    assert found == KINDS


@pytest.mark.parametrize("name", sorted(KINDS))
def test_each_kind_is_declared_as_documented(name: str) -> None:
    kind = shipped_kinds()[name]
    assert kind.key == KEYS.get(name, ())
    assert kind.is_global == (name in GLOBAL)
    expected = "request" if name in {"task", "run"} else "event" if name in EVENTS else "state"
    assert kind.mode == expected
    stale = None if expected != "state" or name in NEVER_STALE else 15 * MINUTE
    assert kind.stale_after == stale
    assert kind.open == (name == "event")
    jsonschema.Draft202012Validator.check_schema(dict(kind.schema))


def test_references_between_kinds() -> None:
    kinds = shipped_kinds()
    assert kinds["quota"].fields["model"].reference == "model.id"
    assert kinds["usage"].fields["model"].reference == "model.id"
    assert kinds["service"].fields["state"].enum == ("running", "stopped", "failed", "unknown")
    assert kinds["task"].fields["priority"].default == "normal"


# ── the door ──────────────────────────────────────────────────────────────────────────────────


def raw(kind: str = "disk", **data: Any) -> dict[str, Any]:
    return {"at": AT, "kind": kind, "host": "web-1", "data": data}


def refused(given: Any, **options: Any) -> str:
    with pytest.raises(FactRefused) as raised:
        Door(shipped_kinds()).admit(given, **options)
    return raised.value.message


def test_a_good_fact_passes_whole() -> None:
    fact = Door(shipped_kinds()).admit(raw(mount="/", used_percent=95), now=NOW)
    assert (fact.kind, fact.at, fact.host, fact.gone) == ("disk", NOW, "web-1", False)
    assert fact.data == {"mount": "/", "used_percent": 95}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "a fact is an object, not an array"),
        ({"at": AT}, "a fact needs 'kind', the name of its kind"),
        (raw("dsk"), "there is no fact kind 'dsk'; did you mean 'disk'?"),
        ({**raw(), "at": "noon"}, "'at' must be a time such as 2026-01-01T00:00:00Z, not 'noon'"),
        ({**raw(), "at": 5}, "'at' must be a time such as 2026-01-01T00:00:00Z, not 5"),
        (
            {"kind": "disk", "host": "a"},
            "'at' must be a time such as 2026-01-01T00:00:00Z, missing",
        ),
        ({**raw(), "host": 5}, "'host' must be a name, not 5"),
        ({**raw(), "host": "a\nb"}, "'host' must be a name, not 'a\\nb'"),
        ({**raw(), "gone": "yes"}, "'gone' must be true or false, not 'yes'"),
        ({**raw("auth"), "gone": True}, "only a state can be gone; auth is an event"),
        ({**raw(), "data": [1]}, "'data' must be an object, not an array"),
        (
            {"at": AT, "kind": "disk", "host": "a", "used_percent": 5},
            "a fact has no 'used_percent'; fields belong into 'data'",
        ),
        (raw(used_percent="95"), "disk.used_percent must be a number, not a string"),
        (raw(used_percent=True), "disk.used_percent must be a number, not a boolean"),
        (raw(used_percent=None), "disk.used_percent must be a number, not null"),
        (raw(mount=5), "disk.mount must be a string, not an integer"),
        (raw("process", pid=1.5), "process.pid must be an integer, not a number"),
        (
            raw("service", state="up"),
            "service.state must be one of running, stopped, failed, unknown, not up",
        ),
        (raw("task", labels=["a", 5]), "task.labels[1] must be a string, not an integer"),
        (raw(used_percent=float("nan")), "a number that is not finite"),
        (raw(used_percent=float("inf")), "a number that is not finite"),
        (raw(free_bytes=2**63), "a whole number beyond 64 bits"),
        (raw(mount="x" * 300_000), "larger than 256 KiB"),
        (raw(**{"x" * 257: 1}), "a field's name longer than 256 characters"),
        (raw(**{f"k{n}": n for n in range(1001)}), "1001 fields; at most 1000 are taken"),
        (raw(mount=object()), "a value that JSON does not have: object"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(given: Any, reason: str) -> None:
    assert refused(given) == reason


def test_deep_data_is_refused_without_recursion() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert refused(raw("event", x=deep)) == "nested deeper than 32 levels"
    while isinstance(deep, list):  # taken apart by hand: freeing it would recurse
        deep = deep[0]


def test_five_minutes_ahead_of_the_clock_and_no_more() -> None:
    door = Door(shipped_kinds())
    assert door.admit(raw(), now=NOW - 5 * MINUTE).at == NOW
    ahead = "'at' is more than 5 minutes ahead of this clock: 2026-01-01T00:00:00Z"
    assert refused(raw(), now=NOW - 5 * MINUTE - 1) == ahead


def test_without_at_a_fact_is_of_now_and_without_host_of_here() -> None:
    fact = Door(shipped_kinds()).admit({"kind": "cpu", "data": {}}, now=NOW, host_default="here")
    assert (fact.at, fact.host) == (NOW, "here")


def test_a_hosted_fact_needs_a_host() -> None:
    assert refused({"at": AT, "kind": "cpu", "data": {}}) == "a cpu fact needs 'host'"


def test_the_host_of_a_global_kind_is_dropped_with_a_warning() -> None:
    admitted = Door(shipped_kinds()).admit_with_warnings(raw("model", id="a"))
    assert admitted.fact.host is None
    assert admitted.warnings == ("model has no host: 'web-1' is dropped",)


def test_a_host_in_the_data_of_an_event_stays() -> None:
    fact = Door(shipped_kinds()).admit(raw("event", host="other", any=[1]))
    assert (fact.host, fact.data) == ("web-1", {"host": "other", "any": [1]})


def test_unknown_fields_are_kept_and_counted() -> None:
    door = Door(shipped_kinds())
    fact = door.admit(raw(mount="/", colour="red"))
    door.admit(raw(mount="/", colour=5))
    assert fact.data["colour"] == "red"
    assert door.unknown == {"disk.colour": 2}


def test_not_strict_a_wrong_type_is_a_warning() -> None:
    admitted = Door(shipped_kinds()).admit_with_warnings(raw(used_percent="95"), strict=False)
    assert admitted.fact.data == {"used_percent": "95"}
    assert admitted.warnings == ("disk.used_percent must be a number, not a string",)


def test_not_strict_what_json_does_not_have_is_left_out() -> None:
    given = raw(mount="/", used_percent=float("nan"), free_bytes=10**400, x=[float("inf")])
    admitted = Door(shipped_kinds()).admit_with_warnings(given, strict=False)
    assert admitted.fact.data == {"mount": "/"}
    assert admitted.warnings == (
        "disk.used_percent is left out: a number that is not finite",
        "disk.free_bytes is left out: a whole number beyond 64 bits",
        "disk.x is left out: a number that is not finite",
    )


def test_defaults_of_a_request_are_filled_in() -> None:
    fact = Door(shipped_kinds()).admit({"at": AT, "kind": "task", "data": {"type": "chat"}})
    assert fact.data == {"type": "chat", "priority": "normal", "labels": []}


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert Door(shipped_kinds()).admit(raw("process", pid=5.0)).data == {"pid": 5.0}


CALM = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no mistake."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)


@CALM
@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.text(max_size=8), JSON, max_size=3), JSON)
def test_whatever_comes_is_admitted_or_refused(kind: str, data: dict[str, Any], at: Any) -> None:
    door = Door(shipped_kinds())
    for strict in (True, False):
        try:
            fact = door.admit({"kind": kind, "at": at, "host": "h", "data": data}, strict=strict)
        except FactRefused:
            continue
        assert fact.at == parse_instant(at)


FIELDS = {
    "type": st.sampled_from(["string", "integer", "number", "boolean", "array", "object"]),
    "enum": st.lists(st.integers(0, 3) | st.text(max_size=2), min_size=1, max_size=3),
    "minimum": st.integers(-2, 2),
    "maximum": st.integers(-2, 2),
    "minLength": st.integers(0, 2),
    "maxLength": st.integers(0, 2),
    "pattern": st.sampled_from(["^a", "b$", "[0-9]"]),
    "maxItems": st.integers(0, 2),
    "items": st.sampled_from([{"type": "integer"}, {"type": "string"}]),
    "required": st.sampled_from([["a"], []]),
    "additionalProperties": st.sampled_from([True, False, {"type": "string"}]),
    "properties": st.sampled_from([{"a": {"type": "integer"}}, {}]),
}


@CALM
@given(
    st.fixed_dictionaries({}, optional=FIELDS),
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text("ab0", max_size=3)
    | st.lists(st.integers(0, 2) | st.text("a", max_size=1), max_size=3)
    | st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 2) | st.text("a", max_size=1)),
)  # fmt: skip
def test_a_compiled_check_says_what_jsonschema_says(schema: dict[str, Any], value: Any) -> None:
    from engine.lang.kind_checks import compile_check

    validator = jsonschema.Draft202012Validator(schema, registry=Registry())
    assert (compile_check(schema)(value) is None) == validator.is_valid(value)


# ── a content's own kinds ─────────────────────────────────────────────────────────────────────

HTTP = """{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object", "x-mode": "state", "x-key": ["service"], "x-stale-after": "2m",
  "required": ["service"],
  "properties": {
    "service": {"type": "string", "pattern": "^[a-z]+$"},
    "status": {"type": "integer", "minimum": 100, "x-was": "code"}
  }
}
"""


def test_an_own_kind_is_read_and_admitted(tmp_path: Path) -> None:
    write(tmp_path, {"schema/facts/http.schema.json": HTTP})
    kinds = load_content(tmp_path).kinds
    kind = kinds["http"]
    assert (kind.mode, kind.key, kind.stale_after) == ("state", ("service",), 2 * MINUTE)
    door = Door(kinds)
    assert door.admit(raw("http", service="shop", code=500)).data == {
        "service": "shop",
        "status": 500,
    }
    for data, reason in (
        ({"service": "SHOP"}, "http.service must fit the pattern ^[a-z]+$"),
        ({"service": "a", "status": 5}, "http.status must be at least 100"),
        ({"status": 500}, "http needs 'service'"),
    ):
        with pytest.raises(FactRefused, match="http") as raised:
            door.admit(raw("http", **data))
        assert raised.value.message == reason


def test_a_shipped_kind_may_get_further_fields(tmp_path: Path) -> None:
    text = (
        '{"type": "object", "x-mode": "state", "properties": '
        '{"percent": {"type": "number"}, "celsius": {"type": "number"}}}'
    )
    write(tmp_path, {"schema/facts/cpu.schema.json": text})
    cpu = load_content(tmp_path).kinds["cpu"]
    assert cpu.fields.keys() == shipped_kinds()["cpu"].fields.keys() | {"celsius"}


def test_a_reference_to_an_unknown_kind(tmp_path: Path) -> None:
    text = (
        '{"type": "object", "x-mode": "event", "properties": '
        '{"on": {"type": "string", "x-ref": "modle.id"}}}'
    )
    write(tmp_path, {"schema/facts/http.schema.json": text})
    with pytest.raises(LangError, match="did you mean 'model'"):
        load_content(tmp_path)
