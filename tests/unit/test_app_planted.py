"""What others could have planted: root does not take it, and looking at it runs nothing."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.app.places import DataLock, ServerFile, hand_over
from engine.app.planted import refuse_planted, refuse_planted_content
from engine.core.errors import ContentError, SettingsError

NOBODY = pwd.getpwnam("nobody").pw_uid
ROOT = os.geteuid() == 0


@pytest.fixture
def content(tmp_path, monkeypatch):
    """A content directory that root may take; for others their own id counts as root's."""
    root = tmp_path / "content"
    for folder in ("policies/tests", "playbooks", "configs", "schema/facts"):
        (root / folder).mkdir(parents=True)
    (root / "policies/a.yaml").write_text("name: a\n")
    if not ROOT:
        own, real, look = os.geteuid(), os.lstat, Path.stat
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(
            Path, "lstat", lambda path: _as_root(real(path), own, path in stolen(root))
        )
        monkeypatch.setattr(Path, "stat", lambda path, **_: _as_root(look(path), own, False))
    return root


def _as_root(found, own, foreign):
    values = list(found)
    values[4] = NOBODY if foreign else (0 if values[4] == own else values[4])
    return os.stat_result(values)


_STOLEN: set[Path] = set()


def stolen(_root):
    return _STOLEN


def give_away(path, monkeypatch):
    """Another user's from here on."""
    if ROOT:
        os.chown(path, NOBODY, -1, follow_symlinks=False)
    else:
        monkeypatch.setattr(sys.modules[__name__], "_STOLEN", {path})


def test_what_is_roots_is_taken(content):
    refuse_planted_content(content)
    refuse_planted(content / "nowhere")


@pytest.mark.parametrize(
    "place", [".", "policies", "policies/a.yaml", "policies/tests", "configs", "schema/facts"]
)
def test_what_is_anothers_is_not(content, monkeypatch, place):
    give_away(content / place, monkeypatch)
    with pytest.raises(ContentError, match=f"belongs to user {NOBODY}, and Wakil runs as root"):
        refuse_planted_content(content)


@pytest.mark.parametrize("place", [".", "policies", "policies/a.yaml"])
def test_what_anyone_may_write_is_not(content, place):
    (content / place).chmod(0o777)
    with pytest.raises(ContentError, match="anyone may write to it"):
        refuse_planted_content(content)


def test_a_folder_above_in_which_anyone_may_rename_is_refused_and_a_sticky_one_is_not(content):
    content.parent.chmod(0o1777)
    refuse_planted_content(content)
    content.parent.chmod(0o777)
    with pytest.raises(ContentError, match="anyone may write to it"):
        refuse_planted_content(content)


def test_an_ordinary_user_takes_what_it_likes(content, monkeypatch):
    (content / "policies").chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    refuse_planted_content(content)


# ── the data directory of a server that is not root ───────────────────────────────────────────


def test_only_plain_files_with_one_name_are_handed_over(tmp_path, monkeypatch):
    """A server of before, or whoever took it over, put a second name of a file of root's there."""
    shadow = tmp_path / "shadow"
    shadow.write_text("root's")
    data = tmp_path / "data"
    data.mkdir()
    (data / "wakil.db").write_text("db")
    os.link(shadow, data / "server.json")
    (data / "link").symlink_to(shadow)
    os.mkfifo(data / "pipe")
    (data / "folder").mkdir()
    given = []
    monkeypatch.setattr(os, "fchown", lambda fd, uid, gid: given.append((os.fstat(fd).st_ino, uid)))
    own = hand_over(data, "nobody")
    assert sorted(given) == sorted(
        [((data / "wakil.db").stat().st_ino, NOBODY), (data.stat().st_ino, NOBODY)]
    )
    assert own == tmp_path / "data-hands"
    assert own.stat().st_mode & 0o777 == 0o700


def test_a_second_start_takes_what_the_first_handed_over(tmp_path):
    user = pwd.getpwuid(NOBODY if ROOT else os.geteuid()).pw_name
    data = tmp_path / "data"
    data.mkdir()
    (data / "wakil.db").write_text("db")
    for _ in range(2):
        refuse_planted(data, user)
        own = hand_over(data, user)
        assert (data / "wakil.db").stat().st_uid == data.stat().st_uid
        assert own.stat().st_uid == os.geteuid()
    if ROOT:
        with pytest.raises(ContentError, match=f"belongs to user {NOBODY}"):
            refuse_planted(data)


def test_the_hands_own_folder_is_not_a_link(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data-hands").symlink_to(tmp_path / "elsewhere")
    with pytest.raises((ContentError, SettingsError), match="is a link"):
        hand_over(tmp_path / "data", "nobody")


@pytest.mark.parametrize("plant", ["second name", "pipe"])
def test_a_lock_that_is_another_file_is_not_emptied(tmp_path, plant):
    victim = tmp_path / "victim"
    victim.write_text("whole")
    data = tmp_path / "data"
    data.mkdir()
    if plant == "pipe":
        os.mkfifo(data / "lock")
    else:
        os.link(victim, data / "lock")
    with pytest.raises(SettingsError, match="not a plain file"):
        DataLock(data).take()
    assert victim.read_text() == "whole"


def test_a_planted_server_file_is_told_from_our_own(tmp_path, monkeypatch):
    ServerFile("http://127.0.0.1:1", os.getpid(), "t").write(tmp_path)
    assert ServerFile.read(tmp_path).own
    assert (tmp_path / "server.json").stat().st_mode & 0o777 == 0o600
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    if ROOT:
        os.chown(tmp_path / "server.json", NOBODY, -1)
    assert not ServerFile.read(tmp_path).own
    (tmp_path / "server.json").rename(tmp_path / "moved")
    (tmp_path / "server.json").symlink_to(tmp_path / "moved")
    assert ServerFile.read(tmp_path) is None


# ── the real program in a planted directory ───────────────────────────────────────────────────

PLANTED = (
    "sitecustomize.py", "usercustomize.py", "gunicorn.conf.py", "conftest.py", "setup.py",
    "click.py", "yaml.py", "logging.py", "engine/__init__.py", "policies/__init__.py",
    "webui/__init__.py", "bin/git",
)  # fmt: skip
GIT = {
    "core.fsmonitor": "{s}", "core.hooksPath": "{d}", "core.pager": "{s}", "core.editor": "{s}",
    "core.sshCommand": "{s}", "core.gitProxy": "{s}", "core.askPass": "{s}", "diff.external": "{s}",
    "filter.evil.clean": "{s}", "filter.evil.smudge": "{s}", "filter.evil.process": "{s}",
    "filter.evil.required": "true", "credential.helper": "!{s}", "alias.rev-parse": "!{s}",
    "alias.ls-tree": "!{s}", "pager.ls-tree": "{s}", "uploadpack.packObjectsHook": "{s}",
    "trace2.eventTarget": "{d}/trace", "extensions.partialClone": "origin",
    "remote.origin.url": "ext::{s}", "remote.origin.promisor": "true", "gpg.program": "{s}",
}  # fmt: skip


@pytest.fixture
def planted(tmp_path):
    """A repository with everything in it that some program runs by itself."""
    root = tmp_path / "planted"
    (root / "policies").mkdir(parents=True)
    (root / "policies/a.yaml").write_text("name: a\nrules: [{name: r, when: cpu.percent > 90}]\n")
    (root / ".gitattributes").write_text("*.yaml filter=evil diff=evil\n")
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/canary\n")
    script.chmod(0o755)
    quiet = {"GIT_CONFIG_GLOBAL": "/dev/null", "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "policies"], [*who, "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=root, check=True, env=quiet, capture_output=True)
    for name, value in GIT.items():
        text = value.format(s=script, d=tmp_path / "hooks")
        subprocess.run(["git", "config", name, text], cwd=root, check=True, env=quiet)
    for folder in (tmp_path / "hooks", root / ".git/hooks"):
        folder.mkdir(exist_ok=True)
        for hook in ("post-index-change", "reference-transaction", "post-checkout", "pre-commit"):
            shutil.copy(script, folder / hook)
    for name in PLANTED:
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"open({str(tmp_path / 'canary')!r}, 'w')\n")
        path.chmod(0o755)
    (root / ".env").write_text(f"BASH_ENV={script}\n")
    (root / "dbos-config.yaml").write_text("name: evil\n")
    return root


@pytest.mark.parametrize("command", [["check"], ["test"], ["check", "."]], ids=" ".join)
def test_looking_at_it_runs_nothing(planted, tmp_path, command):
    """Under strace, where it may trace: only Python itself and git are ever executed."""
    trace = tmp_path / "trace"
    wakil = [str(Path(sys.executable).with_name("wakil")), *command]
    tracer = ["strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", str(trace)]
    can_trace = (
        shutil.which("strace")
        and not subprocess.run([*tracer, "true"], capture_output=True, check=False).returncode
    )
    done = subprocess.run(
        [*(tracer if can_trace else []), *wakil],
        cwd=planted,
        env={"PATH": os.environ["PATH"], "WAKIL_CONFIG": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "canary").exists()
    assert not (tmp_path / "hooks/trace").exists()
    if can_trace:
        ran = re.findall(r'execve\("([^"]+)".*= 0$', trace.read_text(), re.MULTILINE)
        assert ran
        # croniter, as it is imported, asks file(1) about Python itself.
        known = {"wakil", "python", "git", "file"}
        assert {Path(path).name.rstrip("0123456789.") for path in ran} <= known
        assert not any(path.startswith(str(planted)) for path in ran)
