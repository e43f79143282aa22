"""`time` and `during`: instants in a zone, calendars, and when they next open or close."""

from zoneinfo import ZoneInfo

import pytest

from engine.core.values import MINUTE, MISSING, format_instant, parse_instant
from engine.lang.expression import (
    at,
    calendar_open,
    evaluate,
    next_edge,
    parse,
    time_fields,
    time_scope,
)
from engine.lang.model import Calendar

EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RIYADH = ZoneInfo("Asia/Riyadh")
BERLIN = ZoneInfo("Europe/Berlin")
BUSINESS = Calendar(
    "business", ("sun", "mon", "tue", "wed", "thu"), 9 * 60, 17 * 60, ("2026-12-24",)
)
NIGHTS = Calendar("nights", EVERY_DAY, 22 * 60, 7 * 60)


def instant(text):
    found = parse_instant(text)
    assert found is not None
    return found


def test_the_fields_of_an_instant_are_those_of_the_zone():
    assert time_fields(instant("2026-01-01T22:30:00Z"), RIYADH) == {
        "hour": 1,
        "minute": 30,
        "weekday": "fri",
        "date": "2026-01-02",
    }


@pytest.mark.parametrize("far", [10**20, -(10**20), 10**400])
def test_an_instant_beyond_the_calendar_has_no_fields(far):
    assert time_fields(far, RIYADH) == {}
    assert calendar_open(BUSINESS, far, RIYADH) is False
    assert next_edge(BUSINESS, far, RIYADH) is None


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-12-20T05:59:59Z", False),  # a sunday, a second before nine in Riyadh
        ("2026-12-20T06:00:00Z", True),
        ("2026-12-20T13:59:59Z", True),
        ("2026-12-20T14:00:00Z", False),
        ("2026-12-18T08:00:00Z", False),  # a friday
        ("2026-12-24T08:00:00Z", False),  # excepted
    ],
)
def test_business_hours(moment, is_open):
    assert calendar_open(BUSINESS, instant(moment), RIYADH) is is_open


def test_hours_that_pass_midnight_belong_to_the_day_they_begin_on():
    friday = Calendar("friday night", ("fri",), 22 * 60, 7 * 60)
    utc = ZoneInfo("UTC")
    assert calendar_open(friday, instant("2026-12-18T23:00:00Z"), utc)
    assert calendar_open(friday, instant("2026-12-19T06:59:00Z"), utc)
    assert not calendar_open(friday, instant("2026-12-19T07:00:00Z"), utc)
    assert not calendar_open(friday, instant("2026-12-18T06:00:00Z"), utc)
    excepted = Calendar("n", EVERY_DAY, 22 * 60, 7 * 60, ("2026-12-18",))
    assert not calendar_open(excepted, instant("2026-12-19T06:00:00Z"), utc)


def test_hours_that_end_where_they_start_are_the_whole_day():
    whole = Calendar("weekend", ("sat", "sun"), 0, 0)
    assert calendar_open(whole, instant("2026-12-19T12:00:00Z"), ZoneInfo("UTC"))
    assert not calendar_open(whole, instant("2026-12-18T12:00:00Z"), ZoneInfo("UTC"))


def edges(calendar, zone, start, count):
    found = []
    moment = instant(start)
    for _ in range(count):
        moment = next_edge(calendar, moment, zone)
        found.append((format_instant(moment), calendar_open(calendar, moment, zone)))
    return found


def test_edges_pass_weekends_and_exceptions():
    assert edges(BUSINESS, RIYADH, "2026-12-23T10:00:00Z", 3) == [
        ("2026-12-23T14:00:00Z", False),
        ("2026-12-27T06:00:00Z", True),
        ("2026-12-27T14:00:00Z", False),
    ]


def test_an_edge_is_after_its_instant():
    opens = instant("2026-12-20T06:00:00Z")
    assert next_edge(BUSINESS, opens - 1, RIYADH) == opens
    assert next_edge(BUSINESS, opens, RIYADH) == instant("2026-12-20T14:00:00Z")


def test_edges_follow_the_clock_forward_and_back():
    early = Calendar("early", EVERY_DAY, 2 * 60 + 30, 4 * 60)
    # 2026-03-29: from 02:00 straight to 03:00, so that the hours begin with the jump
    assert edges(early, BERLIN, "2026-03-28T12:00:00Z", 2) == [
        ("2026-03-29T01:00:00Z", True),
        ("2026-03-29T02:00:00Z", False),
    ]
    # 2026-10-25: 02:30 comes twice, and so do the hours
    assert edges(early, BERLIN, "2026-10-24T12:00:00Z", 4) == [
        ("2026-10-25T00:30:00Z", True),
        ("2026-10-25T01:00:00Z", False),
        ("2026-10-25T01:30:00Z", True),
        ("2026-10-25T03:00:00Z", False),
    ]


def test_between_two_edges_nothing_changes():
    for zone in (RIYADH, BERLIN):
        moment = instant("2026-10-23T00:00:00Z")
        for _ in range(6):
            edge = next_edge(NIGHTS, moment, zone)
            state = calendar_open(NIGHTS, moment, zone)
            for step in range(moment, edge, 7 * MINUTE):
                assert calendar_open(NIGHTS, step, zone) is state
            assert calendar_open(NIGHTS, edge, zone) is not state
            moment = edge


def test_a_calendar_that_never_changes_has_no_edge():
    assert next_edge(Calendar("never", (), 0, 60), instant("2026-01-01T00:00:00Z"), BERLIN) is None
    always = Calendar("always", EVERY_DAY, 0, 24 * 60)
    assert next_edge(always, instant("2026-01-01T00:00:00Z"), BERLIN) is None


def test_an_exception_far_ahead_is_an_edge():
    always = Calendar("always", EVERY_DAY, 0, 24 * 60, ("2026-12-25",))
    assert edges(always, ZoneInfo("UTC"), "2026-01-01T00:00:00Z", 2) == [
        ("2026-12-25T00:00:00Z", False),
        ("2026-12-26T00:00:00Z", True),
    ]


def test_conditions_read_the_clock_of_their_scope():
    scope = time_scope(instant("2026-12-20T06:00:00Z"), RIYADH, {"business": BUSINESS})
    wanted = 'during("business") and time.hour == 9 and time.weekday == "sun"'
    assert evaluate(parse(wanted, at("r.yaml")), scope) is True
    assert evaluate(parse('time.date == "2026-12-20"', at("r.yaml")), scope) is True
    assert evaluate(parse('during("unknown")', at("r.yaml")), scope) is MISSING
    assert evaluate(parse("during(5)", at("r.yaml")), scope) is MISSING
    assert evaluate(parse('not during("business")', at("r.yaml")), {}) is True
