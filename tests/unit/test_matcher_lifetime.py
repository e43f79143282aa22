"""The matcher over its life: shared by threads, built and closed again and again."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from engine.lang.expression import at, parse
from engine.rules.durable.matcher import build_durable
from engine.rules.matcher import Judged


class Hosts:
    def labels_of(self, host: str | None) -> Mapping[str, str]:
        return {}

    def vars_of(self, host: str | None) -> Mapping[str, Any]:
        return {}


def conditions(*texts: str) -> dict[str, list[Judged]]:
    return {"disk": [Judged("disk", parse(text, at("test.yaml")), {}) for text in texts]}


def test_threads_share_a_matcher() -> None:
    texts = [f"disk.a > {number}" for number in range(300)]
    matcher = build_durable(conditions(*texts), Hosts())
    judge = matcher.judge("disk")
    start = threading.Barrier(4)

    def ask(shift: int) -> bool:
        start.wait()
        return all(
            judge("h", {"a": (number + shift) % 300 + 0.5}).bit_count()
            == (number + shift) % 300 + 1
            for number in range(300)
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, (0, 75, 150, 225)))
    assert matcher.counters()["fallen_back"] == 0
    matcher.close()


def test_reloads_give_back_their_memory() -> None:
    texts = conditions(*(f"disk.f{number % 30} > {number}" for number in range(300)))

    def reload() -> None:
        matcher = build_durable(texts, Hosts())
        matcher.judge("disk")("h", {f"f{number}": 299.5 for number in range(30)})
        matcher.close()

    for _ in range(10):
        reload()
    gc.collect()
    before = resident()
    for _ in range(40):
        reload()
    gc.collect()
    assert resident() - before < 8 * 2**20  # without freeing it would be about 200 MB


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
