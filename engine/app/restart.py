"""How the engine comes back: the last snapshot, then the journal's end judged again."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from engine.app.intake import SNAPSHOT_NAME, SNAPSHOT_VERSION
from engine.core.decisions import Decision
from engine.core.errors import StoreError
from engine.core.facts import Fact
from engine.lang.model import Bundle
from engine.rules.engine import Engine
from engine.store.store import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """An engine as it stood when Wakil was last alive, and what it decided on the way there."""

    engine: Engine
    decisions: Sequence[Decision]
    position: int
    """Place in the journal of the last fact it has seen."""


def restore(bundle: Bundle, store: Store, now: int) -> Restored:
    """The engine at `now`, the rules for a restart applied.

    What the journal's end decides again is known by its firing when it is recorded. Where the
    snapshot cannot be used, the whole journal is judged again, but what it decides up to the
    snapshot's place is left out: that was dispatched in its time, under the rules of its time.
    """
    position, since = store.snapshots.place(SNAPSHOT_NAME) or (0, 0)
    try:
        saved = store.snapshots.load(SNAPSHOT_NAME)
        if saved is not None and saved.version != SNAPSHOT_VERSION:
            raise StoreError(f"it is of version {saved.version}, not {SNAPSHOT_VERSION}")
        state = cast("Mapping[str, Any] | None", saved.state if saved else None)
        return _judged(bundle, store, now, position, position, since, state)
    except Exception as error:
        # Whatever is wrong with it: the journal holds all that it was made of.
        why = error.message if isinstance(error, StoreError) else f"it is damaged: {error!r}"[:300]
        _log.warning(
            "the engine's saved state cannot be used (%s): all facts of the journal are judged "
            "again, from its beginning",
            why,
        )
    return _judged(bundle, store, now, 0, position, 0, None)


def _judged(
    bundle: Bundle,
    store: Store,
    now: int,
    after: int,
    dispatched: int,
    since: int,
    state: Mapping[str, Any] | None,
) -> Restored:
    """From `state`, taken at `since`, through the journal `after` a place. What facts up to the
    place `dispatched` decide is left out."""
    engine: Engine | None = None
    decisions: list[Decision] = []
    position = after
    for place, entry in store.journal.replay(after=after):
        if isinstance(entry, Fact):
            arrived = max(entry.arrived, since)
            if engine is None:
                engine = Engine(bundle, now=since or arrived, snapshot=state)
            decided = engine.feed(entry, arrived)
            if place > dispatched:
                decisions.extend(decided)
        position = place
    if engine is not None:
        state = engine.snapshot()
        engine.close()
    back = Engine(bundle, now=now, snapshot=state)
    decisions.extend(back.tick(now))
    return Restored(back, decisions, position)
