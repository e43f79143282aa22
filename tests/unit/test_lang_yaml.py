"""YAML 1.2 with positions, and its limits."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.errors import LangError
from engine.lang.yaml import Fields, Node, Scalar, parse, parse_partly, to_json

CALM = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no mistake."""


def scalar(text: str, key: str = "a") -> Scalar:
    tree = parse(text, "f.yaml")
    assert isinstance(tree, Fields)
    found = tree.get(key)
    assert isinstance(found, Scalar)
    return found


def said(text: str | bytes) -> list[str]:
    with pytest.raises(LangError) as raised:
        parse(text, "f.yaml")
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("90", 90),
        ("-5", -5),
        ("+5", 5),
        ("007", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("True", "True"),
        ("NULL", "NULL"),
        ("~", "~"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("12:30:00", "12:30:00"),
        ("2026-01-01", "2026-01-01"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("'90'", "90"),
        ('"true"', "true"),
        ("9223372036854775807", 9223372036854775807),
    ],
)
def test_what_a_scalar_means(text: str, value: Any) -> None:
    found = scalar(f"a: {text}\n").value
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_as_written() -> None:
    assert to_json(parse("{200: a, true: b, null: c}", "f")) == {
        "200": "a",
        "true": "b",
        "null": "c",
    }


def places(found: Scalar) -> list[str]:
    return [str(found.locate(at)).removeprefix("f.yaml:") for at in range(len(found.text))]


def test_places_in_plain_text_over_lines() -> None:
    found = scalar("b: ä\na: é x\n   y\n")
    assert found.text == "é x y"
    assert places(found) == ["2:4", "2:5", "2:6", "2:7", "3:4"]


def test_places_behind_escapes() -> None:
    found = scalar('a: "\\u00e9\\tx\\\n     y"\n')
    assert found.text == "é\txy"
    assert places(found) == ["1:5", "1:11", "1:13", "2:6"]


def test_places_behind_doubled_quotes() -> None:
    found = scalar("a: 'it''s  on\n\n  two'\n")
    assert found.text == "it's  on\ntwo"
    assert places(found)[:6] == ["1:5", "1:6", "1:7", "1:9", "1:10", "1:11"]
    assert places(found)[-3:] == ["3:3", "3:4", "3:5"]


def test_places_in_a_literal_block() -> None:
    found = scalar("a: |2-\n    x\n\n  yz\n")
    assert found.text == "  x\n\nyz"
    assert places(found) == ["2:3", "2:4", "2:5", "2:6", "3:1", "4:3", "4:4"]


def test_places_in_a_folded_block() -> None:
    found = scalar("a: >  # folded\n  one\n  two\n\n    in\n  out\n")
    assert found.text == "one two\n\n  in\nout\n"
    where = dict(zip(found.text, places(found), strict=True))
    assert (where["w"], where["i"], where["u"]) == ("3:4", "5:5", "6:4")


def test_a_block_that_ends_with_the_file() -> None:
    found = scalar("a: |\n  xy")
    assert places(found) == ["2:3", "2:4"]


def test_the_end_of_a_value_has_a_place() -> None:
    assert str(scalar('a: "xy" # z\n').locate(99)) == "f.yaml:1:7"


@CALM
@given(st.text(alphabet=" \tab'\"\\\né#:-", max_size=30))
def test_every_character_is_found_where_it_stands(text: str) -> None:
    """Whatever is quoted comes back as it was, each plain character at its own place."""
    quoted = '"' + "".join(f"\\x{ord(c):02x}" if c in '"\\\n\t' else c for c in text) + '"'
    source = f"a: {quoted}\n"
    found = scalar(source)
    assert found.value == text
    for offset, character in enumerate(text):
        if character not in '"\\\n\t':
            place = found.locate(offset)
            assert source[place.column - 1] == character


@CALM
@given(st.lists(st.text(alphabet=" abé#", max_size=12), min_size=1, max_size=6), st.booleans())
def test_blocks_keep_their_places(lines: list[str], folded: bool) -> None:
    body = "".join(f"  x{line}\n" for line in lines)
    source = f"a: {'>' if folded else '|'}\n{body}"
    found = scalar(source)
    for offset, character in enumerate(found.text):
        if character not in " \n":
            place = found.locate(offset)
            assert source.split("\n")[place.line - 1][place.column - 1] == character


@CALM
@given(st.binary(max_size=200))
def test_nothing_but_problems_comes_out(data: bytes) -> None:
    node, problems = parse_partly(data, "f")
    assert (node is None) <= bool(problems)


@CALM
@given(st.text(alphabet="[]{}:,-?&*!|>'\"%@` \n\tab#", max_size=60))
def test_hostile_syntax_gives_problems_only(text: str) -> None:
    node, problems = parse_partly(text, "f")
    assert (node is None) <= bool(problems)


def test_several_mistakes_are_said_at_once() -> None:
    assert said("a: 1\na: 2\nb: !!str x\nc: 1e999\n") == [
        "f.yaml:2:1: the key 'a' stands twice; first in line 1",
        "f.yaml:3:4: tags are not read: remove '!!str'",
        "f.yaml:4:4: the number 1e999 is too large",
    ]


def test_an_alias_stands_for_its_anchor() -> None:
    tree = parse("a: &x [1, 2]\nb: *x\n", "f")
    assert to_json(tree) == {"a": [1, 2], "b": [1, 2]}


def test_an_alias_inside_itself() -> None:
    assert said("a: &x [*x]\n") == ["f.yaml:1:8: the alias *x stands inside itself"]


def levels(count: int) -> str:
    return "[" * count + "]" * count


def test_64_levels_are_taken_and_65_are_not() -> None:
    assert isinstance(parse(levels(64), "f"), Node)
    assert said(levels(65)) == ["f.yaml:1:65: nested deeper than 64 levels"]


def test_depth_counts_through_aliases() -> None:
    text = f"a: &x {levels(62)}\nb: [*x]\n"
    assert isinstance(parse(text, "f"), Fields)
    assert said(f"a: &x {levels(62)}\nb: [[*x]]\n") == ["f.yaml:2:6: nested deeper than 64 levels"]


def test_10_000_aliased_nodes_are_taken_and_more_are_not() -> None:
    anchored = f"a: &x [{', '.join('1' * 99)}]\n"
    assert isinstance(parse(f"{anchored}b: [{', '.join(['*x'] * 100)}]\n", "f"), Fields)
    assert said(f"{anchored}b: [{', '.join(['*x'] * 101)}]\n") == [
        "f.yaml:2:405: aliases stand for more than 10,000 nodes"
    ]


def test_more_than_a_megabyte_is_not_read() -> None:
    assert said("a" * 1_000_001) == [
        "f.yaml:1:1: the file has 1,000,001 bytes; at most 1 MB is read"
    ]


HOSTILE = {
    "flow nesting": "b'[' * 100_000",
    "flow mappings": "b'{a: ' * 100_000",
    "block nesting": "b'- ' * 100_000",
    "block mappings": "b'\\n'.join(b' ' * i + b'a:' for i in range(1_300))",
    "complex keys": "b'? ' * 100_000",
    "alias bomb": (
        "b'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\\n' + b''.join("
        "b'a%d: &a%d [' % (i, i) + b','.join([b'*a%d' % (i - 1)] * 10) + b']\\n'"
        " for i in range(1, 30))"
    ),
    "anchors": "b''.join(b'- &a%d x\\n' % i for i in range(60_000))",
    "binary": "bytes(range(256)) * 3_900",
    "duplicate keys": "b'{' + b'a,' * 400_000 + b'}'",
    "many values": "b'[' + b'1,' * 490_000 + b']'",
    "open quote": "b'\"' + b'\\\\n' * 490_000",
    "long key": "b'a' * 999_000 + b': b'",
    "quotes": "b'a: ' + b\"'\" * 999_000",
    "colons": "b': ' * 490_000",
    "one line": "b'a: b ' * 150_000",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_yaml_stays_within_a_second_and_256_megabytes(name: str) -> None:
    """The child is killed by the kernel where it takes more; the start of Python is not counted."""
    code = (
        "import resource, sys, time\n"
        "from engine.lang.yaml import parse_partly\n"
        f"data = {HOSTILE[name]}\n"
        "used = time.process_time()\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 2, int(used) + 2))\n"
        "resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))\n"
        "node, problems = parse_partly(data, 'hostile.yaml')\n"
        "print(len(problems))\n"
        "assert all(len(str(problem)) < 400 for problem in problems)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert int(done.stdout) <= 101
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
