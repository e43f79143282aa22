"""Nets of durable-rules: answers over codes, limits kept, and what happens when one fails."""

from __future__ import annotations

from typing import Any

import durable_rules_engine as durable
import pytest

from engine.rules.durable import nets
from engine.rules.durable.nets import COMPARISONS, Net, NetRefused, share_out


def test_a_net_names_the_ranges_that_hold_a_code() -> None:
    net = Net([(0, 4), (3, 3), (4, 9)])
    assert net.ask(3) == {(0, 4), (3, 3)}
    assert net.ask(4) == {(0, 4), (4, 9)}
    assert net.ask(10) == set()
    assert net.ask(3) == {(0, 4), (3, 3)}
    net.close()


def test_every_range_of_a_full_net_can_hold_at_once() -> None:
    portions = list(share_out((0, high) for high in range(1, 200)))
    assert len(portions) > 3
    for portion in portions:
        assert 1 + 2 * len(portion) <= COMPARISONS
        net = Net(portion)
        assert net.ask(1) == set(portion)
        assert net.ask(500) == set()
        assert net.ask(portion[0][1]) == set(portion)
        net.close()


def test_many_first_comparisons_and_duplicates_are_shared_out() -> None:
    spans = [(code, code) for code in range(1200)] * 3
    portions = list(share_out(spans))
    assert sorted(span for portion in portions for span in portion) == sorted(set(spans))
    assert max(map(len, portions)) < COMPARISONS


def test_a_closed_net_refuses_and_closes_again_in_peace() -> None:
    net = Net([(1, 2)])
    net.close()
    net.close()
    with pytest.raises(NetRefused):
        net.ask(1)


@pytest.mark.parametrize("failing", ["assert_fact", "start_action", "complete_and_start_action"])
def test_after_an_error_the_net_is_never_asked_again(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    net = Net([(1, 2), (2, 2)])
    deleted: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(nets, "durable", _Failing(failing, deleted))
        with pytest.raises(NetRefused, match="error 303"):
            net.ask(2)
        with pytest.raises(NetRefused, match="closed"):
            net.ask(2)
    assert len(deleted) == 1


def test_lost_matches_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net([(1, 2)])
    monkeypatch.setattr(nets, "durable", _Silent())
    with pytest.raises(NetRefused, match="lost"):
        net.ask(1)


def test_a_net_that_cannot_be_made_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nets, "durable", _Failing("create_ruleset", []))
    with pytest.raises(NetRefused, match="error 303"):
        Net([(1, 2)])


class _Failing:
    """The C module, one of whose functions fails."""

    def __init__(self, failing: str, deleted: list[int]) -> None:
        self._failing = failing
        self._deleted = deleted

    def __getattr__(self, name: str) -> Any:
        if name == self._failing:
            return self._fail
        if name == "delete_ruleset":
            return self._delete
        return getattr(durable, name)

    def _fail(self, *arguments: object) -> None:
        raise RuntimeError("error 303")

    def _delete(self, handle: int) -> None:
        self._deleted.append(handle)
        durable.delete_ruleset(handle)


class _Silent:
    """The C module, where no match ever comes out."""

    def start_action(self, handle: int) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(durable, name)
