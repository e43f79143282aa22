"""The panel's build: which Node will do, and when there is nothing to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from webui import build as panel


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.2\n", "v22.12.0", "v23.0.0", "v24.19.0"])
def test_a_node_that_vite_runs_on(version: str) -> None:
    assert panel.is_new_enough(version)


@pytest.mark.parametrize("version", ["v18.20.4", "v20.18.9", "v21.7.3", "v22.11.0", "", "node"])
def test_a_node_that_it_does_not_run_on(version: str) -> None:
    assert not panel.is_new_enough(version)


def test_the_hash_knows_names_and_contents_and_leaves_out_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text("1")
    first = panel.sources_hash(tmp_path)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x.js").write_text("1")
    assert panel.sources_hash(tmp_path) == first
    (tmp_path / "a.ts").write_text("2")
    second = panel.sources_hash(tmp_path)
    (tmp_path / "a.ts").rename(tmp_path / "b.ts")
    assert len({first, second, panel.sources_hash(tmp_path)}) == 3


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A panel of one source, built."""
    source, static = tmp_path / "panel", tmp_path / "static"
    source.mkdir()
    static.mkdir()
    (source / "a.ts").write_text("1")
    monkeypatch.setattr(panel, "PANEL", source)
    monkeypatch.setattr(panel, "STATIC", static)
    (static / "index.html").write_text("built")
    (static / panel.STAMP).write_text(panel.sources_hash(source))
    return tmp_path


def test_nothing_is_built_where_nothing_changed(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_node() -> Path:
        raise AssertionError("looked for Node")

    monkeypatch.setattr(panel, "find_node", no_node)
    assert panel.build() is False
    with pytest.raises(AssertionError, match="looked for Node"):
        panel.build(force=True)
    (tree / "panel" / "a.ts").write_text("2")
    assert not panel.is_current()


def test_a_failed_build_says_what_failed_and_leaves_no_stamp(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / "panel" / "a.ts").write_text("2")
    (tree / "panel" / "package-lock.json").write_text("{}")
    node = tree / "node"
    node.write_text("#!/bin/sh\necho the reason; exit 1\n")
    node.chmod(0o755)
    monkeypatch.setattr(panel, "find_node", lambda: node)
    monkeypatch.setattr(panel, "_npm_of", lambda node: tree / "npm-cli.js")
    monkeypatch.setattr("sys.argv", ["build"])
    assert panel.main() == 1
    assert "panel: npm ci failed:\nthe reason" in capsys.readouterr().err
    assert not panel.is_current()
