"""`wakil check`: every mistake of bad content with its place and what would be right."""

import json
import os
import re

import pytest
from support.content import write

RULES = "name: {0}\nrules:\n  - name: r\n    when: {1}\n    then: [{{alert: x}}]\n"
GOOD = RULES.format("good", "disk.used_percent > 90")
PLACED = re.compile(r"[\w./-]+:\d+:\d+: \S.*")

BAD = {
    # name: (file, text, place, what is said)
    "malformed": ("policies/a.yaml", "name: a\nrules: [\n", "2:8", "never closed"),
    "indentation": ("policies/a.yaml", "name: a\n rules: []\n", "2:7", "does not fit"),
    "tab": ("policies/a.yaml", "name: a\n\trules: []\n", "2:1", "use spaces"),
    "unknown-key": (
        "policies/a.yaml", GOOD.replace("then", "thne"), "5:5", "did you mean 'then'?"),
    "unknown-top-key": (
        "policies/a.yaml", GOOD.replace("rules", "ruels"), "2:1", "did you mean 'rules'?"),
    "wrong-type": (
        "policies/a.yaml", GOOD.replace("[{alert: x}]", "7"), "5:11", "must be a list"),
    "unknown-fact": (
        "policies/a.yaml", GOOD.replace("disk.", "dsik."), "4:11", "did you mean 'disk'?"),
    "unknown-field": (
        "policies/a.yaml", GOOD.replace("used_percent", "used_precent"), "4:11",
        "disk has no field 'used_precent'; did you mean 'used_percent'?"),
    "field-in-template": (
        "policies/a.yaml", GOOD.replace("x}", '"{{ disk.mout }}"}'), "5:24",
        "disk has no field 'mout'; did you mean 'mount'?"),
    "fact-in-template": (
        "policies/a.yaml", GOOD.replace("x}", '"{{ memory.percent }}"}'), "5:24", "memory"),
    "duration-number": (
        "policies/a.yaml", GOOD.replace("    then", "    for: 5\n    then"), "5:10",
        "must be a duration such as"),
    "duration-unit": (
        "policies/a.yaml", GOOD.replace("    then", "    for: 5 min\n    then"), "5:10",
        "must be a duration such as"),
    "playbook-missing": (
        "policies/a.yaml", GOOD.replace("alert: x", "run: cleanup"), "5:18",
        "there is no playbook 'cleanup'"),
    "two-rules": (
        "policies/a.yaml", GOOD + GOOD.partition("rules:\n")[2], "6:11", "two rules are named 'r'"),
    "two-rule-sets": ("policies/a.yaml", GOOD, None, "two rule sets are named 'good'"),
    "duplicate-key": (
        "policies/a.yaml", GOOD + "name: b\n", "6:1", "'name' stands twice"),
    "tag": ("policies/a.yaml", "name: !!str a\nrules: []\n", "1:7", "tags are not read"),
    "deep": ("policies/a.yaml", "name: a\nrules: " + "[" * 100_000 + "]" * 100_000 + "\n",
             "2:71", "64 levels"),
    "deep-block": ("playbooks/a.yaml", "\n".join("  " * n + "a:" for n in range(600)), None,
                   "64 levels"),
    "deep-condition": ("policies/a.yaml", RULES.format("a", "'" + "(" * 1_900 + "1" +
                       ")" * 1_900 + " > disk.used_percent'"), "4:102", "nest more than 90 deep"),
    "long-condition": ("policies/a.yaml", RULES.format("a", " or ".join(
        f"disk.used_percent > {n}" for n in range(300))), "4:11", "4,000 characters"),
    "many-nodes": ("policies/a.yaml", RULES.format("a", " or ".join(
        ["disk.read_only"] * 150)), "4:11", "200 parts"),
    "aliases": ("policies/a.yaml", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)), None,
        "aliases stand for more than 10,000 nodes"),
    "large": ("policies/a.yaml", "# " + "x" * 1_000_001, "1:1", "at most 1 MB"),
    "binary": ("policies/a.yaml", bytes(range(256)) * 8, None, "binary file"),
    "nul": ("policies/a.yaml", b"name: a\0\n", "1:8", "binary file"),
    "latin-1": ("policies/a.yaml", "name: café\n".encode("latin-1"), "1:10", "not UTF-8"),
    "utf-16": ("policies/a.yaml", GOOD.encode("utf-16"), "1:1", "not UTF-8"),
    "a-list": ("policies/a.yaml", "- a\n", "1:1", "must be a mapping"),
    "a-text": ("playbooks/a.yaml", "hello\n", "1:1", "must be a mapping"),
    "own-kind": ("schema/facts/job.schema.json", '{"x-mode": "sate"}', None, "state"),
    "own-kind-json": ("schema/facts/job.schema.json", '{"x-mode": "state"', "1:1", "never closed"),
    "playbook-action": ("playbooks/a.yaml", "name: a\nsteps:\n  - {uses: service.restrat}\n",
                        "3:12", "did you mean 'service.restart'?"),
    "playbook-input": ("playbooks/a.yaml", "name: a\nsteps:\n  - {uses: service.restart,"
                       " with: {name: '{{ inputs.nmae }}'}}\n", "3:46", "'nmae'"),
    "settings": ("configs/wakil.yaml", "servr: {port: 1}\n", "1:1", "did you mean 'server'?"),
    "agent": ("configs/agents.yaml", "agents: {perfomance: {}}\n", "1:10",
              "did you mean 'performance'?"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_each_mistake_has_its_place_and_what_would_be_right(wakil, tmp_path, name):
    file, text, place, said = BAD[name]
    write(tmp_path, {"policies/good.yaml": GOOD, file: text})
    result = wakil("check", tmp_path)
    assert result.code == 1
    assert "Traceback" not in result.out + result.err
    found = [line for line in result.out.splitlines() if said in line]
    assert found, result.out
    assert all(PLACED.fullmatch(line) for line in result.out.splitlines()), result.out
    # Which of two equal names is the second goes by the names of the files.
    assert found[0].startswith("policies/good.yaml:1:7:" if place is None and "sets" in name
                               else f"{file}:{place or ''}")  # fmt: skip


def test_all_mistakes_of_all_files_come_at_once_sorted_by_place(wakil, tmp_path):
    files = {
        file.replace("/a.", f"/{name}."): text.replace("name: good", f"name: {name}")
        for name, (file, text, _, _) in BAD.items()
        if isinstance(text, str) and name not in {"two-rule-sets", "large", "deep"}
    }
    result = wakil("check", write(tmp_path, files))
    assert result.code == 1
    places = [
        (file, int(line), int(column))
        for file, line, column, _ in (each.split(":", 3) for each in result.out.splitlines())
    ]
    assert places == sorted(places)
    assert {file for file, _, _ in places} == set(files)


def test_several_mistakes_in_one_line(wakil, tmp_path):
    text = (
        "name: a\nrules:\n  - name: r\n    when: disk.used_percent > 90\n"
        '    then: [{alert: "{{ disk.a }} {{ disk.mount | roun }} {{ nothing }} {{ 1 + }}"}]\n'
    )
    result = wakil("check", write(tmp_path, {"policies/a.yaml": text}))
    assert [line.split(":")[2] for line in result.out.splitlines()] == ["24", "50", "61", "78"]


def test_json_is_a_list_of_problems(wakil, tmp_path):
    text = GOOD.replace("used_percent", "used_precent").replace("then", "thne")
    result = wakil("check", write(tmp_path, {"policies/a.yaml": text}), "--format", "json")
    assert result.code == 1
    first, second = json.loads(result.out)
    assert (first["file"], first["line"], first["column"]) == ("policies/a.yaml", 4, 11)
    assert first["severity"] == "error"
    assert "did you mean 'used_percent'?" in first["message"]
    assert (second["line"], second["column"]) == (5, 5)


def test_github_shows_each_beside_its_line(wakil, tmp_path):
    text = GOOD.replace("used_percent", "used_precent")
    result = wakil("check", write(tmp_path, {"policies/a.yaml": text}), "--format", "github")
    assert result.code == 1
    assert result.out == (
        "::error file=policies/a.yaml,line=4,col=11::"
        "disk has no field 'used_precent'; did you mean 'used_percent'?\n"
    )


@pytest.mark.parametrize(("form", "printed"), [("json", "[]\n"), ("github", "")])
def test_good_content_has_no_problems(wakil, tmp_path, form, printed):
    result = wakil("check", write(tmp_path, {"policies/a.yaml": GOOD}), "--format", form)
    assert (result.code, result.out, result.err) == (0, printed, "")


def test_warnings_leave_exit_0_and_go_to_standard_error(wakil, tmp_path):
    text = GOOD.replace("    then", "    for: 20m\n    then")
    directory = write(tmp_path, {"policies/a.yaml": text})
    result = wakil("check", directory)
    assert result.code == 0
    assert re.match(r"policies/a\.yaml:5:\d+: warning: ", result.err)
    told = json.loads(wakil("check", directory, "--format", "json").out)
    assert [each["severity"] for each in told] == ["warning"]
    assert wakil("check", directory, "--format", "github").out.startswith("::warning file=")


def test_a_directory_that_is_none(wakil, tmp_path):
    result = wakil("check", tmp_path / "none")
    assert result.code == 1
    assert "is not a directory" in result.err


def test_an_unknown_format_is_usage(wakil, tmp_path):
    assert wakil("check", tmp_path, "--format", "xml").code == 2


def test_the_shipped_content_is_good(wakil, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert wakil("check", "--format", "json").out == "[]\n"


def test_what_looks_like_content_and_is_not_read_is_a_warning(wakil, tmp_path):
    files = {
        "policies/good.yaml": GOOD,
        "policies/a.yml": GOOD,
        "policies/web/b.yaml": GOOD,
        "configs/agent.yaml": "agents: {}\n",
        "schema/facts/job.json": "{}",
        "playbooks/notes/readme.txt": "hello",
    }
    result = wakil("check", write(tmp_path, files))
    assert result.code == 0
    assert result.err.splitlines() == [
        "configs/agent.yaml:1:1: warning: is not read; did you mean 'agents'?",
        "policies/a.yml:1:1: warning: is not read: name it policies/a.yaml",
        "policies/web:1:1: warning: is not read: files of policies/ lie directly in it",
        "schema/facts/job.json:1:1: warning: is not read: name it schema/facts/job.schema.json",
    ]


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero", "loop.yaml", "/nonexistent"])
def test_links_are_not_followed(wakil, tmp_path, target):
    directory = write(tmp_path, {"policies/good.yaml": GOOD})
    (directory / "policies" / "loop.yaml").symlink_to(target)
    result = wakil("check", directory)
    assert result.code == 1
    assert result.out.startswith("policies/loop.yaml:1:1: is a symbolic link")


def test_pipes_and_folders_are_no_files(wakil, tmp_path):
    directory = write(tmp_path, {"policies/good.yaml": GOOD, "policies/c.yaml/x": ""})
    os.mkfifo(directory / "policies" / "b.yaml")
    result = wakil("check", directory)
    assert result.code == 1
    assert result.out.splitlines() == [
        "policies/b.yaml:1:1: is not a regular file",
        "policies/c.yaml:1:1: is not a regular file",
    ]
