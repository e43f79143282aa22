"""The durable matcher and the reference evaluator, held together on random conditions and facts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.lang.expression import at, parse
from engine.rules.durable import generate, usual
from engine.rules.durable.matcher import build_durable
from engine.rules.matcher import Judged
from engine.rules.reference import build_reference

FIELDS = ["a", "b", "name", "text", "tags", "ok"]
WORDS = ["", "x", "nginx", "/var", "é", "e\u0301", "a\x00b", "99", "وكيل", "𝕏", "\ud800"]
EDGES = [2**53 - 1, 2**53, 2**53 + 1, 2**63, 2**64 - 1, 2**64 + 1, -(2**53) - 1]
VARS: Mapping[str, Any] = {"full": 90, "word": "nginx", "list": ["x", 5, None, True], "off": False}


class Hosts:
    """Two hosts of hosts.yaml, one with variables of its own; all others bare."""

    LABELS: Mapping[str, Mapping[str, str]] = {"web": {"role": "web"}, "db": {"role": "db"}}
    VARS: Mapping[str, Mapping[str, Any]] = {"db": {"full": 2**53, "word": None}}

    def labels_of(self, host: str | None) -> Mapping[str, str]:
        return self.LABELS.get(host or "", {})

    def vars_of(self, host: str | None) -> Mapping[str, Any]:
        return self.VARS.get(host or "", {})


@pytest.fixture(autouse=True, scope="module")
def quick_learning() -> Iterator[None]:
    """The usual case is learnt, and learnt again, within a short stream."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(usual, "SAMPLE", 3)
        patch.setattr(generate, "UNUSUAL", 3)
        yield


def quoted(text: str) -> str:
    return '"' + "".join(
        character if character.isalnum() or character in "/" else f"\\u{ord(character):04x}"
        for character in text
    ) + '"'  # fmt: skip


numbers = st.one_of(
    st.sampled_from(["0", "5", "90", "90.5", "0.1", "1e300", "-3", "1e-09", "1e16"]),
    st.sampled_from([str(edge) for edge in EDGES]),
    st.integers(-5, 100).map(str),
)
strings = st.sampled_from(["x", "nginx", "/var", "é", "99", "وكيل", ""]).map(quoted)
constants = st.one_of(
    numbers,
    strings,
    st.sampled_from(["true", "false", "null", "vars.full", "vars.word", "2 * KiB"]),
)
relations = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
field = st.sampled_from([f"k.{name}" for name in FIELDS])
terms = st.one_of(
    field, field, field,
    st.sampled_from([
        "k.a + k.b", "k.a * 2 - 1", "k.a / k.b", "k.a % 3", "-k.a", "len(k.name)", "len(k.tags)",
        "lower(k.name)", "round(k.a)", "abs(k.b)", "labels.role", "labels.site", "host",
        "vars.full", "vars.absent", "k.tags[0]", "k.deep.er", "default(k.a, 5)", "max(k.a, k.b)",
        "k.a * vars.full", "get(vars, k.name)", "k",
    ]),
)  # fmt: skip
atoms = st.one_of(
    st.builds("{} {} {}".format, terms, relations, constants),
    st.builds("{} {} {}".format, constants, relations, terms),
    st.builds("{} {} {}".format, terms, relations, terms),
    st.builds("{} < {} <= {}".format, constants, terms, constants),
    st.builds(
        "{} {} [{}]".format, terms, st.sampled_from(["in", "not in"]),
        st.lists(constants, max_size=3).map(", ".join),
    ),
    st.builds("{} {} {}".format, constants, st.sampled_from(["in", "not in"]), terms),
    st.builds("{} in vars.list".format, terms),
    st.builds('startswith({}, "n")'.format, terms),
    st.builds('contains({}, "x")'.format, terms),
    st.builds('search({}, "^n.*x$")'.format, terms),
    st.builds("defined({})".format, terms),
    st.sampled_from(["k.ok", "true", "false", "vars.off", "[t for t in k.tags if t > 3] == [5]"]),
)  # fmt: skip
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("(({}) or ({})) == true".format, inner, inner),
    ),
    max_leaves=6,
)
values = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 100), st.sampled_from(EDGES),
    st.sampled_from([float(edge) for edge in EDGES]), st.floats(),
    st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 10**400, -(10**400), 90.5, 0.1]),
    st.sampled_from(WORDS), st.text(max_size=3),
    st.lists(st.sampled_from([5, "x", None]), max_size=3),
    st.dictionaries(st.sampled_from(["er", "x"]), st.integers(0, 3), max_size=1),
)  # fmt: skip
facts = st.dictionaries(st.sampled_from([*FIELDS, "deep", "extra"]), values, max_size=8)
hosts = st.sampled_from([None, "web", "db", "other"])


def judged(*texts: str, vars: Mapping[str, Any] = VARS) -> list[Judged]:
    return [Judged("k", parse(text, at("test.yaml")), vars) for text in texts]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(conditions, min_size=1, max_size=6),
    st.lists(st.tuples(hosts, facts), min_size=1, max_size=6),
)
@example(["not (k.a > 5)", "k.a <= 5"], [("web", {}), ("web", {"a": math.nan})])
@example(["k.a > vars.full"], [("db", {"a": 2**53 + 1}), ("web", {"a": 90}), ("db", {"a": 91})])
def test_both_matchers_agree(
    texts: list[str], stream: list[tuple[str | None, dict[str, Any]]]
) -> None:
    conditions = {"k": judged(*texts)}
    durable, reference = build_durable(conditions, Hosts()), build_reference(conditions, Hosts())
    judge, truth = durable.judge("k"), reference.judge("k")
    try:
        # again from memory; then much alike, so that there is a usual case; then all again
        for host, data in [*stream, *stream, *stream[:1] * 4, *stream, *stream[-1:] * 4, *stream]:
            assert judge(host, data) == truth(host, data), (texts, host, data)
        assert durable.counters()["fallen_back"] == 0
    finally:
        durable.close()
    for host, data in stream:  # and after closing by falling back
        assert judge(host, data) == truth(host, data), (texts, host, data)
