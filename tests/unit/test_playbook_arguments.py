"""What a stranger wrote fills a place in a list of arguments: never a second one, no option."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import Bench, playbook

from engine.act.actions import COMMAND
from engine.app.loading import load_content
from engine.core.errors import LangError
from engine.core.runs import Run, Trigger
from engine.playbook.flow import carry_out

HOSTILE = [
    "-rf",
    "--output=/etc/passwd",
    "-",
    "; rm -rf /",
    "$(touch /tmp/x)",
    "`id`",
    "a\nb",
    "a b",
    '"',
    "'; --",
    "{{ vars.secret }}",
    "{{ inputs.message }}",
    "[1, 2]",
    "!!python/object",
    "\\x2drf",
    "*",
    "~",
    "$HOME",
    "\x1b[2J",
    "\u202e",
    "",
]


class Recorder:
    """Hands that note what they are asked to run."""

    def __init__(self) -> None:
        self.orders: list[Any] = []

    def act(self, order):
        self.orders.append(order.args)
        return {"exit_code": 0, "stdout": "", "stderr": ""}

    def open_log(self, root, path):
        raise AssertionError


def run(argv: Any, value: Any):
    """The step's end and what reached the hands, `message` being what a stranger gave."""
    bench = Bench()
    hands = Recorder()
    fields = {**vars(bench.env), "actions": {"command.run": COMMAND}, "hands": hands}
    bench.env = type(bench.env)(**fields)
    book = playbook(
        steps=[{"uses": "command.run", "with": {"argv": argv}}],
        inputs={"message": {"type": "string"}},
    )
    bench.env.store.add_run(_run(value))
    carry_out(bench.execution(book))
    return bench.store.get_run("r1"), hands.orders


def _run(value: Any):
    return Run("r1", "test", "queued", {"message": value}, Trigger(), "c1", "web-1", created=1)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_text_is_one_argument_or_refused(value):
    ended, orders = run(["/bin/echo", "{{ inputs.message }}", "--say={{ inputs.message }}"], value)
    if value.startswith("-"):
        assert ended.status == "failed"
        assert "'argv[1]' begins with '-'" in ended.error
        assert value not in ended.error.replace("'-'", "") or value == "-"
        assert orders == []
    else:
        assert ended.status == "succeeded"
        assert orders == [{"argv": ["/bin/echo", value, f"--say={value}"]}]


texts = st.text(max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_whatever_comes_there_are_three_arguments_or_none_at_all(value):
    ended, orders = run(["/bin/echo", "{{ inputs.message }}", "last"], value)
    if not orders:
        assert ended.status == "failed"
        assert ended.error
        return
    (order,) = orders
    assert len(order["argv"]) == 3
    assert isinstance(order["argv"][1], str | int | float)
    assert not str(order["argv"][1]).startswith("-")


@pytest.mark.parametrize("value", [["-rf", "/"], {"a": 1}, None])
def test_what_is_not_one_scalar_is_refused(value):
    ended, orders = run(["/bin/echo", "{{ inputs.message }}"], value)
    assert ended.status == "failed"
    assert "'argv[1]' must be one text or number" in ended.error
    assert orders == []


@pytest.mark.parametrize("value", [["/bin/rm", "-rf", "/"], "/bin/rm -rf /"])
def test_a_template_never_gives_the_whole_list(value):
    ended, orders = run("{{ inputs.message }}", value)
    assert ended.status == "failed"
    assert "'argv' must be written as a list" in ended.error
    assert orders == []


def test_an_option_that_the_author_wrote_is_one():
    _, orders = run(["/bin/ls", "-l", "--", "{{ inputs.message }}", "-{{ inputs.message }}"], "x")
    assert orders == [{"argv": ["/bin/ls", "-l", "--", "x", "-x"]}]


# ── and the check says so before ──────────────────────────────────────────────────────────────


def write(root: Path, argv: str) -> Path:
    (root / "playbooks").mkdir()
    (root / "playbooks/p.yaml").write_text(
        "name: p\ninputs: {args: {type: list, required: true}, word: {type: string}}\n"
        f"steps:\n  - uses: command.run\n    with:\n      argv: {argv}\n"
    )
    return root


def test_the_check_refuses_a_template_for_a_list(tmp_path):
    with pytest.raises(LangError) as raised:
        load_content(write(tmp_path, '"{{ inputs.args }}"'), {})
    assert [str(problem) for problem in raised.value.problems] == [
        "playbooks/p.yaml:6:14: 'argv' must be a list, one item for each argument: a template "
        "would let data decide how many there are"
    ]


@pytest.mark.parametrize(
    ("argv", "warned"),
    [
        ('[/bin/sh, -c, "echo {{ inputs.word }}"]', True),
        ('[bash, -ec, "{{ inputs.word }}"]', True),
        ('[/bin/sh, -c, \'echo "$1"\', sh, "{{ inputs.word }}"]', False),
        ('[/bin/echo, -c, "{{ inputs.word }}"]', False),
        ("[/bin/sh, -c, echo]", False),
        ("[/bin/sh]", False),
    ],
)
def test_the_check_warns_where_a_shell_would_read_data(tmp_path, argv, warned):
    bundle = load_content(write(tmp_path, argv), {}).bundle
    said = [str(warning) for warning in bundle.warnings]
    assert bool(said) == warned
    assert all("a shell reads what this template gives" in sentence for sentence in said)
