"""What is installed: our import names are ours alone, and shipped content comes with the code."""

from __future__ import annotations

import configparser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from engine.app.places import SHIPPED
from engine.cli.main import _COMMANDS

OURS = ("engine", "agents", "providers", "webui", "schema", "policies", "playbooks", "configs")


@pytest.mark.parametrize("name", OURS)
def test_an_import_name_belongs_to_us_alone(name: str) -> None:
    assert set(packages_distributions().get(name, ["wakil"])) == {"wakil"}


def test_shipped_content_lies_beside_the_code() -> None:
    for folder in ("policies", "policies/tests", "playbooks", "configs", "schema", "schema/facts"):
        assert any(path.suffix in (".yaml", ".json") for path in (SHIPPED / folder).iterdir())


def test_every_package_is_named_for_the_wheel() -> None:
    config = configparser.ConfigParser()
    config.read(SHIPPED / "setup.cfg")
    named = set(config["options.packages.find"]["include"].split())
    assert set(OURS) <= named


def test_the_changelog_knows_every_command() -> None:
    text = (SHIPPED / "CHANGELOG.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith("- `wakil run"))
    named = set(line.split("`")[1].split()[1:])
    assert named == set(_COMMANDS)


def test_nothing_committed_names_a_registry() -> None:
    for path in [*Path(SHIPPED, "requirements").iterdir(), SHIPPED / "setup.cfg"]:
        assert "index-url" not in path.read_text().replace("--no-emit-index-url", "")
