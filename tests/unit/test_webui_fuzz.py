"""Whatever is sent, every route answers with what it promises or a 4xx problem: never a 500."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.web import Web

from webui.api.routes import ROUTES
from webui.api.routing import Route

HOSTILE = st.sampled_from(["", "\0", "\ud800", "../..", "%", "وكيل", "9" * 30, "-1", "a" * 2000])
TEXT = HOSTILE | st.text(max_size=8)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
NAMES = ["kind", "data", "host", "at", "gone", "inputs", "dry_run", "digest", "comment", "reason"]
NAMES += ["name", "role", "password", "token", "type"]
OBJECT = st.dictionaries(st.sampled_from(NAMES) | TEXT, SCALAR | st.just({}), max_size=4)
BODY = SCALAR | OBJECT | st.lists(OBJECT, max_size=3)
PARAMETERS = ["kind", "host", "since", "until", "limit", "cursor", "rule", "status", "playbook"]
QUERY = st.dictionaries(st.sampled_from(PARAMETERS), TEXT, max_size=3)


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    opened = Web(tmp_path_factory.mktemp("web"))
    yield opened
    opened.close()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.endpoint)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=TEXT, query=QUERY, body=BODY, raw=st.none() | st.binary(max_size=30))
def test_no_input_breaks_a_route(web: Web, route: Route, name, query, body, raw):
    segment = quote("x" + name, safe="", errors="replace")
    path = "/api/v1" + re.sub(r"{\w+}", lambda found: segment, route.path)
    query = {key: text.encode("utf-8", "replace").decode() for key, text in query.items()}
    client = web.client("admin")
    arguments = {"json": body} if raw is None else {"data": raw, "content_type": "application/json"}
    if route.method == "GET":
        arguments = {}
    with client.open(path, method=route.method, query_string=query, **arguments) as answered:
        if answered.status_code < 400:
            assert answered.status_code in (route.status, 200)
            assert route.status == 204 or answered.json is not None
        else:
            assert answered.status_code < 500, answered.text
            assert answered.mimetype == "application/problem+json"
            assert answered.json["code"]
