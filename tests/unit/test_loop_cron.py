"""Cron lines as crontab(5) means them."""

import pytest

from engine.core.cron import cron_problem, next_due
from engine.core.values import format_instant, parse_instant


def following(line, after, zone="UTC"):
    return format_instant(next_due(line, parse_instant(after), zone))


TUESDAY = "2026-11-24T00:00:00Z"


@pytest.mark.parametrize(
    ("line", "due"),
    [
        ("0 3 * * *", "2026-11-24T03:00:00Z"),
        ("0 3 * * 0", "2026-11-29T03:00:00Z"),
        ("0 3 * * 7", "2026-11-29T03:00:00Z"),
        ("0 3 * * sun", "2026-11-29T03:00:00Z"),
        ("0 3 * * SUN", "2026-11-29T03:00:00Z"),
        ("0 2 * * 1-5", "2026-11-24T02:00:00Z"),
        ("*/15 * * * *", "2026-11-24T00:15:00Z"),
        ("0 0 1 jan *", "2027-01-01T00:00:00Z"),
        ("@daily", "2026-11-25T00:00:00Z"),
        ("@weekly", "2026-11-29T00:00:00Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
    ],
)
def test_when_a_line_comes_due(line, due):
    assert following(line, TUESDAY) == due


def test_either_day_will_do_where_both_are_restricted():
    assert following("0 3 13 * fri", "2026-11-24T00:00:00Z") == "2026-11-27T03:00:00Z"
    assert following("0 3 13 * fri", "2026-12-12T00:00:00Z") == "2026-12-13T03:00:00Z"


def test_a_star_restricts_nothing_so_both_must_fit():
    assert following("0 3 */2 * fri", "2026-11-28T00:00:00Z") == "2026-12-11T03:00:00Z"


def test_due_is_after_not_at():
    assert following("0 3 * * *", "2026-11-24T03:00:00Z") == "2026-11-25T03:00:00Z"
    assert following("0 3 * * *", "2026-11-24T02:59:59.999999Z") == "2026-11-24T03:00:00Z"


@pytest.mark.parametrize(
    ("line", "after", "due"),
    [
        ("0 3 * * *", "2026-11-24T00:30:00Z", "2026-11-24T02:00:00Z"),
        ("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"),
        ("30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
        ("30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        ("*/30 * * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"),
        ("*/30 * * * *", "2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z"),
    ],
)
def test_local_time_and_its_changes(line, after, due):
    assert following(line, after, "Europe/Berlin") == due


UNKNOWN = (
    ["", "* * * *", "* * * * * *", "60 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 * 13 *"],
    [
        "0 0 * * 8",
        "h * * * *",
        "0 0 l * *",
        "0 0 * * fri#2",
        "@reboot",
        "0 0 1w * *",
        "*/0 * * * *",
    ],
)


@pytest.mark.parametrize("line", [line for lines in UNKNOWN for line in lines])
def test_lines_that_crontab_does_not_know(line):
    assert "is not a cron line" in cron_problem(line)


def test_a_line_that_never_comes_due():
    assert cron_problem("0 0 31 2 *") is None
    with pytest.raises(ValueError, match="never comes due"):
        following("0 0 31 2 *", TUESDAY)
