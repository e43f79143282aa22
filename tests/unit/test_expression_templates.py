"""Templates: text for people and values for actions, read once and never again."""

import pytest

from engine.core.errors import LangError, Position
from engine.lang.expression import MissingValue, at, parse_template, render_text, render_value

HERE = at("policies/disk.yaml", 3, 10)


def text(template, **scope):
    return render_text(parse_template(template, HERE), scope)


def value(template, **scope):
    return render_value(parse_template(template, HERE), scope)


def test_text_with_expressions():
    disk = {"mount": "/var", "used_percent": 95.5}
    shown = text("{{ disk.mount }} on {{host}} is {{ disk.used_percent | round }} % full",
                 disk=disk, host="web-1")  # fmt: skip
    assert shown == "/var on web-1 is 96 % full"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (95.0, "95"),
        (0.1 + 0.2, "0.3"),
        (1e21, "1e+21"),
        (float("nan"), "not a number"),
        (float("-inf"), "-infinity"),
        (2**100, "1267650600228229401496703205376"),
        (True, "true"),
        (None, "—"),
        ('it\'s "quoted"', 'it\'s "quoted"'),
        (["a", 1, None, [2.0, False]], "a, 1, —, 2, false"),
        ({"name": "x", "id": 3}, "name: x, id: 3"),
        ([], ""),
    ],
)
def test_values_read_as_people_read_them(given, shown):
    assert text("{{ x }}", x=given) == shown


def test_a_missing_value_shows_as_a_dash():
    assert text("no good backup of {{ host }} in {{ backup.age }} days") == (
        "no good backup of — in — days"
    )
    assert text("{{ default(host, 'nowhere') }}") == "nowhere"


def test_control_characters_of_facts_are_spelled_out_and_those_of_the_author_kept():
    hostile = "a\x1b[2J\nb\r\t\x00\u202ec\u2028\x9b\ud800é"
    assert text("line\n{{ x }}", x=hostile) == (
        "line\na\\x1b[2J\\nb\\r\\t\\x00\\u202ec\\u2028\\x9b\\ud800é"
    )


def test_what_was_inserted_is_not_read_again():
    assert text("{{ x }}", x="{{ 1 / 0 }} {{ secret }}") == "{{ 1 / 0 }} {{ secret }}"
    assert value("{{ x }}", x="{{ host }}") == "{{ host }}"


@pytest.mark.parametrize("given", [5, 5.0, True, None, "5", "-rf", [1, "a"], {"a": [None]}])
def test_a_whole_template_keeps_its_type(given):
    found = value("{{ x }}", x=given)
    assert found == given
    assert type(found) is type(given)


def test_text_around_makes_text_of_it():
    assert value("{{ x }} ", x=5) == "5 "
    assert value("{{ x }}{{ y }}", x=True, y=None) == "truenull"
    assert value("a\n{{ x }}", x="b\nc") == "a\nb\nc"


def test_trees_are_rendered_leaf_by_leaf():
    tree = {"a": [parse_template("{{ x }}", HERE), 5], "b": {"c": parse_template("y", HERE)}}
    assert render_value(tree, {"x": [1]}) == {"a": [[1], 5], "b": {"c": "y"}}


@pytest.mark.parametrize("template", ["{{ disk.mount }}", "/mnt{{ disk.mount }}"])
def test_a_missing_value_in_an_input_is_an_error_that_names_it(template):
    with pytest.raises(MissingValue) as caught:
        value(template, disk={})
    assert caught.value.expression == "disk.mount"
    column = 10 + template.index("disk")
    assert caught.value.position == Position("policies/disk.yaml", 3, column)
    assert str(caught.value) == (
        f"policies/disk.yaml:3:{column}: disk.mount: there is no value; "
        "cover it with default(…, …) where it may be missing"
    )


def test_default_covers_it():
    assert value('{{ disk.mount | default("/") }}', disk={}) == "/"


def test_text_is_cut_and_inputs_are_refused_beyond_64_kb():
    assert text("{{ x }}{{ x }}", x="é" * 30_000).endswith("…")
    assert len(text("{{ x }}{{ x }}", x="é" * 30_000).encode()) <= 64 * 1024
    with pytest.raises(MissingValue, match="longer than 64 kB"):
        value("{{ x }}{{ x }}", x="é" * 30_000)


@pytest.mark.parametrize(
    ("template", "column", "message"),
    [
        ("a {{ b", 12, "this {{ is not closed: a }} is missing"),
        ("a {{ b {{ c }}", 12, "this {{ is not closed: a }} is missing"),
        ("{{ }}", 13, "an expression is expected here, and there is nothing"),
        ("x {{ disk. }}", 20, "the name of a field is missing after the dot"),
        ("{{ for x in y }}", 13, "a value is missing before 'for'"),
        ("{% if x %}{{ y = 1 }}", 25, "= does not compare; write =="),
    ],
)
def test_mistakes_have_their_place(template, column, message):
    with pytest.raises(LangError) as caught:
        parse_template(template, HERE)
    (problem,) = caught.value.problems
    assert problem.message == message
    assert problem.position == Position("policies/disk.yaml", 3, column)


def test_every_mistake_is_told():
    with pytest.raises(LangError) as caught:
        parse_template("{{ a b }} and {{ c d }}", HERE)
    assert [problem.position.column for problem in caught.value.problems] == [15, 29]


def test_braces_that_are_text():
    assert text('{"a": {"b": 1}}') == '{"a": {"b": 1}}'
    assert text('{{ "{{" }} x {{ "}}" }}') == "{{ x }}"
    assert text("{ x } {% raw %} ${y}") == "{ x } {% raw %} ${y}"
    assert text("") == ""


def test_whole_and_constant_are_known():
    assert parse_template(" {{ x }}", HERE).whole is None
    assert parse_template("{{ x }}", HERE).whole.text == "x"
    assert parse_template("plain", HERE).constant
    assert not parse_template("{{ x }}", HERE).constant


def test_a_template_of_thousands_of_expressions_is_refused():
    with pytest.raises(LangError, match="at most 200 expressions"):
        parse_template("{{ a }}" * 100_000, HERE)
