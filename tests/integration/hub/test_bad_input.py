"""Garbage in every address, field, parameter, cookie and header, over PostgreSQL: no page ends in a 5xx."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest
import requests

from devtools.commands import COMMAND, command_environment
from devtools.servers import upgrade_with
from hub.access import SESSION_COOKIE
from schemas.crypto.encryption import new_key
from tests.integration.cli.command_line import add_tenant, tenant_object
from tests.integration.hub.browser import DEADLINE, running_hub
from tests.integration.hub.test_access import RULES, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.routing import Rule

    from devtools.services.postgresql import PostgreSQL
    from tests.integration.hub.browser import Browser, Hub

MARKUP: Final = "<script>alert(1)</script>"

GARBAGE: Final = (
    "\0",
    "a\0b",
    "..",
    "-1",
    "9" * 30,
    "1e9",
    "²",
    "x" * 3000,
    "\x1b[31m",
    "\u202eabc",
    MARKUP,
    "💩'; DROP TABLE runs; --",
    "%",
)

#: Bytes that are no UTF-8, as they stand in an address.
NO_UTF8: Final = "%ff%fe"

#: What the pages read of an address, and what they do not.
PARAMETERS: Final = ("before", "after", "cursor", "limit", "outcome", "reason", "link", "language", "x")

#: The fields of all forms; a form reads its own.
FIELDS: Final = (
    "who",
    "user",
    "label",
    "language",
    "next",
    "link",
    "name",
    "role",
    "message",
    "key",
    "kind",
    "answer",
    "settings",
    "tenant",
    "seen",
    "sure",
    "organisation",
    "directory",
    "client_id",
    "secret",
    "expires",
    "sync",
    "recipients",
    "webhook_url",
    "most_failed",
    "quiet_from",
    "quiet_to",
    "repair_day",
    "repair_entra",
    "language",
    "channel",
    "x",
)

#: Ends the session, which the other requests need.
ENDING: Final = ("sign_in.sign_out", "sign_in.sign_out_everywhere")


@pytest.fixture(scope="module")
def hub(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    url = postgresql.create_database(upgrade_with(COMMAND))
    env = command_environment(UPDATE_SYNC_DATABASE_URL=url, UPDATE_SYNC_SECRET_KEYS=new_key())
    add_tenant(env, "exempel", tenant_object())
    with running_hub(env, tmp_path_factory.mktemp("hub")) as running:
        yield running
    postgresql.drop_database(url)


@pytest.fixture(scope="module")
def browser(hub: Hub) -> Browser:
    """Give an operator's browser, which no access rule keeps from anything."""
    browser = hub.signed_in("Oda Skräp", "operator")
    browser.max_redirects = 5
    return browser


def taking(method: str) -> list[Rule]:
    """Return the routes that take a method."""
    return [rule for rule in RULES if method in (rule.methods or ())]


def addresses(rule: Rule) -> Iterator[str]:
    """Yield the addresses of a route with garbage in place of one value after the other."""
    names = sorted(rule.arguments)
    built = rule.build(VALUES, append_unknown=False)
    assert built is not None, f"VALUES of test_access.py has no value for {rule.rule}"
    yield built[1]
    for name, text in itertools.product(names, (*(quote(each, safe="") for each in GARBAGE), NO_UTF8)):
        marked = rule.build({**VALUES, name: "garbage-here"}, append_unknown=False)
        assert marked is not None
        yield marked[1].replace("garbage-here", text)


def check(answer: requests.Response, asked: str) -> None:
    """Nothing failed, and nothing came back as markup or as a sign that moves a cursor."""
    assert answer.status_code < 500, asked
    assert MARKUP not in answer.text, asked
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        assert not any(sign in answer.text for sign in ("\x1b", "\0")), asked


@pytest.mark.parametrize("rule", taking("GET"), ids=lambda rule: rule.rule)
def test_garbage_in_addresses_and_parameters(browser: Browser, rule: Rule) -> None:
    """Each route, as the table of routes has it, with each piece of garbage."""
    there, *others = addresses(rule)
    for address in others:
        check(browser.open(address, allow_redirects=False), address)
    for text in (*(quote(each, safe="") for each in GARBAGE[::3]), NO_UTF8):
        query = "&".join(f"{name}={text}" for name in PARAMETERS)
        check(browser.open(f"{there}?{query}", allow_redirects=False), query)


@pytest.mark.parametrize(
    "rule",
    # The API takes no form: `acting.test_runs` and schemathesis send it what makes no sense.
    [rule for rule in taking("POST") if rule.endpoint not in ENDING and not rule.rule.startswith("/api/")],
    ids=lambda rule: rule.rule,
)
def test_garbage_in_forms(browser: Browser, rule: Rule) -> None:
    """Each form with garbage in all fields, without any, of 5 MB, and as something that is no form."""
    there, *others = addresses(rule)
    token = browser.open("sign-in").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    headers = {"X-CSRFToken": token}

    def post(path: str, **options: Any) -> requests.Response:
        url = browser.address + path.removeprefix("/")
        return browser.post(url, allow_redirects=False, timeout=DEADLINE, **{"headers": headers, **options})

    for text in GARBAGE:
        check(post(there, data=dict.fromkeys(FIELDS, text)), text)
    for address in others:
        check(post(address, data={}), address)
    check(post(there, data={}), "no field")
    check(post(there, data={name: ["a", "b"] for name in FIELDS}), "each field twice")
    check(post(there, data=dict.fromkeys(FIELDS[:3], "å" * 10000)), "long fields")
    check(post(there, data=b"\xff\0\xfe=%ff%zz&&&=;"), "no form at all")
    check(post(there, json={"who": [{}]}), "JSON")
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "\xff/\xfe"):
        check(post(there, data=b"--x\r\nbroken", headers={**headers, "Content-Type": kind}), kind)
    big = post(there, data={"who": "x" * 5_000_000})
    assert big.status_code in {400, 413}
    for wrong in ("", "x", "x" * 5000):
        assert post(there, data={}, headers={"X-CSRFToken": wrong}).status_code == 400


@pytest.mark.parametrize("text", [*GARBAGE[1:], "å", "=;=;", '"'])
def test_garbage_in_cookies_and_headers(hub: Hub, text: str) -> None:
    """A cookie or header that makes no sense is none: the visitor is not signed in."""
    raw = text.replace("\0", "\x01").encode()
    for cookie in (SESSION_COOKIE, "update_sync_language", "update_sync_form", "x"):
        headers = {"Cookie": cookie.encode() + b"=" + raw}
        check(requests.get(f"{hub.address}", headers=headers, timeout=DEADLINE), cookie)
    for name in (
        "Accept-Language",
        "Authorization",
        "Content-Type",
        "If-None-Match",
        "Range",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
    ):
        for path in ("sign-in", "api/v1/syncs", "static/hub.css"):
            answer = requests.get(hub.address + path, headers={name: b"x" + raw}, timeout=DEADLINE)
            check(answer, f"{name} of {path}")


def test_the_log_names_no_error_of_ours(hub: Hub, browser: Browser) -> None:
    """All of it was refused on purpose: nothing failed behind a friendly page."""
    browser.open("tenants/%00/runs/")
    log = hub.log.read_text(encoding="utf-8")
    assert '"page_served"' in log
    assert '"page_failed"' not in log
    assert "Traceback" not in log
