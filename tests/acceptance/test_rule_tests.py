"""`wakil test`: cases of rules, what they lead to, and what none covers (LANGUAGE, tests)."""

import json
from xml.etree import ElementTree

import pytest
from support.content import write

DISK = """\
name: disk
vars: {full: 90}
rules:
  - name: disk-almost-full
    when: disk.used_percent >= vars.full and disk.mount != "/boot"
    for: 5m
    until: disk.used_percent < 85
    then:
      - alert: "{{ disk.mount }} on {{ host }} is {{ disk.used_percent | round }} % full"
        tell: on_failure
      - run: disk-cleanup
        with: {mount: "{{ disk.mount }}"}
"""
CLEANUP = """\
name: disk-cleanup
inputs: {mount: {type: string, required: true}}
steps:
  - {uses: files.prune, with: {path: "{{ inputs.mount }}", pattern: "*.gz", older_than: 7d}}
"""
CASE = """\
  - name: fires once after five minutes, resolves with hysteresis
    facts:
      - {at: 0s, disk: {mount: /, used_percent: 95}}
      - {at: 9m, disk: {mount: /, used_percent: 84}}
    expect:
      - {at: 5m, rule: disk-almost-full, alert: true, run: disk-cleanup}
      - {at: 9m, rule: disk-almost-full, resolved: true}
"""
CHOICE = """\
name: model-selection
rules:
  - {name: free-first, when: task.priority != "critical", then: [{prefer: {tier: free}}]}
  - name: private-data
    when: '"personal_data" in task.labels'
    then: [{deny: {tier: free}, reason: free tiers may train on input}]
  - name: too-slow
    when:
      all: [defined(task.max_seconds), defined(model.p95_seconds)]
      that: model.p95_seconds > task.max_seconds
    then: [{deny: candidate, reason: too slow}]
  - name: pacing
    when: {all: ['task.priority == "low"', budget.used_ratio > 1.2 * budget.elapsed_ratio]}
    then: [{deny: {tier: paid}, reason: budget paced}]
  - name: blast-radius
    when: run.destructive and run.hosts_last_hour >= 3
    then: [{ask: {role: operator, timeout: 1h}, reason: third host this hour}]
"""
MODELS = (
    "    given: [{model: {id: a, tier: free, provider: groq, p95_seconds: 9}},"
    " {model: {id: b, tier: paid, provider: openai, p95_seconds: 1}}]\n"
)


def cases_of(ruleset, *cases):
    return f"ruleset: {ruleset}\ncases:\n" + "".join(cases)


def disk(tmp_path, *cases, rules=DISK, playbook=CLEANUP):
    files = {"policies/disk.yaml": rules, "playbooks/disk-cleanup.yaml": playbook}
    return write(tmp_path, {**files, "policies/tests/disk.yaml": cases_of("disk", *cases)})


def test_the_documented_case_passes(wakil, tmp_path):
    result = wakil("test", disk(tmp_path, CASE))
    assert result.code == 0
    assert "1 passed, 0 failed, 0 rules uncovered" in result.out


WRONG = {
    "not-expected": CASE.replace("      - {at: 9m, rule: disk-almost-full, resolved: true}\n", ""),
    "run-not-expected": CASE.replace(", run: disk-cleanup", ""),
    "too-late": CASE.replace("at: 5m", "at: 6m"),
    "other-text": CASE.replace("alert: true", "alert: / on test is 94 % full"),
    "other-key": CASE.replace("run: disk-cleanup", "run: disk-cleanup, key: {disk.mount: /var}"),
    "did-not-happen": CASE.replace("used_percent: 95", "used_percent: 80"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_so_fails(wakil, tmp_path, name):
    result = wakil("test", disk(tmp_path, WRONG[name]))
    assert result.code == 1
    assert "0 passed, 1 failed" in result.out
    assert "policies/tests/disk.yaml:3: " in result.out


def test_text_key_and_host_are_compared(wakil, tmp_path):
    case = CASE.replace("alert: true", "alert: / on test is 95 % full, key: {mount: /, host: test}")
    assert wakil("test", disk(tmp_path, case)).code == 0
    case = CASE.replace("{at: 0s", "{at: 0s, host: web-1").replace(
        "{at: 9m, d", "{at: 9m, host: web-1, d"
    )
    case = case.replace("resolved: true", "resolved: true, key: {host: web-1}")
    assert wakil("test", disk(tmp_path, case)).code == 0


def test_a_case_may_have_no_facts(wakil, tmp_path):
    rules = (
        "name: b\nrules:\n"
        '  - {name: r, when: backup.status == "succeeded", absent: 26h, then: [{alert: x}]}\n'
    )
    case = "  - {name: c, facts: [], expect: [{at: 26h, rule: r, alert: true}]}\n"
    files = {"policies/b.yaml": rules, "policies/tests/b.yaml": cases_of("b", case)}
    assert wakil("test", write(tmp_path, files)).code == 0


def verdict(name, request, expect, given=MODELS):
    return f"  - name: {name}\n    request: {request}\n{given}    expect: {expect}\n"


GOOD = {
    "the-documented": ("{task: {type: chat, labels: [personal_data]}}", "{candidates: [b]}"),
    "any-order": ("{task: {type: chat}}", "{candidates: [b, a]}"),
    "first": ("{task: {type: chat}}", "{first: a}"),
    "critical": ("{task: {priority: critical}}", "{candidates: [a, b]}"),
    "denied": ("{task: {max_seconds: 5}}", "{candidates: [b], denied: {a: too slow}}"),
    "refusal": ("{task: {max_seconds: 0}}", "{candidates: [], refused: true}"),
    "not-refused": ("{task: {}}", "{refused: false}"),
    "ask": ("{run: {playbook: p, destructive: true, hosts_last_hour: 3}}", "{ask: operator}"),
}
BAD = {
    "another": ("{task: {labels: [personal_data]}}", "{candidates: [a, b]}", "expected candidates"),
    "not-first": ("{task: {}}", "{first: b}", "expected first b, found a"),
    "other-reason": ("{task: {max_seconds: 5}}", "{denied: {a: slow}}", "too slow"),
    "not-denied": ("{task: {}}", "{denied: {a: too slow}}", "not denied"),
    "no-ask": ("{run: {playbook: p, destructive: true}}", "{ask: operator}", "no ask"),
    "refused": ("{task: {}}", "{refused: true}", "expected refused: True"),
}


def choice(tmp_path, *cases):
    files = {
        "policies/c.yaml": CHOICE,
        "policies/tests/c.yaml": cases_of("model-selection", *cases),
    }
    return write(tmp_path, files)


def test_verdicts_that_are_as_expected(wakil, tmp_path):
    result = wakil("test", choice(tmp_path, *(verdict(name, *each) for name, each in GOOD.items())))
    assert result.code == 0, result.out
    assert f"{len(GOOD)} passed, 0 failed" in result.out


def test_verdicts_that_are_not(wakil, tmp_path):
    cases = (verdict(name, request, expect) for name, (request, expect, _) in BAD.items())
    result = wakil("test", choice(tmp_path, *cases))
    assert result.code == 1
    assert f"0 passed, {len(BAD)} failed" in result.out
    for _, _, said in BAD.values():
        assert said in result.out


def test_what_is_given_joins_the_request(wakil, tmp_path):
    given = MODELS.replace(
        "1}}]", "1}}, {budget: {name: all, used_ratio: 0.9, elapsed_ratio: 0.5}}]"
    )
    low = verdict("low", "{task: {priority: low}}", "{candidates: [a]}", given)
    normal = verdict("normal", "{task: {}}", "{candidates: [a, b]}", given)
    assert wakil("test", choice(tmp_path, low, normal)).code == 0


def test_rules_and_conditions_that_no_case_covers_are_named(wakil, tmp_path):
    rules = DISK + (
        "  - {name: silent, when: disk.read_only, then: [{alert: x}]}\n"
        "  - {name: either, when: cpu.percent > 90 or memory.percent > 90, then: [{alert: x}]}\n"
    )
    case = (
        "  - name: either\n    facts: [{at: 0s, cpu: {percent: 95}}]\n"
        "    expect: [{at: 0s, rule: either, alert: x}]\n"
    )
    directory = disk(tmp_path, CASE, case, rules=rules)
    result = wakil("test", directory)
    assert result.code == 0
    uncovered = [line for line in result.out.splitlines() if line.startswith("uncovered: ")]
    assert uncovered == [
        "uncovered: policies/disk.yaml:13: disk/silent: the rule",
        "uncovered: policies/disk.yaml:14: disk/either: condition memory.percent > 90",
    ]
    told = json.loads(wakil("test", directory, "--format", "json").out)
    assert [(each["rule"], each["condition"]) for each in told["uncovered"]] == [
        ("silent", None),
        ("either", "memory.percent > 90"),
    ]


def test_json_and_junit_say_the_same(wakil, tmp_path):
    directory = disk(tmp_path, CASE, WRONG["too-late"].replace("fires once", "too \\x01 late"))
    told = wakil("test", directory, "--format", "json")
    assert told.code == 1
    report = json.loads(told.out)
    assert report["passed"] is False
    assert [case["passed"] for case in report["cases"]] == [True, False]
    junit = wakil("test", directory, "--format", "junit")
    assert junit.code == 1
    suite = ElementTree.fromstring(junit.out)
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", "2", "1")
    good, bad = suite.findall("testcase")
    assert (good.find("failure"), good.get("classname")) == (None, "disk")
    assert bad.find("failure").get("message") == report["cases"][1]["failures"][0]


def test_it_goes_on_into_the_playbook(wakil, tmp_path):
    broken = DISK.replace('{{ disk.mount }}"}', '{{ disk.device }}"}')
    result = wakil("test", disk(tmp_path, CASE, rules=broken))
    assert result.code == 1
    assert "disk-cleanup: input 'mount' is required" in result.out
    template = CLEANUP.replace("{{ inputs.mount }}", "{{ trigger.disk.device }}")
    result = wakil("test", disk(tmp_path, CASE, playbook=template))
    assert result.code == 1
    assert "playbooks/disk-cleanup.yaml:4:" in result.out
    assert "trigger.disk.device: there is no value" in result.out
    relative = CASE.replace("mount: /", "mount: var")
    result = wakil("test", disk(tmp_path, relative))
    assert result.code == 1
    assert "an absolute path" in result.out


PID = """\
name: cpu
rules:
  - name: runaway
    when: process.cpu_percent > 90
    then: [{run: end, with: {pid: "{{ process.pid }}"}}]
"""
END = """\
name: end
inputs: {pid: {type: integer, required: true}}
steps: [{uses: process.terminate, with: {pid: "{{ inputs.pid }}"}}]
"""
RUNAWAY = (
    "  - name: c\n    facts: [{at: 0s, process: {pid: 7, cpu_percent: 95}}]\n"
    "    expect: [{at: 0s, rule: runaway, run: end}]\n"
)
DENY = """\
name: no
rules: [{name: r, when: run.playbook == "end", then: [{deny: true, reason: not here}]}]
"""


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "policy asks operator: this cannot be undone"),
        ({"policies/no.yaml": DENY}, "policy refuses it: not here"),
        ({"configs/wakil.yaml": "automation: {mode: observe}\n"}, "policy only observes"),
        ({"playbooks/end.yaml": "name: end\ninputs: {pid: {type: integer}}\nsteps:"
          " [{uses: notify.send, with: {to: ops, text: x}}]\n"}, "policy allows it"),
    ],
    ids=["ask", "deny", "observe", "allow"],
)  # fmt: skip
def test_it_tells_what_policy_would_say_of_the_run(wakil, tmp_path, files, said):
    beside = {
        "policies/cpu.yaml": PID,
        "playbooks/end.yaml": END,
        "policies/tests/cpu.yaml": cases_of("cpu", RUNAWAY),
    }
    directory = write(tmp_path, {**beside, **files})
    result = wakil("test", directory)
    assert result.code == 0
    assert f"end: {said}" in result.out
    told = json.loads(wakil("test", directory, "--format", "json").out)
    (run,) = next(case for case in told["cases"] if case["ruleset"] == "cpu")["runs"]
    assert run["policy"].startswith(said)


MISTAKEN = {
    "rule": (CASE.replace("rule: disk-almost-full, al", "rule: disk-full, al"), "8:24",
             "no rule 'disk-full'"),
    "kind": (CASE.replace("disk: {mount: /, used_percent: 95}", "dsik: {mount: /}"), "5:18",
             "did you mean 'disk'?"),
    "nothing": ("  - {name: c, facts: [], expect: [{at: 5m, rule: disk-almost-full}]}\n", "3:35",
                "this expects nothing"),
    "request-of-facts": ("  - {name: c, facts: [{at: 0s, task: {}}], expect: []}\n", "3:32",
                         "task is a request"),
    "asked-state": ("  - {name: c, request: {disk: {mount: /}}, expect: {refused: true}}\n", "3:25",
                    "disk is no request"),
    "time": (CASE.replace("at: 0s", "at: 0"), "5:14", "must be a duration"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKEN)
def test_a_mistaken_case_is_found_by_the_check(wakil, tmp_path, name):
    case, place, said = MISTAKEN[name]
    directory = disk(tmp_path, case)
    for command in ("check", "test"):
        result = wakil(command, directory)
        assert result.code == 1
        assert f"policies/tests/disk.yaml:{place}: " in result.out
        assert said in result.out


@pytest.mark.parametrize("form", ["json", "junit"])
def test_content_that_cannot_be_tested_is_told_in_the_form_asked_for(wakil, tmp_path, form):
    directory = disk(tmp_path, CASE, rules=DISK.replace("used_percent >=", "used_precent >="))
    result = wakil("test", directory, "--format", form)
    assert result.code == 1
    if form == "json":
        report = json.loads(result.out)
        assert report["passed"] is False
        assert report["problems"][0]["line"] == 5
    else:
        suite = ElementTree.fromstring(result.out)
        assert suite.get("errors") == "1"
        assert "used_precent" in suite.find("testcase/error").get("message")


def test_the_shipped_content_passes_and_every_rule_is_covered(wakil, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = wakil("test")
    assert result.code == 0
    assert " 0 failed, 0 rules uncovered" in result.out
