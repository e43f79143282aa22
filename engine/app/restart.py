"""How the engine comes back: the last snapshot, then the journal's end judged again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from engine.app.intake import SNAPSHOT_NAME
from engine.core.decisions import Decision
from engine.core.facts import Fact
from engine.lang.model import Bundle
from engine.rules.engine import Engine
from engine.store.store import Store


@dataclass(frozen=True, slots=True)
class Restored:
    """An engine as it stood when Wakil was last alive, and what it decided on the way there."""

    engine: Engine
    decisions: Sequence[Decision]
    position: int
    """Place in the journal of the last fact it has seen."""


def restore(bundle: Bundle, store: Store, now: int) -> Restored:
    """The engine at `now`, the rules for a restart applied.

    What the journal's end decides again is known by its firing when it is recorded.
    """
    saved = store.snapshots.load(SNAPSHOT_NAME)
    position, since = (saved.position, saved.at) if saved else (0, 0)
    state = cast("Mapping[str, Any] | None", saved.state if saved else None)
    engine: Engine | None = None
    decisions: list[Decision] = []
    for place, entry in store.journal.replay(after=position):
        if isinstance(entry, Fact):
            arrived = max(entry.arrived, since)
            if engine is None:
                engine = Engine(bundle, now=since or arrived, snapshot=state)
            decisions.extend(engine.feed(entry, arrived))
        position = place
    if engine is not None:
        state = engine.snapshot()
        engine.close()
    back = Engine(bundle, now=now, snapshot=state)
    decisions.extend(back.tick(now))
    return Restored(back, decisions, position)
