"""The whole engine on the workload: speed, memory, reloads, compiling, the journal."""

from __future__ import annotations

import gc
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson

from benchmarks.workload import START, Weather, stream, write_content
from engine.core.facts import Fact
from engine.lang.door import Door
from engine.lang.loader import load
from engine.lang.model import Bundle
from engine.rules.engine import Engine
from engine.rules.simulate import as_line
from engine.store.store import Store

CHUNK = 20_000
STORM = 2_000
"""Facts a round in a storm, where most facts decide something."""


def bundle(rules: int) -> Bundle:
    """Content with so many rules, loaded and checked."""
    with tempfile.TemporaryDirectory() as root:
        content = write_content(Path(root) / "content", rules)
        return load(content, actions={}, agents={}, shared=False)


def resident() -> int:
    """Bytes of memory the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Stream:
    """Facts in chunks whose time goes on, fed to one engine."""

    def __init__(self, content: Bundle, weather: Weather, seed: int = 1) -> None:
        self.engine = Engine(content, now=START)
        self._weather: Weather = weather
        self._seed = seed
        self._clock = START
        self.decisions = 0

    def chunk(self, count: int) -> list[Fact]:
        """The next facts, made ahead so that making them is not measured."""
        self._seed += 1
        facts = list(stream(self._weather, count, self._seed, self._clock))
        self._clock = facts[-1].at + 25_000
        return facts

    def feed(self, facts: list[Fact]) -> float:
        """Facts a second of CPU."""
        feed, decided = self.engine.feed, 0
        began = time.process_time()
        for fact in facts:
            decided += len(feed(fact))
        spent = time.process_time() - began
        self.decisions += decided
        return len(facts) / spent


def speed(content: Bundle, weather: Weather, rounds: int) -> Iterator[tuple[float, float]]:
    """Facts a second and decisions a fact, round by round, once warm."""
    running = Stream(content, weather)
    size = CHUNK if weather == "calm" else STORM
    running.feed(running.chunk(size))
    gc.collect()
    for _ in range(rounds):
        facts = running.chunk(size)
        running.decisions = 0
        yield running.feed(facts), running.decisions / size
    running.engine.close()


def lines_per_second(content: Bundle, count: int) -> float:
    """From a line of JSON through the door to decisions as lines of JSON: lines a second of CPU."""
    running = Stream(content, "calm")
    running.feed(running.chunk(CHUNK))
    lines = [orjson.dumps(fact.to_json()) for fact in running.chunk(count)]
    admit, feed = Door(content.kinds).admit, running.engine.feed
    began = time.process_time()
    for line in lines:
        for decision in feed(admit(orjson.loads(line))):
            as_line(decision)
    spent = time.process_time() - began
    running.engine.close()
    return count / spent


def drift(content: Bundle, facts: int) -> dict[str, float]:
    """Growth of memory over so many facts, after as much warming up as makes caches full."""
    running = Stream(content, "calm")
    for _ in range(10):
        running.feed(running.chunk(CHUNK))
    gc.collect()
    before = resident()
    for _ in range(facts // CHUNK):
        running.feed(running.chunk(CHUNK))
    gc.collect()
    after = resident()
    running.engine.close()
    return {"facts": facts, "before_mb": before / 1e6, "drift_mb": (after - before) / 1e6}


def reloads(content: Bundle, times: int) -> dict[str, float]:
    """An engine that goes on with its content again and again: memory and milliseconds
    of CPU each."""
    running = Stream(content, "calm")
    spent = []
    memory = []
    for _ in range(times):
        facts = running.chunk(400)
        for fact in facts:
            running.engine.feed(fact)
        began = time.process_time()
        running.engine.reload(content, facts[-1].at)
        spent.append((time.process_time() - began) * 1e3)
        gc.collect()
        memory.append(resident())
    running.engine.close()
    early = memory[min(20, times - 1)]
    return {
        "reloads": times,
        "median_ms": statistics.median(spent),
        "after_20_mb": early / 1e6,
        "growth_mb": (memory[-1] - early) / 1e6,
    }


def compiling(rules: int) -> dict[str, float]:
    """Seconds from files to an engine that has judged a first round of facts."""
    began = time.process_time()
    content = bundle(rules)
    loaded = time.process_time()
    running = Stream(content, "calm")
    built = time.process_time()
    running.feed(running.chunk(400))
    first = time.process_time()
    running.engine.close()
    return {
        "rules": rules,
        "read_and_check_s": loaded - began,
        "compile_s": built - loaded,
        "first_round_s": first - built,
    }


def journal(facts: int, weather: Weather) -> dict[str, float]:
    """Bytes on disk for each million facts, packed, and facts a second written."""
    with tempfile.TemporaryDirectory() as root:
        store = Store.open(Path(root) / "wakil.db")
        source = stream(weather, facts)
        began = time.process_time()
        while chunk := [fact for fact, _ in zip(source, range(1000), strict=False)]:
            store.journal.append(chunk)
        appended = time.process_time() - began
        store.journal.compact()
        store.close()
        with closing(sqlite3.connect(Path(root) / "wakil.db")) as database:
            database.execute("VACUUM")
        size = (Path(root) / "wakil.db").stat().st_size
    return {
        "facts": facts,
        "mb_per_million": size / facts,
        "appended_per_second": facts / appended,
    }
