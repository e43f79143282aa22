"""Settings of the machine and of content, and what the two make together."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.errors import SettingsError
from engine.core.values import DAY
from engine.lang.settings import Settings, read_machine_settings, settings_of


def machine(tmp_path: Path, text: str, **environment: str) -> dict[str, object]:
    path = tmp_path / "wakil.yaml"
    path.write_text(text)
    return dict(read_machine_settings(path, environment)[0])


def test_without_settings_there_are_defaults() -> None:
    found = settings_of({}, {})
    assert found == Settings()
    assert (found.host, found.port, found.timezone, found.mode) == (
        "127.0.0.1",
        8000,
        "UTC",
        "auto",
    )
    assert (found.actions, found.content_defaults) == (None, False)


def test_the_machine_wins_leaf_by_leaf(tmp_path: Path) -> None:
    above = machine(tmp_path, "server: {port: 9000}\nretention: {facts: 1d}\n")
    below = {
        "server": {"port": 8000, "host": "0.0.0.0"},
        "retention": {"facts": "2d", "runs": "3d"},
        "timezone": "Asia/Riyadh",
    }
    found = settings_of(above, below)
    assert (found.port, found.host, found.timezone) == (9000, "0.0.0.0", "Asia/Riyadh")
    assert (found.retention.facts, found.retention.runs) == (DAY, 3 * DAY)
    assert found.retention.decisions == 90 * DAY


def test_the_machines_list_of_actions_replaces_that_of_content(tmp_path: Path) -> None:
    above = machine(tmp_path, "actions: {allow: [service.restart]}\n")
    below = {"actions": {"allow": ["*"], "paths": ["/"]}}
    assert settings_of(above, below).actions == {"allow": ["service.restart"]}


@pytest.mark.parametrize(
    ("ceiling", "mode", "found"),
    [
        ("observe", "auto", "observe"),
        ("auto", "observe", "observe"),
        ("approve", "auto", "approve"),
        ("auto", "auto", "auto"),
    ],
)
def test_the_strictest_mode_holds(ceiling: str, mode: str, found: str) -> None:
    assert settings_of({"mode_ceiling": ceiling}, {"automation": {"mode": mode}}).mode == found


def test_every_key_is_a_variable_too(tmp_path: Path) -> None:
    found = machine(
        tmp_path,
        "server: {port: 9000, host: '::1'}\n",
        WAKIL_SERVER_PORT="9001",
        WAKIL_SERVER_HOST_NAME="12",
        WAKIL_ACTIONS_ALLOW="[service.*, files.prune]",
        WAKIL_ACTIONS_PATHS="[/srv]",
        WAKIL_DATABASE="postgresql://db/wakil",
        WAKIL_MODE_CEILING="approve",
        WAKIL_CONTENT_DEFAULTS="true",
        WAKIL_DATA="/var/lib/wakil",
        OTHER="x",
    )
    assert found == {
        "server": {"port": 9001, "host": "::1", "host_name": "12"},
        "actions": {"allow": ["service.*", "files.prune"], "paths": ["/srv"]},
        "database": "postgresql://db/wakil",
        "mode_ceiling": "approve",
        "content": {"defaults": True},
        "data": "/var/lib/wakil",
    }


def test_short_names_for_host_and_port() -> None:
    found, warnings = read_machine_settings(None, {"WAKIL_HOST": "::1", "WAKIL_PORT": "0"})
    assert (found, warnings) == ({"server": {"host": "::1", "port": 0}}, [])


def test_a_variable_that_names_no_setting_is_warned_of() -> None:
    environment = {"WAKIL_SERVER_PROT": "1", "WAKIL_CONTENT": "/x", "WAKIL_TOKEN": "t"}
    _, warnings = read_machine_settings(None, environment)
    assert warnings == [
        "the variable WAKIL_SERVER_PROT names no setting; did you mean 'WAKIL_SERVER_PORT'?"
    ]


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"WAKIL_PORT": "http"},
            "WAKIL_PORT: 'port' must be a whole number from 0 to 65535, not 'http'",
        ),
        ({"WAKIL_ACTIONS_ALLOW": "["}, "WAKIL_ACTIONS_ALLOW: this '[' is never closed"),
        (
            {"WAKIL_DATABASE": "mysql://u:hunter2@h"},
            "WAKIL_DATABASE: 'database' must be sqlite or postgresql://…",
        ),
    ],
)
def test_a_wrong_variable(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_machine_settings(None, environment)
    assert raised.value.message == message


def test_a_wrong_file_is_named_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        machine(tmp_path, "servr: {}\nserver: {port: x}\n")
    assert raised.value.message.splitlines() == [
        f"{tmp_path}/wakil.yaml:1:1: unknown key 'servr'; did you mean 'server'?",
        f"{tmp_path}/wakil.yaml:2:16: 'port' must be a whole number from 0 to 65535, not 'x'",
    ]
    with pytest.raises(SettingsError, match="cannot read the settings"):
        read_machine_settings(tmp_path / "missing.yaml", {})


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    assert machine(tmp_path, "# nothing yet\n") == {}


def test_the_port_of_the_gateway_is_taken_and_not_used(tmp_path: Path) -> None:
    assert machine(tmp_path, "server: {gateway_port: 8001}\n") == {"server": {"gateway_port": 8001}}
