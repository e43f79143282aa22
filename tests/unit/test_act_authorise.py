"""What the machine allows: every field that holds a path, an argv or a URL is asked about."""

import os
import subprocess
import sys

import pytest

from agents import AGENTS
from engine.act.authorise import (
    SETTING_EFFECTS,
    Effect,
    authorise,
    authorise_order,
    effects_of,
    permissions,
    screen,
)
from engine.act.charter import compile_charter
from engine.act.rights import drop_privileges
from engine.core.errors import Refused, SettingsError
from engine.core.ports import Order

ACTIONS = {
    "allow": ["service.*", "files.prune"],
    "paths": ["/var/log", "/srv"],
    "commands": [
        {"name": "reload-lb", "argv": ["/usr/local/bin/lb", "reload"]},
        {"name": "start-worker", "argv": ["/opt/worker", "--daemon"]},
    ],
}
SAMPLES = {
    "path": "/etc/shadow",
    "log": "/etc/*.conf",
    "pid_file": "/etc/worker.pid",
    "start": ["/bin/sh", "-c", "id"],
    "url": "http://169.254.169.254/latest",
}


def fields_with_effects(schema, where=""):
    """Every field of a settings schema that is marked as touching the system."""
    if "x-effect" in schema:
        yield where, schema["x-effect"]
    for name, part in schema.get("properties", {}).items():
        yield from fields_with_effects(part, f"{where}.{name}")
    if "items" in schema:
        yield from fields_with_effects(schema["items"], f"{where}[]")


MARKED = [
    (agent.id, where, kind)
    for agent in AGENTS
    for where, kind in fields_with_effects(agent.settings)
]


def test_the_fields_that_touch_the_system_are_marked():
    assert {(agent, where) for agent, where, _ in MARKED} >= {
        ("apps", ".services[].pid_file"),
        ("apps", ".services[].start"),
        ("apps", ".services[].url"),
        ("apps", ".services[].address"),
        ("logs", ".files[]"),
    }
    assert {kind for _, _, kind in MARKED} <= set(SETTING_EFFECTS)


def suspicious(schema, where=""):
    """Fields that by their description or pattern hold a path or an address, marked or not."""
    if str(schema.get("pattern", "")).startswith(("^/", "^http", "^.+:")):
        yield where, schema
    for name, part in schema.get("properties", {}).items():
        yield from suspicious(part, f"{where}.{name}")
    if "items" in schema and "x-effect" not in schema:
        yield from suspicious(schema["items"], f"{where}[]")


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.id)
def test_no_such_field_is_left_unmarked(agent):
    assert all("x-effect" in schema for _, schema in suspicious(agent.settings))


@pytest.mark.parametrize(("agent", "where", "kind"), MARKED)
@pytest.mark.parametrize("actions", [None, ACTIONS])
def test_each_is_refused_in_shared_content(agent, where, kind, actions):
    with pytest.raises(Refused, match="do not allow"):
        authorise(Effect(kind, SAMPLES[kind], where), permissions(shared=True, actions=actions))


@pytest.mark.parametrize("kind", SAMPLES)
def test_local_content_without_actions_is_open(kind):
    authorise(Effect(kind, SAMPLES[kind]), permissions(shared=False, actions=None))


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("action", "service.restart", True),
        ("action", "files.restore", False),
        ("action", "process.terminate", False),
        ("path", "/var/log/nginx", True),
        ("path", "/var/log", True),
        ("path", "/var/logs", False),
        ("path", "/var/log/../lib", False),
        ("path", "var/log", False),
        ("path", 7, False),
        ("start", ["/opt/worker", "--daemon"], True),
        ("start", ["/opt/worker"], False),
        ("command", "reload-lb", True),
        ("command", "other", False),
        ("argv", ["/usr/local/bin/lb", "reload"], False),
        ("url", "http://127.0.0.1:8080/health", False),
    ],
)
def test_with_actions_the_list_holds_for_everybody(shared, kind, value, fits):
    allowed = permissions(shared=shared, actions=ACTIONS)
    if fits:
        authorise(Effect(kind, value), allowed)
    else:
        with pytest.raises(Refused, match="this would: "):
            authorise(Effect(kind, value), allowed)


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://status.example.org/health", True),
        ("https://status.example.org:443/x?y", True),
        ("http://status.example.org/", False),
        ("https://status.example.org.evil.org/", False),
        ("https://status.example.org@evil.org/", False),
        ("db.example.org:5432", True),
        ("https://[::1", False),
    ],
)
def test_urls_fit_by_origin(url, fits):
    origins = ["https://status.example.org:443", "tcp://db.example.org:5432"]
    allowed = permissions(shared=True, actions=None, origins=origins)
    if fits:
        authorise(Effect("url", url), allowed)
    else:
        with pytest.raises(Refused):
            authorise(Effect("url", url), allowed)


def test_screen_leaves_out_what_is_refused_and_says_so():
    apps = next(agent for agent in AGENTS if agent.id == "apps")
    services = [
        {"name": "nginx", "manager": "systemd"},
        {"name": "w", "manager": "pidfile", "pid_file": "/srv/w.pid", "start": ["/bin/sh"]},
        {"name": "v", "manager": "pidfile", "pid_file": "/srv/v.pid"},
    ]
    settings, refusals = screen(
        apps.settings, {"services": services}, permissions(shared=True, actions=ACTIONS)
    )
    assert [service["name"] for service in settings["services"]] == ["nginx", "v"]
    assert [str(refused).split(":")[0] for refused in refusals] == ["services[1].start"]


def test_effects_of_names_each_field():
    logs = next(agent for agent in AGENTS if agent.id == "logs")
    found = list(effects_of(logs.settings, {"files": ["/a", "/b"], "journal": True}))
    assert found == [Effect("log", "/a", "files[0]"), Effect("log", "/b", "files[1]")]


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("process.signal", {}),
        ("exec", {"command": "other"}),
        ("exec", {"argv": ["/bin/true"]}),
        ("files.prune", {"path": "/etc"}),
        ("files.plan", {"path": "/etc"}),
        ("command.describe", {"command": "other"}),
    ],
)
def test_orders_are_authorised_as_a_whole(verb, args):
    order = Order(verb, args, "run", "steps.0", 1, 0)
    with pytest.raises(Refused):
        authorise_order(order, permissions(shared=False, actions=ACTIONS))
    authorise_order(order, permissions(shared=False, actions=None))


def test_the_charter_leaves_out_what_is_refused(tmp_path):
    agents = {
        "apps": {
            "services": [
                {"name": "nginx", "manager": "systemd"},
                {"name": "w", "manager": "pidfile", "pid_file": "/run/w.pid"},
            ]
        },
        "logs": {"files": ["/var/log/*.log", "/etc/shadow"]},
    }
    compiled = compile_charter(permissions(shared=True, actions=ACTIONS), agents, tmp_path)
    assert list(compiled.data["services"]) == ["nginx"]
    assert compiled.data["logs"] == ["/var/log/*.log", "/var/log/*.log.1"]
    assert len(compiled.refusals) == 2


def test_a_command_needs_an_absolute_program(tmp_path):
    actions = {"commands": [{"name": "x", "argv": ["reload"]}]}
    with pytest.raises(SettingsError, match="absolute path"):
        compile_charter(permissions(shared=False, actions=actions), {}, tmp_path)


@pytest.mark.parametrize(("user", "words"), [("no-such-user", "no user"), ("root", "root is")])
def test_rights_are_dropped_to_an_ordinary_user_only(user, words):
    with pytest.raises(SettingsError, match=words):
        drop_privileges(user)


def test_dropped_rights_are_gone_for_good():
    """As root the child ends as `nobody` and cannot come back; as anybody else it may not try."""
    code = (
        "import os\n"
        "from engine.act.rights import drop_privileges\n"
        "try:\n"
        "    drop_privileges('nobody')\n"
        "except PermissionError:\n"
        "    print('refused')\n"
        "else:\n"
        "    try:\n"
        "        os.setuid(0)\n"
        "    except PermissionError:\n"
        "        print('dropped', 0 in os.getresuid(), 0 in os.getgroups())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = "dropped False False\n" if os.geteuid() == 0 else "refused\n"
    assert done.stdout == expected
