"""How runs look at the world: agents asked to collect at once, the engine's last facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.app.intake import Intake
from engine.core.facts import Fact
from engine.core.values import Json


@dataclass(frozen=True, slots=True)
class EngineObserver:
    """`engine.core.ports.Observer` over the engine's thread and the loop."""

    intake: Intake
    collect: Callable[[Sequence[str]], None]
    """Has the agents that post these kinds collect now; returns when their facts are judged."""

    def collect_now(self, kinds: Sequence[str]) -> None:
        self.collect(kinds)

    def latest(self, kind: str, host: str | None, key: Mapping[str, Json]) -> Sequence[Fact]:
        """The last state facts of a kind on a host whose key fields fit `key`."""
        facts = self.intake.call(lambda: list(self.intake.engine.facts(kind, host)))
        return [
            fact
            for fact in facts
            if all(fact.data.get(name) == value for name, value in key.items() if name != "host")
        ]

    def firing_open(self, firing: str) -> bool:
        engine = self.intake.engine
        return self.intake.call(lambda: any(open_.id == firing for open_ in engine.firings()))
