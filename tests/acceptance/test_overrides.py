"""Content over shipped content, and whose rules and variables win (LANGUAGE, overrides)."""

import pytest
from support.cli import lines
from support.content import write

OVER = "content: {defaults: true}\n"


def disk(value, host="web-1", minute=0, **more):
    at = f"2026-01-01T00:{minute:02d}:00Z"
    data = {"mount": "/", "used_percent": value, **more}
    return {"at": at, "kind": "disk", "host": host, "data": data}


@pytest.fixture
def decided(wakil, tmp_path):
    """Rules that decide anything over the facts within twenty minutes, with their times."""

    def decided(files, *facts):
        content = write(tmp_path / "content", files)
        recorded = lines(tmp_path / "facts.jsonl", *facts)
        until = "2026-01-01T00:20:00Z"
        result = wakil("simulate", "--facts", recorded, "--until", until, content)
        assert result.code == 0, result.err
        return [(each["at"][14:16], f"{each['ruleset']}/{each['rule']}") for each in result.lines]

    return decided


def mine(override):
    return {
        "configs/wakil.yaml": OVER,
        "policies/mine.yaml": f"name: mine\nrules: []\noverride: {override}\n",
    }


def test_without_defaults_the_shipped_rules_say_nothing(decided):
    assert decided({"policies/mine.yaml": "name: mine\nrules: []\n"}, disk(99)) == []


def test_with_defaults_content_lies_over_the_shipped(decided):
    found = decided({"configs/wakil.yaml": OVER}, disk(99))
    assert ("01", "disk/disk-full") in found
    assert ("05", "disk/disk-almost-full") in found


def test_a_rule_set_of_the_same_name_replaces_the_shipped_one(decided):
    own = "name: disk\nrules: [{name: own, when: disk.used_percent > 10, then: [{alert: x}]}]\n"
    files = {"configs/wakil.yaml": OVER, "policies/any.yaml": own}
    assert decided(files, disk(99)) == [("00", "disk/own")]


def test_an_override_changes_single_rules_and_variables(decided):
    files = mine("{disk: {vars: {full: 95}}, disk/disk-full: {enabled: false}}")
    assert decided(files, disk(93, "a"), disk(99, "b"))[0] == ("05", "disk/disk-almost-full")
    assert {rule for _, rule in decided(files, disk(93, "a"))} == set()
    files = mine("{disk/disk-almost-full: {for: 10m}, disk/disk-full: {severity: info}}")
    assert next(at for at, rule in decided(files, disk(99)) if "almost" in rule) == "10"


def test_a_hosts_variables_win_over_all(decided):
    files = mine("{disk: {vars: {full: 95}}}") | {
        "configs/hosts.yaml": 'hosts: [{match: "big-*", vars: {full: 97}}, '
        "{name: big-2, vars: {full: 50}}]\n"
    }
    found = decided(files, disk(96, "big-1"), disk(96, "big-2"), disk(96, "small"))
    assert [rule for _, rule in found if "almost" in rule].count("disk/disk-almost-full") == 4


WRONG = {
    "{dsik: {vars: {full: 1}}}": "2:12: there is no rule set 'dsik' to override; did you mean",
    "{disk/disk-ful: {enabled: false}}": "2:12: rule set 'disk' has no rule 'disk-ful'; did you",
    "{disk/disk-full: {sevrity: info}}": "2:29: unknown key 'sevrity'; did you mean 'severity'?",
    "{disk/disk-full: {for: 5}}": "2:34: 'for' must be a duration",
    "{disk/disk-full: {when: disk.ful > 1}}": "2:35: disk has no field 'ful'",
}


@pytest.mark.parametrize("override", WRONG)
def test_an_override_is_checked_where_it_stands(wakil, tmp_path, override):
    files = {
        "configs/wakil.yaml": OVER,
        "policies/mine.yaml": f"name: mine\noverride: {override}\nrules: []\n",
    }
    result = wakil("check", write(tmp_path, files))
    assert result.code == 1
    assert f"policies/mine.yaml:{WRONG[override]}" in result.out


def test_an_overridden_variable_that_no_rule_has_is_a_warning(wakil, tmp_path):
    result = wakil("check", write(tmp_path, mine("{disk: {vars: {fall: 95}}}")))
    assert result.code == 0
    assert "has no variable 'fall'; did you mean 'full'?" in result.err


def test_decisions_of_an_instant_come_by_the_names_of_files_not_of_rule_sets(decided):
    rule = "rules: [{name: r, when: disk.used_percent > 10, then: [{alert: x}]}]\n"
    files = {"policies/a.yaml": f"name: z\n{rule}", "policies/b.yaml": f"name: a\n{rule}"}
    assert decided(files, disk(99)) == [("00", "z/r"), ("00", "a/r")]
