"""Files by the hands' own functions: pruned, restored, emptied, opened, whoever renames what."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.act.hand import files, trash
from engine.act.hand.charter import Charter, parse
from engine.act.hand.files import open_log, plan_prune, prune, restore, truncate
from engine.act.hand.paths import open_beneath, open_root
from engine.act.hand.protocol import Refusal, Request


@pytest.fixture
def place(tmp_path):
    """A folder of logs, one that nobody may touch, and Wakil's own data beside them."""
    for name in ("logs", "outside", "data/hands", "data/trash"):
        (tmp_path / name).mkdir(parents=True)
    canary = tmp_path / "outside" / "canary.gz"
    canary.write_text("canary")
    os.utime(canary, (0, 0))
    return tmp_path


@pytest.fixture(params=["room", "no room"])
def room(request, monkeypatch):
    monkeypatch.setattr(files, "has_room", lambda *_: request.param == "room")
    return request.param == "room"


def charter(place, **more) -> Charter:
    data = place / "data"
    own = {"state": data / "hands", "trash": data / "trash", "pause": data / "paused"}
    listed = {"paths": [str(place / "logs")], "logs": [f"{place}/logs/*.log"]}
    return parse({name: str(path) for name, path in own.items()} | listed | more)


def ask(verb, step="steps.0", **args) -> Request:
    return Request(1, "run", step, 1, verb, args, None, time.time_ns() // 1000 + 60_000_000)


def old(path: Path, text="x" * 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (1000, 1000))
    return path


def take(place, step="steps.0", **more):
    args = {"path": str(place / "logs"), "pattern": "*.gz", "older_than": 60, "delete": True}
    return prune(charter(place), ask("files.prune", step, **(args | more)))


@pytest.mark.usefixtures("room")
def test_old_files_that_fit_go_and_others_stay(place):
    gone = [old(place / "logs/a.gz"), old(place / "logs/deep/er/b.gz")]
    stays = [old(place / "logs/a.log"), place / "logs/young.gz"]
    stays[1].write_text("young")
    reply = take(place)
    assert (reply["count"], reply["freed_bytes"], reply["changed"]) == (2, 2000, True)
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in stays)
    assert take(place, "steps.1")["count"] == 0


def test_trash_is_null_where_files_were_deleted(place, room):
    old(place / "logs/a.gz")
    assert (take(place)["trash"] is not None) == room


def test_nothing_is_deleted_unasked(place, monkeypatch):
    monkeypatch.setattr(files, "has_room", lambda *_: False)
    kept = old(place / "logs/a.gz")
    with pytest.raises(Refusal, match="deleting was not asked for"):
        take(place, delete=False)
    assert kept.exists()


def test_the_plan_changes_nothing(place, room):
    kept = old(place / "logs/a.gz")
    args = {"path": str(place / "logs"), "pattern": "*.gz", "older_than": 60}
    plan = plan_prune(charter(place), ask("files.plan", **args))
    assert plan == {"count": 1, "bytes": 1000, "trash": room}
    assert kept.exists()


@pytest.fixture(params=["one filesystem", "another filesystem"])
def filesystems(request, monkeypatch):
    """Renamed into the trash, or copied: the second as if the trash were mounted elsewhere."""
    monkeypatch.setattr(files, "has_room", lambda *_: True)
    if request.param == "another filesystem":
        monkeypatch.setattr(trash, "_same_filesystem", lambda *_: False)

        def cannot_link(*_, **__):
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(trash.os, "link", cannot_link)


@pytest.mark.usefixtures("filesystems")
def test_what_was_pruned_comes_back_as_it_was(place):
    first, second = old(place / "logs/a.gz", "one"), old(place / "logs/sub/a.gz", "two")
    first.chmod(0o640)
    reply = take(place)
    back = restore(charter(place), ask("files.restore", **{"from": reply["trash"]}))
    assert back == {"changed": True, "count": 2, "kept": 0}
    assert (first.read_text(), second.read_text()) == ("one", "two")
    assert first.stat().st_mode & 0o777 == 0o640
    assert first.stat().st_mtime == 1000
    assert not Path(reply["trash"]).exists()


@pytest.mark.usefixtures("filesystems")
def test_restoring_overwrites_nothing(place):
    path = old(place / "logs/a.gz", "before")
    reply = take(place)
    path.write_text("after")
    back = restore(charter(place), ask("files.restore", **{"from": reply["trash"]}))
    assert (back["count"], back["kept"]) == (0, 1)
    assert path.read_text() == "after"
    path.unlink()
    back = restore(charter(place), ask("files.restore", **{"from": reply["trash"]}))
    assert back["count"] == 1
    assert path.read_text() == "before"


@pytest.mark.usefixtures("filesystems")
def test_restoring_does_not_follow_a_link_that_took_the_folders_place(place):
    old(place / "logs/sub/evil.gz")
    reply = take(place)
    (place / "logs/sub").rmdir()
    (place / "logs/sub").symlink_to(place / "outside")
    with pytest.raises(Refusal, match="symbolic link"):
        restore(charter(place), ask("files.restore", **{"from": reply["trash"]}))
    assert [path.name for path in (place / "outside").iterdir()] == ["canary.gz"]


@pytest.mark.parametrize("given", ["/etc", "../../etc", "x" * 24, "/tmp/0123456789abcdef01234567"])
def test_only_folders_of_the_trash_are_restored(place, given):
    with pytest.raises(Refusal, match="trash"):
        restore(charter(place), ask("files.restore", **{"from": given}))


def test_an_old_trash_is_emptied(place, monkeypatch):
    monkeypatch.setattr(files, "has_room", lambda *_: True)
    old(place / "logs/a.gz")
    first = Path(take(place)["trash"])
    os.utime(first, (1000, 1000))
    old(place / "logs/b.gz")
    take(place, "steps.1")
    assert not first.exists()


@pytest.mark.parametrize(
    ("size", "free", "same", "room"),
    [
        (60, 1000, False, True),
        (60, 100, False, False),
        (60, 200, True, True),
        (60, 199, True, False),
    ],
)
def test_when_the_trash_has_room(place, monkeypatch, size, free, same, room):
    class Found:
        f_blocks, f_frsize, f_bavail = 1000, 1, free

    monkeypatch.setattr(trash.os, "statvfs", lambda _: Found)
    folder = str(place / "data/trash")
    device = Path(folder).stat().st_dev + (not same)
    assert trash.has_room(folder, device, size) == room


@pytest.mark.usefixtures("room")
def test_links_and_second_names_are_not_followed(place):
    logs, outside = place / "logs", place / "outside"
    (logs / "link.gz").symlink_to(outside / "canary.gz")
    (logs / "folder").symlink_to(outside)
    os.link(outside / "canary.gz", logs / "second.gz")
    os.mkfifo(logs / "pipe.gz")
    assert take(place)["count"] == 0
    assert (outside / "canary.gz").read_text() == "canary"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("{}/outside", "not beneath"),
        ("{}/logs/../outside", r"without '\.\.'"),
        ("logs", "absolute"),
        ("{}/logs/folder", "symbolic link"),
        ("{}/logsandmore", "not beneath"),
    ],
)
def test_paths_that_are_refused(place, path, words):
    (place / "logs/folder").symlink_to(place / "outside")
    with pytest.raises(Refusal, match=words):
        take(place, path=path.format(place))


def test_wakils_own_data_is_never_pruned(place, monkeypatch):
    monkeypatch.setattr(files, "has_room", lambda *_: False)
    own = old(place / "data/wakil.db")
    args = {"path": str(place), "pattern": "*", "older_than": 60, "delete": True}
    prune(charter(place, open=True), ask("files.prune", **args))
    assert own.exists()
    assert not (place / "outside/canary.gz").exists()


def test_truncate_empties_one_regular_file(place):
    path = old(place / "logs/big.log")
    reply = truncate(charter(place), ask("files.truncate", path=str(path)))
    assert (path.stat().st_size, reply["freed_bytes"]) == (0, 1000)
    (place / "logs/link.log").symlink_to(place / "outside/canary.gz")
    os.link(place / "outside/canary.gz", place / "logs/second.log")
    for name in ("link.log", "second.log"):
        with pytest.raises(Refusal):
            truncate(charter(place), ask("files.truncate", path=str(place / "logs" / name)))
    assert (place / "outside/canary.gz").read_text() == "canary"


def test_open_log_gives_a_descriptor_to_read_only(place):
    path = old(place / "logs/app.log", "line\n")
    root = str(place / "logs")
    descriptor = open_log(charter(place), ask("log.open", root=root, path="app.log"))
    assert os.read(descriptor, 100) == b"line\n"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(descriptor, b"x")
    os.close(descriptor)
    assert path.exists()


@pytest.mark.parametrize("path", ["../outside/canary.gz", "app.gz", "link.log", "pipe.log"])
def test_open_log_refuses_what_was_not_allowed(place, path):
    (place / "logs/link.log").symlink_to(place / "outside/canary.gz")
    os.mkfifo(place / "logs/pipe.log")
    old(place / "logs/app.gz")
    with pytest.raises(Refusal):
        open_log(charter(place), ask("log.open", root=str(place / "logs"), path=path))


RENAMING = """
import os, sys
os.chdir(sys.argv[1])
print("ready", flush=True)
while True:
    os.rename("sub", "aside")
    os.rename("link", "sub")
    os.rename("sub", "link")
    os.rename("aside", "sub")
"""


@pytest.fixture
def racing(place):
    """A process that swaps a folder for a link to where the canary lies, over and over."""
    (place / "logs/sub").mkdir()
    (place / "logs/link").symlink_to(place / "outside")
    with subprocess.Popen(
        [sys.executable, "-I", "-c", RENAMING, str(place / "logs")], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        yield
        assert process.poll() is None
        process.kill()


@pytest.mark.usefixtures("filesystems", "racing")
def test_pruning_while_folders_are_renamed_leads_nowhere(place):
    """What the folder's name stands for changes all the time; the canary's folder is never it."""
    pruned = 0
    for round_ in range(150):
        for name in ("sub", "aside"):
            try:
                directory = os.open(place / "logs" / name, os.O_RDONLY | os.O_NOFOLLOW)
            except OSError:
                continue
            os.close(os.open(f"{round_}.gz", os.O_CREAT | os.O_WRONLY, dir_fd=directory))
            os.utime(f"{round_}.gz", (1000, 1000), dir_fd=directory)
            os.close(directory)
        pruned += take(place, f"steps.{round_}")["count"]
        for deep in ("sub", "sub/canary.gz"):
            try:
                take(place, f"deep.{round_}.{deep}", path=f"{place}/logs/{deep}")
            except (Refusal, OSError):
                continue
    assert pruned > 0
    assert (place / "outside/canary.gz").read_text() == "canary"
    assert (place / "outside/canary.gz").stat().st_mtime == 0


@pytest.mark.usefixtures("racing")
def test_a_hundred_thousand_openings_never_reach_outside(place):
    """The opening itself, which all verbs stand on, while folders are renamed."""
    canary = (place / "outside/canary.gz").stat()
    top = open_root(str(place / "logs"))
    opened = refused = 0
    for _ in range(100_000):
        try:
            descriptor = open_beneath(top, "sub/canary.gz", os.O_RDONLY)
        except (Refusal, OSError):
            refused += 1
            continue
        opened += os.path.samestat(os.fstat(descriptor), canary)
        os.close(descriptor)
    os.close(top)
    assert (opened, refused) == (0, 100_000)
