"""The tree, its columns, and places in files."""

import pytest

from engine.core.errors import LangError, Position
from engine.lang.expression import at, parse, read_fields, read_names, unparse, uses_time
from engine.lang.expression.nodes import Bool, Call, Compare, Field, Literal_, Name
from engine.lang.expression.slicing import joined, operands
from engine.lang.expression.walk import calendars_of

HERE = at("policies/disk.yaml", 7, 11)


def test_the_tree_of_a_condition():
    expression = parse("disk.used_percent >= vars.full", HERE)
    assert expression.root == Compare(
        Field(Name("disk", 0), "used_percent", 5),
        ((">=", Field(Name("vars", 21), "full", 26)),),
        0,
    )
    assert expression.names == {"disk", "vars"}
    assert (expression.file, expression.line, expression.column) == ("policies/disk.yaml", 7, 11)
    assert expression.position(5) == Position("policies/disk.yaml", 7, 16)


def test_a_pipe_is_the_call_it_stands_for():
    piped = parse("x | round(1)", HERE).root
    assert isinstance(piped, Call)
    assert piped.function == "round"
    assert unparse(piped) == "round(x, 1)"


def test_columns_are_characters_behind_text_of_many_bytes():
    root = parse('"قرص" == disk.mount', HERE).root
    assert isinstance(root, Compare)
    assert root.rest[0][1] == Field(Name("disk", 9), "mount", 14)


def test_names_of_many_bytes_keep_columns_right():
    root = parse("vars.حد > 1 and disk.x < 2", HERE).root
    assert isinstance(root, Bool)
    assert root.operands[1].column == 16


def test_sizes_and_signs_are_constants():
    assert parse("-5", HERE).root == Literal_(-5, 0)
    assert parse("2 * 1 * GiB", HERE).root == Literal_(2 << 30, 0)


def test_a_comprehension_variable_is_no_name_of_the_expression():
    expression = parse("[p.name for p in webhook.body.items if p.cpu > vars.x]", HERE)
    assert expression.names == {"webhook", "vars"}
    assert read_names(expression.root) == {"webhook", "vars"}


def test_places_follow_a_text_over_several_lines():
    text = "disk.a > 1\nand disk.b = 2"

    def locate(offset):
        line, start = (3, 0) if offset <= 10 else (4, 11)
        return Position("f.yaml", line, 5 + offset - start)

    with pytest.raises(LangError) as caught:
        parse(text, locate)
    assert caught.value.problems[0].position == Position("f.yaml", 4, 16)
    fine = parse(text.replace("=", ">"), locate)
    assert fine.position(0) == Position("f.yaml", 3, 5)
    assert fine.position(15) == Position("f.yaml", 4, 9)


def test_operands_keep_their_places_and_open_brackets():
    expression = parse("a > 1 and (b > 2 and (c or d))", HERE)
    pieces = operands(expression, "and")
    assert [piece.text for piece in pieces] == ["a > 1", "b > 2", "c or d"]
    assert [piece.position().column for piece in pieces] == [11, 22, 33]
    together = joined([pieces[0], pieces[2]], "and")
    assert together.text == "a > 1 and (c or d)"
    assert together.position(together.text.index("d)")).column == 38


@pytest.mark.parametrize(
    ("first", "second"), [("x == 0", "x == false"), ("x == 1", "x == 1.0"), ("x == null", "x")]
)
def test_unparsed_text_tells_what_python_would_call_equal(first, second):
    assert unparse(parse(first, HERE).root) != unparse(parse(second, HERE).root)


@pytest.mark.parametrize(
    "text",
    [
        "(a + b) * c - (d - e)",
        "not (a and b) or c",
        "(a or b) and c",
        "(a < b) == true",
        "-(a + b)",
        'a["class"].b',
        "[p for p in a if p > 1 or p < 0]",
        "(-1)[0]",
    ],
)
def test_unparsed_text_means_the_same(text):
    once = unparse(parse(text, HERE).root)
    assert unparse(parse(once, HERE).root) == once


def test_fields_read_of_a_name():
    expression = parse('disk.a > 1 and disk["b"].c and len(cpu) > 0 and cpu[disk.d]', HERE)
    assert read_fields(expression, "disk") == {"a", "b", "d"}
    assert read_fields(expression, "cpu") == {"*"}
    assert read_fields(expression, "memory") == frozenset()


def test_the_clock_is_seen():
    assert uses_time(parse("time.hour > 5", HERE))
    assert uses_time(parse('disk.a > 1 and during("business")', HERE))
    assert not uses_time(parse("disk.time > 5", HERE))
    assert calendars_of(parse('during("a") or during(vars.b)', HERE)) == {"a", "*"}
