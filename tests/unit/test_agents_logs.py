"""Following logs: every line once, across rotation, truncation and restarts."""

import json
import os

import pytest

from agents import journal, logs
from agents.lines import parse_entry, parse_line
from engine.core.errors import Refused
from engine.core.ports import AgentContext
from engine.core.values import SECOND


class Clock:
    """Goes on by three seconds each time it is asked, so that each round looks for new files."""

    def __init__(self):
        self.at = 1_800_000_000 * SECOND

    def now(self):
        self.at += 3 * SECOND
        return self.at


class Memory(dict):
    def set(self, key, value):
        self[key] = json.loads(json.dumps(value))


class PlainHands:
    """Opens like the hands do, within this process; `refused` names are not to be read."""

    def __init__(self):
        self.refused = set()

    def open_log(self, root, path):
        if path in self.refused:
            raise Refused("not among the logs that may be read")
        return os.open(f"{root}/{path}", os.O_RDONLY | os.O_NOFOLLOW)


class Follower:
    def __init__(self, folder):
        self.folder = folder
        self.memory, self.hands, self.agent = Memory(), PlainHands(), None
        self.start()

    def start(self, *, journal=False):
        self.stop()
        settings = {"files": [str(self.folder / "*.log")], "journal": journal}
        self.agent = logs.AGENT.build(AgentContext(settings, self.hands, Clock(), self.memory))

    def stop(self):
        if self.agent is not None:
            self.agent.close()

    def facts(self):
        return [observation.data for observation in self.agent.collect().observations]

    def lines(self):
        return [fact["message"] for fact in self.facts()]


@pytest.fixture
def follower(tmp_path):
    (tmp_path / "app.log").write_text("before\n")
    follower = Follower(tmp_path)
    assert follower.lines() == [], "what was there before the first look is not read"
    assert follower.lines() == []
    yield follower
    follower.stop()


def add(path, text):
    with path.open("a") as file:
        file.write(text)


@pytest.fixture
def app(tmp_path):
    return tmp_path / "app.log"


def test_lines_come_once_and_whole(follower, app):
    add(app, "one\ntwo\nthr")
    assert follower.lines() == ["one", "two"]
    assert follower.lines() == []
    add(app, "ee\n")
    assert follower.lines() == ["three"]


def test_a_file_that_comes_later_is_read_from_its_beginning(follower, tmp_path):
    add(tmp_path / "new.log", "first\n")
    add(tmp_path / "other.txt", "not ours\n")
    assert follower.lines() == ["first"]


def test_rotation_by_renaming_loses_nothing(follower, app, tmp_path):
    add(app, "one\n")
    assert follower.lines() == ["one"]
    app.rename(tmp_path / "app.log.1")
    add(tmp_path / "app.log.1", "late\nunended")
    assert follower.lines() == ["late"]
    add(app, "new\n")
    assert follower.lines() == ["unended", "new"]
    assert follower.lines() == []


@pytest.mark.parametrize("text", ["short\n", "as long as it was before or longer\n" * 20])
def test_truncation_begins_anew(follower, app, text):
    add(app, "something\n" * 5)
    assert len(follower.lines()) == 5
    app.write_text(text)
    assert follower.lines() == text.splitlines()


def test_a_restart_goes_on_where_it_ended(follower, app):
    add(app, "one\n")
    assert follower.lines() == ["one"]
    follower.lines()
    add(app, "two\n")
    follower.start()
    assert follower.lines() == ["two"]


def test_a_kill_before_the_next_look_repeats_lines_rather_than_losing_them(follower, app):
    add(app, "one\n")
    assert follower.lines() == ["one"]
    follower.start()
    assert follower.lines() == ["one"]


def test_rotation_while_away_loses_nothing(follower, app, tmp_path):
    add(app, "one\n")
    follower.lines()
    follower.lines()
    add(app, "away\n")
    app.rename(tmp_path / "app.log.1")
    add(app, "after\n")
    follower.start()
    assert follower.lines() == ["away", "after"]


def test_another_file_in_its_place_while_away_is_read_whole(follower, app, tmp_path):
    add(app, "one\n")
    follower.lines()
    follower.lines()
    app.unlink()
    add(tmp_path / "app.log", "other\n" * 10)
    follower.start()
    assert follower.lines() == ["other"] * 10


def test_a_flood_is_read_in_bounded_pieces(follower, app):
    add(app, "".join(f"line {n} {'x' * 90}\n" for n in range(10_000)))
    rounds = []
    while got := follower.lines():
        rounds.append(len(got))
    assert sum(rounds) == 10_000
    assert max(rounds) <= 256 * 1024 // 90


def test_what_is_too_much_is_passed_over_aloud(follower, app, monkeypatch):
    monkeypatch.setattr("agents.tail.MAX_BEHIND", 300_000)
    add(app, "x" * 99 + "\n")
    add(app, ("y" * 99 + "\n") * 5000)
    facts = follower.facts()
    assert "bytes of" in facts[0]["message"]
    assert facts[0]["level"] == "warning"
    assert facts[-1]["message"] == "y" * 99


def test_a_line_without_an_end_is_cut(follower, app):
    add(app, "z" * 300_000 + "\nnext\n")
    lines = follower.lines() + follower.lines()
    assert lines[-1] == "next"
    assert max(map(len, lines)) == 8193


def test_a_link_is_not_followed_and_reported_once(follower, tmp_path, caplog):
    add(tmp_path / "secret", "canary\n")
    (tmp_path / "evil.log").symlink_to(tmp_path / "secret")
    assert follower.lines() == follower.lines() == []
    assert [message for message in caplog.messages if "evil.log" in message] == caplog.messages
    assert len(caplog.messages) == 1


def test_what_may_not_be_read_leaves_the_rest_alone(follower, app, tmp_path):
    follower.hands.refused.add("secret.log")
    add(tmp_path / "secret.log", "canary\n")
    add(app, "one\n")
    assert follower.lines() == ["one"]


def test_a_deleted_file_is_no_failure(follower, app):
    app.unlink()
    assert follower.lines() == []
    follower.start()
    assert follower.lines() == []
    add(app, "back\n")
    assert follower.lines() == ["back"]


# ── what a line says ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("2026-11-24 10:00:00 ERROR boom", "error"),
        ("[warn] careful", "warning"),
        ('{"level": "fatal", "msg": "x"}', "critical"),
        ("time=now level=info msg=hello", "info"),
        ("<3>kernel: broken", "error"),
        ("<14>hello", "info"),
        ("error: no such file", "error"),
        ("CRITICAL:root:x", "critical"),
        ("DEBUG x", "debug"),
        ("[Tue Nov 24] [core:error] [pid 1] x", "error"),
        ("no errors were found", None),
        ("information about warnings", None),
        ("x" * 300 + " ERROR", None),
    ],
)
def test_levels(line, level):
    assert parse_line("f", line.encode()).get("level") == level


@pytest.mark.parametrize(
    "stamp", ["Nov 24 10:00:00", "Nov  4 10:00:00", "2026-11-24T10:00:00.123+03:00"]
)
def test_syslog_lines_name_their_program(stamp):
    fact = parse_line("f", f"{stamp} web-1 sshd[42]: Failed password".encode())
    assert (fact["unit"], fact["message"]) == ("sshd", "Failed password")


@pytest.mark.parametrize(
    "evil",
    [b"\x1b[2J\x1b[31mred", b"a\rb", b"a\x00b", b"\xff\xfe", "\u202eabc\u2028".encode(), b"\x9b1m"],
)
def test_control_characters_are_escaped(evil):
    message = parse_line("f", b"before " + evil)["message"]
    assert message.startswith("before ")
    assert message.replace("\ufffd", "?").isprintable()


def test_words_of_any_language_stay_as_they_are():
    assert parse_line("f", "القرص ممتلئ — 95 %".encode())["message"] == "القرص ممتلئ — 95 %"


def entry(**fields):
    return json.dumps({"__CURSOR": "c", "__REALTIME_TIMESTAMP": "5", **fields}).encode()


def test_an_entry_of_the_journal():
    fact, at, cursor = parse_entry(
        entry(MESSAGE="hello", PRIORITY="3", _SYSTEMD_UNIT="nginx.service")
    )
    assert fact == {"source": "journal", "unit": "nginx", "level": "error", "message": "hello"}
    assert (at, cursor) == (5, "c")


def test_a_program_cannot_say_it_is_another():
    """`logger -t sshd`: what a sender says of itself names no unit; the journal's own fields do."""
    forged = {"SYSLOG_IDENTIFIER": "sshd", "SYSLOG_PID": "1", "UNIT": "ssh.service"}
    fact, _, _ = parse_entry(entry(MESSAGE="Failed password", _COMM="logger", **forged))
    assert fact["unit"] == "logger"
    fact, _, _ = parse_entry(entry(MESSAGE="Failed password", **forged))
    assert "unit" not in fact


def test_bytes_of_the_journal_and_its_odd_entries():
    assert parse_entry(entry(MESSAGE=[104, 105, 27]))[0]["message"] == "hi\\x1b"
    assert parse_entry(entry(MESSAGE=None))[0]["message"] == ""
    assert parse_entry(entry(MESSAGE=[1000, "x"]))[0]["message"] == ""
    for bad in (b"", b"[]", b"{", b"[" * 100_000):
        assert parse_entry(bad) is None


def test_the_journal_is_read_after_its_cursor(follower, tmp_path, monkeypatch):
    """With a program that answers as journalctl does."""
    program = tmp_path / "journalctl"
    program.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        f"  *--after-cursor=c1*) cat {tmp_path}/after;;\n"
        f"  *--after-cursor=*) ;;\n"
        f"  *--lines=1*) cat {tmp_path}/last;;\n"
        "esac\n"
    )
    program.chmod(0o755)
    (tmp_path / "last").write_bytes(entry(MESSAGE="old", __CURSOR="c1") + b"\n")
    lines = [entry(MESSAGE="one", __CURSOR="c2"), entry(MESSAGE="two", __CURSOR="c3")]
    (tmp_path / "after").write_bytes(b"\n".join(lines) + b"\n")
    monkeypatch.setattr(logs, "journalctl", lambda: str(program))
    follower.start(journal=True)
    assert follower.lines() == []
    assert follower.lines() == ["one", "two"]
    assert follower.lines() == []
    assert follower.memory["journal"] == "c3"


def test_a_machine_without_a_journal_has_none(monkeypatch, tmp_path):
    monkeypatch.setattr(journal, "_PLACES", (str(tmp_path / "none"),))
    assert journal.journalctl() is None
