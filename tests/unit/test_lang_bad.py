"""Each directory of testdata/bad holds one mistake, and in expected.txt exactly what is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.content import load_content

from engine.core.errors import LangError

BAD = Path(__file__).parent.parent / "testdata" / "bad"
NAMES = sorted(path.name for path in BAD.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_says_exactly_what_is_wrong(name: str) -> None:
    expected = (BAD / name / "expected.txt").read_text("utf-8").splitlines()
    with pytest.raises(LangError) as raised:
        load_content(BAD / name)
    assert [str(problem) for problem in raised.value.problems] == expected
    assert expected


def test_all_mistakes_of_all_files_are_said_in_order(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "policies" / "b.yaml").write_text(
        "name: b\n"
        "rules:\n"
        "  - name: one\n"
        "    whne: disk.used_percent > 90\n"
        "  - name: two\n"
        "    when: disk.used_precent > 90\n"
        "    for: 300\n"
        "    then: [{run: missing}, {alert: '{{ disk.mont }}'}]\n"
    )
    (tmp_path / "policies" / "a.yaml").write_text("name: [\n")
    (tmp_path / "playbooks" / "p.yaml").write_text("name: p\nsteps: [{uses: files.prun}]\n")
    with pytest.raises(LangError) as raised:
        load_content(tmp_path)
    assert [str(problem).split(": ")[0] for problem in raised.value.problems] == [
        "playbooks/p.yaml:2:16",
        "policies/a.yaml:1:7",
        "policies/b.yaml:4:5",
        "policies/b.yaml:6:11",
        "policies/b.yaml:7:10",
        "policies/b.yaml:8:18",
        "policies/b.yaml:8:40",
    ]
