"""The matcher over its life: shared by threads, built and closed again and again."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine.lang.expression import at, parse
from engine.rules.durable import generate
from engine.rules.durable.matcher import build_durable
from engine.rules.matcher import Build, Judged
from engine.rules.reference import build_reference


class Hosts:
    def labels_of(self, host: str | None) -> Mapping[str, str]:
        return {}

    def vars_of(self, host: str | None) -> Mapping[str, Any]:
        return {}


def conditions(*texts: str) -> dict[str, list[Judged]]:
    return {"disk": [Judged("disk", parse(text, at("test.yaml")), {}) for text in texts]}


@pytest.mark.parametrize("build", [build_durable, build_reference])
def test_a_kind_without_conditions_holds_nothing(build: Build) -> None:
    matcher = build({**conditions("disk.a > 5"), "bare": []}, Hosts())
    assert matcher.judge("bare")("h", {"a": 9}) == 0
    assert matcher.judge("unheard-of")(None, {"a": 9}) == 0
    assert matcher.judge("disk")("h", {"a": 9}) == 1
    assert all(isinstance(value, int) for value in matcher.counters().values())
    matcher.close()
    matcher.close()


def test_many_terms_close_at_once() -> None:
    """Closing gives up term by term; the judge is written anew once, not each time."""
    written: list[str] = []
    matcher = build_durable(conditions(*(f"disk.f{n} > {n}" for n in range(400))), Hosts())
    data = {f"f{number}": 0.5 for number in range(400)}
    for _ in range(200):
        matcher.judge("disk")("h", data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            generate,
            "compile",
            lambda text, *rest: written.append(text) or compile(text, *rest),
            raising=False,
        )
        matcher.close()
    assert len(written) <= 1
    assert matcher.judge("disk")("h", data) == 1
    assert matcher.counters()["fallen_back"] == 400


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
