"""The durable matcher: the `Matcher` port over value classes and durable-rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.rules.durable.kind import KindMatcher
from engine.rules.durable.tables import Account
from engine.rules.matcher import Hosts, Judge, Judged


class DurableMatcher:
    """Judges the conditions of one bundle through durable-rules.

    What the hosts answer is taken as fixed for the matcher's life, as a bundle is.
    """

    def __init__(self, conditions: Mapping[str, Sequence[Judged]], hosts: Hosts) -> None:
        self._account = Account()
        self._kinds = {
            kind: KindMatcher(kind, judged, hosts, self._account)
            for kind, judged in conditions.items()
            if judged
        }

    def judge(self, kind: str) -> Judge:
        """The judge of a kind; for one without conditions a judge that gives 0."""
        known = self._kinds.get(kind)
        return known.judge if known is not None else _nothing

    def counters(self) -> Mapping[str, int]:
        """`asked`: questions to durable-rules; `remembered`: its answers kept; `fallen_back`:
        conditions judged by the reference evaluator instead; `refused_nets`."""
        account = self._account
        return {
            "asked": account.asked,
            "remembered": account.remembered,
            "fallen_back": account.fallen_back,
            "refused_nets": account.refused_nets,
        }

    def close(self) -> None:
        """Frees the nets; a judge still in use goes on with the reference evaluator."""
        for kind in self._kinds.values():
            kind.close()


def _nothing(host: str | None, data: Mapping[str, object]) -> int:
    return 0


def build_durable(conditions: Mapping[str, Sequence[Judged]], hosts: Hosts) -> DurableMatcher:
    """Builds the engine's matcher (a `Build` of the port)."""
    return DurableMatcher(conditions, hosts)
