"""From a directory to a bundle: what is read, what is refused, which commit it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.content import ACTIONS, AGENTS, load_content, loaded, write

from engine.core.errors import ContentError, LangError
from engine.core.values import HOUR, MINUTE, SECOND
from engine.lang.loader import load_with_tests
from engine.lang.model import Bundle, Playbook, Rule

DOCUMENTED = Path(__file__).parent.parent / "testdata" / "documented"
DISK = "name: disk\nrules:\n  - name: full\n    when: disk.used_percent > 90\n"


def rule(bundle: Bundle, name: str) -> Rule:
    return next(each for each in bundle.rules if each.id == name)


def said(root: Path, **options: object) -> list[str]:
    with pytest.raises(LangError) as raised:
        load_content(root, **options)
    return [str(problem) for problem in raised.value.problems]


def warned(root: Path) -> list[str]:
    return [str(problem) for problem in load_content(root).warnings]


# ── the documented examples ───────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def documented() -> Bundle:
    return load_content(DOCUMENTED)


def test_the_documented_examples_load_without_a_problem(documented: Bundle) -> None:
    later = "configs/models.yaml:1:1: warning: this version does not read this file yet"
    assert [str(problem) for problem in documented.warnings] == [later]
    assert [ruleset.name for ruleset in documented.rulesets] == ["disk", "model-selection"]
    assert documented.timezone == "Asia/Riyadh"
    assert documented.sources["policies/disk.yaml"].startswith("name: disk\n")


def test_a_state_rule_has_all_it_was_given(documented: Bundle) -> None:
    found = rule(documented, "disk/disk-almost-full")
    assert (found.for_, found.throttle, found.kind_mode) == (5 * MINUTE, 30 * MINUTE, "state")
    assert (found.severity, found.vars) == ("warning", {"full": 90})
    assert [part.kind for part in found.when.parts] == ["disk"]
    assert found.until is not None
    assert found.unless is not None
    assert found.unless.parts[0].kind == "maintenance"
    assert [spec.type for spec in found.then] == ["alert", "run"]
    assert (found.then[0].tell, found.then[1].playbook) == ("on_failure", "disk-cleanup")
    assert str(found.position) == "policies/disk.yaml:5:5"


def test_an_event_rule_counts_by_its_fields(documented: Bundle) -> None:
    found = rule(documented, "disk/ssh-brute-force")
    assert (found.count, found.within, found.kind_mode) == (5, 10 * MINUTE, "event")
    assert found.by is not None
    assert [each.text for each in found.by] == ["auth.source_ip"]
    assert rule(documented, "disk/backup-missing").absent == 26 * HOUR


def test_request_rules_select_candidates(documented: Bundle) -> None:
    slow = rule(documented, "model-selection/too-slow")
    assert slow.kind_mode == "request"
    assert [part.kind for part in slow.when.parts] == ["task", "model"]
    assert slow.then[0].selector is not None
    assert slow.then[0].selector.candidate
    ask = rule(documented, "model-selection/blast-radius").then[0]
    assert (ask.type, ask.role, ask.timeout) == ("ask", "operator", HOUR)
    tier = rule(documented, "model-selection/private-data").then[0].selector
    assert tier is not None
    assert tier.tier == "free"


def playbook(bundle: Bundle) -> Playbook:
    return bundle.playbooks["disk-cleanup"]


def test_a_playbook_has_all_it_was_given(documented: Bundle) -> None:
    found = playbook(documented)
    assert found.timeout == 10 * MINUTE
    assert [step.path for step in found.steps] == ["steps.0", "steps.1", "steps.2"]
    vacuum, prune, ask = found.steps
    assert (vacuum.name, vacuum.uses, vacuum.id) == ("Vacuum the journal", "journal.vacuum", None)
    assert (prune.id, prune.timeout, prune.retry.attempts) == ("prune", 2 * MINUTE, 3)
    assert (prune.retry.delay, prune.retry.backoff) == (5 * SECOND, "exponential")
    assert prune.rollback is not None
    assert (prune.rollback.path, prune.rollback.uses) == ("steps.1.rollback", "files.restore")
    assert ask.ask is not None
    assert (ask.ask.role, ask.ask.timeout) == ("operator", HOUR)
    assert found.verify is not None
    assert (found.verify.within, found.verify.resolved) == (5 * MINUTE, False)
    assert [step.path for step in found.on_failure] == ["on_failure.0"]
    assert [(limit.per, limit.concurrency, limit.runs) for limit in found.limits] == [
        (("host",), 1, 3),
        ((), 5, None),
    ]
    assert found.inputs["mount"].required
    assert found.inputs["keep"].default == "7d"


def test_hosts_calendars_schedules_and_agents(documented: Bundle) -> None:
    assert documented.labels_of("web-1") == {"role": "web", "site": "ruh"}
    assert documented.vars_of("web-1") == {"full": 95}
    assert documented.hosts[1].expected
    business = documented.calendars["business"]
    assert (business.start, business.end, business.except_) == (540, 1020, ("2026-12-25",))
    assert documented.calendars["nights"].days == ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    assert [(each.name, each.cron) for each in documented.schedules] == [("nightly", "0 3 * * *")]
    assert documented.agents["apps"]["services"][0] == {"name": "nginx", "manager": "systemd"}


def test_the_cases_of_rule_sets() -> None:
    tests = {test.ruleset: test for test in loaded(DOCUMENTED).tests}
    (case,) = tests["disk"].cases
    assert [(fact.at, fact.kind, fact.host) for fact in case.facts] == [
        (0, "disk", "test"),
        (9 * MINUTE, "disk", "test"),
    ]
    first, second = case.expect
    assert (first.at, first.alert, first.run, first.resolved) == (
        5 * MINUTE,
        True,
        "disk-cleanup",
        False,
    )
    assert (second.resolved, second.notify, second.alert) == (True, "ops", False)
    (asked,) = tests["model-selection"].cases
    assert asked.request is not None
    assert asked.request.data == {"type": "chat", "labels": ["personal_data"]}
    assert [fact.host for fact in asked.given] == [None, None]
    assert asked.verdict is not None
    assert (asked.verdict.candidates, asked.verdict.refused) == (("b",), None)


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def test_a_directory_without_content(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="holds no content"):
        load_content(tmp_path)
    with pytest.raises(ContentError, match="cannot read"):
        load_content(tmp_path / "missing")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ContentError, match="is not a directory"):
        load_content(tmp_path / "file")


def test_links_are_not_followed(tmp_path: Path) -> None:
    root = write(tmp_path / "content", {"policies/disk.yaml": DISK})
    write(tmp_path, {"outside.yaml": "secret: hunter2\n"})
    (root / "policies" / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (root / "playbooks").symlink_to(tmp_path)
    assert said(root) == [
        "playbooks:1:1: is a symbolic link; content holds regular files only",
        "policies/link.yaml:1:1: is a symbolic link; content holds regular files only",
    ]


def test_what_is_no_file_is_a_problem_and_does_not_hang(tmp_path: Path) -> None:
    root = write(tmp_path, {"policies/disk.yaml": DISK})
    os.mkfifo(root / "policies" / "pipe.yaml")
    (root / "policies" / "folder.yaml").mkdir()
    assert said(root) == [
        "policies/folder.yaml:1:1: is not a regular file",
        "policies/pipe.yaml:1:1: is not a regular file",
    ]


def test_a_huge_file(tmp_path: Path) -> None:
    root = write(tmp_path, {"policies/disk.yaml": DISK})
    with (root / "policies" / "huge.yaml").open("wb") as huge:
        huge.truncate(1 << 40)
    assert said(root) == [
        "policies/huge.yaml:1:1: the file has 1,099,511,627,776 bytes; at most 1 MB is read"
    ]


def test_a_yml_file_is_not_read_and_said(tmp_path: Path) -> None:
    root = write(tmp_path, {"policies/disk.yaml": DISK, "policies/cpu.yml": "x"})
    assert warned(root) == ["policies/cpu.yml:1:1: warning: is not read: name it policies/cpu.yaml"]


def test_rules_come_in_the_order_of_files_by_name(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "policies/b.yaml": DISK.replace("name: disk", "name: a"),
            "policies/a.yaml": DISK.replace("name: disk", "name: z"),
        },
    )
    assert [each.id for each in load_content(root).rules] == ["z/full", "a/full"]


# ── content over shipped content ──────────────────────────────────────────────────────────────

SHIPPED = {
    "policies/disk.yaml": "name: disk\nvars: {full: 90, low: 5}\nrules:\n"
    "  - {name: full, when: disk.used_percent > vars.full}\n"
    "  - {name: gone, when: disk.read_only, labels: {team: ops}}\n",
    "policies/cpu.yaml": "name: cpu\nrules: [{name: busy, when: cpu.percent > 90}]\n",
    "playbooks/clean.yaml": "name: clean\nsteps: [{uses: journal.vacuum, with: {max_size: 5}}]\n",
    "configs/agents.yaml": "agents: {performance: {every: 5s}, logs: {every: 1s}}\n",
}
OVER = {"configs/wakil.yaml": "content: {defaults: true}\n"}


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    return write(tmp_path / "shipped", SHIPPED)


def test_without_defaults_the_shipped_content_does_not_count(tmp_path: Path, shipped: Path) -> None:
    root = write(tmp_path / "own", {"policies/disk.yaml": DISK})
    assert [each.id for each in load_content(root, defaults=shipped).rules] == ["disk/full"]


def test_a_rule_set_of_the_same_name_replaces_the_shipped_one(
    tmp_path: Path, shipped: Path
) -> None:
    root = write(tmp_path / "own", {**OVER, "policies/mine.yaml": DISK})
    bundle = load_content(root, defaults=shipped)
    assert [(each.id, each.position.file) for each in bundle.rules] == [
        ("cpu/busy", "shipped/policies/cpu.yaml"),
        ("disk/full", "policies/mine.yaml"),
    ]
    assert list(bundle.playbooks) == ["clean"]


def test_an_override_changes_single_rules_and_variables(tmp_path: Path, shipped: Path) -> None:
    override = (
        "override:\n"
        "  disk: {vars: {full: 95}}\n"
        "  disk/full: {enabled: false, for: 5m}\n"
        "  disk/gone: {labels: {site: ruh}}\n"
    )
    root = write(tmp_path / "own", {**OVER, "policies/mine.yaml": override})
    bundle = load_content(root, defaults=shipped)
    full, gone = rule(bundle, "disk/full"), rule(bundle, "disk/gone")
    assert (full.vars, full.enabled, full.for_) == ({"full": 95, "low": 5}, False, 5 * MINUTE)
    assert (gone.labels, gone.enabled) == ({"team": "ops", "site": "ruh"}, True)


def test_a_mistake_in_an_override_is_found_where_it_stands(tmp_path: Path, shipped: Path) -> None:
    override = "override:\n  disk/full: {when: disk.used_precent > 5}\n"
    root = write(tmp_path / "own", {**OVER, "policies/mine.yaml": override})
    assert said(root, defaults=shipped) == [
        "policies/mine.yaml:2:21: disk has no field 'used_precent'; did you mean 'used_percent'?"
    ]


def test_agents_lie_over_the_shipped_ones(tmp_path: Path, shipped: Path) -> None:
    agents = "agents: {logs: {every: 9s}}\n"
    root = write(tmp_path / "own", {**OVER, "configs/agents.yaml": agents})
    assert load_content(root, defaults=shipped).agents == {
        "performance": {"every": "5s"},
        "logs": {"every": "9s"},
    }


# ── shared content ────────────────────────────────────────────────────────────────────────────


def test_shared_content_may_not_decide_what_the_machine_does(tmp_path: Path) -> None:
    text = (
        "server: {port: 80}\ntimezone: UTC\ncontent: {defaults: false, strict: true}\n"
        "actions: {allow: ['*']}\nmode_ceiling: auto\n"
    )
    root = write(tmp_path, {"configs/wakil.yaml": text, "policies/disk.yaml": DISK})
    assert not load_content(root).shared
    assert said(root, shared=True)[0] == (
        "configs/wakil.yaml:1:1: 'server' belongs in the machine's settings, "
        "/etc/wakil/wakil.yaml: this content is shared, and shared content must not decide it"
    )
    assert [each.split(":")[1] for each in said(root, shared=True)] == ["1", "4", "5"]


# ── warnings ──────────────────────────────────────────────────────────────────────────────────


def test_a_for_that_outlasts_the_facts_is_warned_of(tmp_path: Path) -> None:
    text = DISK + "    for: 16m\n  - {name: well, when: disk.read_only, for: 15m}\n"
    assert warned(write(tmp_path, {"policies/disk.yaml": text})) == [
        "policies/disk.yaml:5:10: warning: 'for' (16m) outlasts the time after which disk facts "
        "are stale (15m): facts must come more often"
    ]


def test_an_optional_field_that_decides_a_deny_is_warned_of(tmp_path: Path) -> None:
    text = (
        "name: a\nrules:\n"
        "  - {name: b, when: task.max_seconds > 5, then: [{deny: true}]}\n"
        "  - {name: c, when: task.max_seconds > 5, then: [{prefer: {tier: free}}]}\n"
        "  - {name: d, when: defined(task.team) and task.team != 'x', then: [{deny: true}]}\n"
        "  - {name: e, when: task.type == 'x', then: [{deny: true}]}\n"
        "  - {name: f, when: task.priority == 'low', then: [{deny: true}]}\n"
    )
    (only,) = warned(write(tmp_path, {"policies/a.yaml": text}))
    assert only.startswith("policies/a.yaml:3:26: warning: task.max_seconds may be missing")


# ── what survives a reload ────────────────────────────────────────────────────────────────────


def fingerprint(root: Path, text: str) -> str:
    write(root, {"policies/disk.yaml": text})
    return load_content(root).rules[0].fingerprint


def test_a_fingerprint_changes_with_condition_and_timing_alone(tmp_path: Path) -> None:
    text = (
        "name: disk\nvars: {full: 90, other: 1}\nrules:\n"
        "  - name: full\n    when: disk.used_percent > vars.full\n    for: 5m\n    severity: info\n"
    )
    first = fingerprint(tmp_path, text)
    same = {"severity: info": "severity: critical", "other: 1": "other: 2", "> vars": " >  vars"}
    for old, new in same.items():
        assert fingerprint(tmp_path, text.replace(old, new)) == first
    for old, new in {"for: 5m": "for: 6m", "full: 90": "full: 91", "> vars": ">= vars"}.items():
        assert fingerprint(tmp_path, text.replace(old, new)) != first


# ── commits ───────────────────────────────────────────────────────────────────────────────────


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, "-C", str(root), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = write(tmp_path / "repository", {"policies/disk.yaml": DISK})
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    return root


def test_without_git_the_commit_is_a_hash_of_the_files(tmp_path: Path) -> None:
    root = write(tmp_path, {"policies/disk.yaml": DISK})
    first = load_content(root).commit
    assert (len(first), load_content(root).commit) == (12, first)
    write(root, {"policies/disk.yaml": DISK + "    for: 5m\n"})
    assert load_content(root).commit != first


def test_with_git_the_commit_is_head_and_a_hash_where_files_differ(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert load_content(repository).commit == head
    write(repository, {"notes.txt": "not content"})
    assert load_content(repository).commit == head
    write(repository, {"policies/new.yaml": DISK.replace("name: disk", "name: new")})
    changed = load_content(repository).commit
    assert changed.startswith(f"{head}+")
    assert len(changed) == len(head) + 13
    (repository / "policies" / "new.yaml").unlink()
    assert load_content(repository).commit == head
    (repository / "policies" / "disk.yaml").unlink()
    assert load_content(repository).commit.startswith(f"{head}+")


def test_content_in_a_folder_of_a_repository(repository: Path) -> None:
    shutil.copytree(repository / "policies", repository / "ops" / "policies")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "second")
    assert load_content(repository / "ops").commit == git(repository, "rev-parse", "HEAD")


def test_nothing_that_a_repository_plants_is_run(repository: Path, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    script = write(tmp_path, {"evil.sh": f"#!/bin/sh\ntouch {witness}\n"}) / "evil.sh"
    script.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external",
                 "filter.evil.clean", "filter.evil.smudge", "core.editor",
                 "alias.rev-parse", "alias.ls-tree"):  # fmt: skip
        git(repository, "config", name, f"!{script}" if name.startswith("alias") else str(script))
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        shutil.copy(script, repository / ".git" / "hooks" / hook)
    write(repository, {".gitattributes": "*.yaml filter=evil\n", "policies/b.yaml": DISK + "x"})
    assert said(repository)
    (repository / "policies" / "b.yaml").unlink()
    assert load_content(repository).commit
    assert not witness.exists()


def test_a_load_says_the_same_each_time(tmp_path: Path) -> None:
    first = load_with_tests(DOCUMENTED, actions=ACTIONS, agents=AGENTS)
    second = load_with_tests(DOCUMENTED, actions=ACTIONS, agents=AGENTS)
    assert first == second
    assert first.bundle.playbooks["disk-cleanup"].inputs["keep"].default == "7d"


def test_the_check_of_content_opens_no_socket(tmp_path: Path) -> None:
    """References, addresses and origins in content are read, never followed."""
    kind = (
        '{"$schema": "http://192.0.2.1/x.json", "type": "object", "x-mode": "event", '
        '"properties": {"a": {"$ref": "http://192.0.2.1/y.json"}}}'
    )
    root = write(tmp_path, {"schema/facts/http.schema.json": kind, "policies/disk.yaml": DISK})
    code = (
        "import sys\n"
        "def forbid(event, arguments):\n"
        "    if event.startswith('socket.'):\n"
        "        raise SystemExit(f'{event} {arguments}')\n"
        "sys.addaudithook(forbid)\n"
        "from pathlib import Path\n"
        "from engine.core.errors import LangError\n"
        "from engine.lang.loader import load\n"
        "try:\n"
        f"    load(Path({str(root)!r}), actions={{}}, agents={{}})\n"
        "except LangError as error:\n"
        "    print(len(error.problems))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
