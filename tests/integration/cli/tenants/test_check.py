"""`tenants check` against the stand-ins: what is wrong is said in plain words, with where to mend it."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import update_sync
from sandbox.certificates import make_certificate
from sandbox.environment import TENANT_KEY, Environment
from sandbox.microsoft.faults import Effect
from sandbox.microsoft.faults import Fault as GraphFault
from sandbox.microsoft.http_messages import Kind
from sandbox.skolon.faults import Fault as SkolonFault
from sandbox.skolon.faults import without_search_by_post
from tests.integration.cli.command_line import UNREACHABLE, add_tenant, database_environment
from tests.integration.cli.json_docs import faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PEOPLE = 60
TOKEN = "token from Entra"  # noqa: S105 - the name of a step
GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def env(stand_ins: Environment, tmp_path: Path) -> dict[str, str]:
    return database_environment(tmp_path, **stand_ins.variables)


def add(env: dict[str, str], stand_ins: Environment, **changes: Any) -> str:
    """Add the made-up tenant with changes; return its secret."""
    settings = {**stand_ins.tenant, **changes}
    add_tenant(env, TENANT_KEY, settings)
    return str(settings["client_secret"])


def check(env: dict[str, str]) -> tuple[int, dict[str, dict[str, str]], str]:
    """Return the exit code, the steps by name, and all that was written."""
    done = update_sync("tenants", "check", TENANT_KEY, "--json", env=env)
    assert done.returncode in (0, 1), done.stderr
    steps = json.loads(done.stdout)["steps"]
    return done.returncode, {step["step"]: step for step in steps}, done.stdout + done.stderr


def grades(steps: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: step["severity"] for name, step in steps.items()}


def test_good_credentials_are_good(stand_ins: Environment, env: dict[str, str]) -> None:
    """P1, P6: every step works, no value is shown, and Skolon is only read."""
    secret = add(env, stand_ins)
    stand_ins.skolon.forget_requests()
    code, steps, written = check(env)
    assert code == 0
    assert set(grades(steps).values()) == {"ok"}
    assert steps["users in Entra"]["detail"].startswith("60 users")
    assert not any(kind.startswith("PATCH") for kind in stand_ins.skolon.requests())
    assert secret not in written
    for person in stand_ins.municipality:
        assert person.entra["userPrincipalName"] not in written


def test_people_read_lines(stand_ins: Environment, env: dict[str, str]) -> None:
    """Without --json each step is a line that begins with its grade."""
    add(env, stand_ins)
    done = update_sync("tenants", "check", TENANT_KEY, env=env)
    assert done.returncode == 0
    assert all(line.startswith("ok ") for line in done.stdout.splitlines())


def test_how_skolon_is_searched_is_said(stand_ins: Environment, env: dict[str, str]) -> None:
    """P6: that values stand in URLs, where Skolon takes no search by POST, is a warning."""
    add(env, stand_ins)
    code, steps, _ = check(env)
    assert (code, steps["users in Skolon"]["detail"].split("; ")[1]) == (0, "searches by POST /.search")
    stand_ins.skolon.faults.add(without_search_by_post())
    code, steps, _ = check(env)
    assert (code, steps["users in Skolon"]["severity"]) == (0, "warning")
    assert "searches by GET: filters, which hold e-mail addresses" in steps["users in Skolon"]["detail"]


def test_what_is_known_of_the_server_is_shown_and_forgotten(
    stand_ins: Environment, env: dict[str, str]
) -> None:
    """The check finds out what searches can do, keeps it, and forgets on request what runs have found out."""
    add(env, stand_ins)
    known = {"method": "POST", "takes_or": True, "pages_add_up": True, "knows_versions": True}
    first = json.loads(update_sync("tenants", "check", TENANT_KEY, "--json", env=env).stdout)
    assert known.items() <= first["capabilities"].items()
    with closing(sqlite3.connect(env["UPDATE_SYNC_DATABASE_URL"].removeprefix("sqlite:///"))) as database:
        kept = dict(database.execute("SELECT name, value FROM skolon_capabilities"))
        found_out = {"method": '"POST"', "takes_or": "true", "pages_add_up": "true"}
        assert found_out.items() <= kept.items()
        (found,) = database.execute("SELECT * FROM skolon_capabilities WHERE name = 'takes_or'")
        row = [value if value != "takes_or" else "knows_versions" for value in found]
        with database:
            database.execute(
                "INSERT INTO skolon_capabilities VALUES (?, ?, ?, 'false', ?)", [*row[:3], row[4]]
            )
    code, steps, written = check(env)
    found_at = json.loads(written)["capabilities_found_at"]
    assert {"knows_versions", *found_out} <= found_at.keys()
    now = dt.datetime.now(dt.UTC)
    for when in map(dt.datetime.fromisoformat, found_at.values()):
        assert now - dt.timedelta(minutes=10) < when <= now
    assert "patch_forms" not in found_at
    assert max(found_at.values())[:10] in steps["found out about Skolon"]["detail"]
    assert "knows_versions" in steps["found out about Skolon"]["detail"]
    assert (code, steps["updates in Skolon"]["severity"]) == (0, "warning")
    assert "forget" in steps["updates in Skolon"]["fix"]
    done = update_sync("tenants", "check", TENANT_KEY, "--forget", env=env)
    assert (done.returncode, "updates in Skolon" in done.stdout) == (0, False)
    assert all(line.startswith("ok ") for line in done.stdout.splitlines())


def expire(stand_ins: Environment) -> None:
    app = stand_ins.tenant
    stand_ins.microsoft.entra.change(app["entra_tenant_id"], app["client_id"], secret_expired=True)


def take_permission(stand_ins: Environment) -> None:
    app = stand_ins.tenant
    stand_ins.microsoft.entra.change(app["entra_tenant_id"], app["client_id"], permitted=False)


def skolon_answers(status: int) -> Callable[[Environment], None]:
    def strike(stand_ins: Environment) -> None:
        stand_ins.skolon.faults.add(SkolonFault(kind="status", status=status, times=None, path_kind="search"))

    return strike


def graph_answers(effect: Effect, **more: Any) -> Callable[[Environment], None]:
    def strike(stand_ins: Environment) -> None:
        stand_ins.microsoft.faults.add(GraphFault(effect=effect, times=None, **more))

    return strike


def nothing(_: Environment) -> None:
    """Leave the stand-ins as they are."""


#: The tenant's settings, what is switched on, the step that fails, and words of its detail and its mending.
FAULTS: dict[str, tuple[dict[str, Any], Callable[[Environment], None], str, str, str]] = {
    "Secret ID for Value": ({"client_secret": GUID}, nothing, "client secret", "Secret ID", "Value"),
    "Secret ID, to Entra": ({"client_secret": GUID}, nothing, TOKEN, "Secret ID", "Certificates"),
    "wrong secret": ({"client_secret": "wrong~one"}, nothing, TOKEN, "AADSTS7000215", "tenants set"),
    "expired secret": ({}, expire, TOKEN, "has expired", "Certificates & secrets"),
    "unknown app": ({"client_id": GUID}, nothing, TOKEN, "AADSTS700016", "client id"),
    "wrong directory": ({"entra_tenant_id": GUID}, nothing, TOKEN, "no such directory", "Directory"),
    "no permission": ({}, take_permission, "users in Entra", "User.Read.All", "admin consent"),
    "Graph away": ({}, graph_answers(Effect.ERROR, status=503), "users in Entra", "HTTP 503", "later"),
    "Graph's proxy": ({}, graph_answers(Effect.HTML, kind=Kind.USERS), "users in Entra", "502", "later"),
    "Entra away": ({}, graph_answers(Effect.ERROR, kind=Kind.TOKEN, status=503), TOKEN, "503", "later"),
    "unknown organisation": ({"organisation": "nowhere"}, nothing, "users in Skolon", "404", "organisation"),
    "Skolon's token": ({}, skolon_answers(401), "users in Skolon", "401", "SKOLON_CLIENT_ID"),
    "Skolon's rights": ({}, skolon_answers(403), "users in Skolon", "403", "right"),
    "Skolon away": ({}, skolon_answers(503), "users in Skolon", "503", "later"),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "strike", "step", "said", "mend"), FAULTS.values(), ids=FAULTS.keys())
def test_every_fault_is_said_with_where_to_mend_it(  # noqa: PLR0913 - a row of a table
    *,
    stand_ins: Environment,
    env: dict[str, str],
    settings: dict[str, Any],
    strike: Callable[[Environment], None],
    step: str,
    said: str,
    mend: str,
) -> None:
    """P6, P7: the step that fails says why and where to mend it; the secret is not shown; exit 1."""
    secret = add(env, stand_ins, **settings)
    strike(stand_ins)
    code, steps, written = check(env)
    assert code == 1
    assert steps[step]["severity"] == "error"
    assert said in steps[step]["detail"]
    assert mend in steps[step]["fix"]
    assert "TENANT" not in written
    assert secret not in written
    assert "Traceback" not in written


def test_what_hangs_on_a_failed_step_is_skipped(stand_ins: Environment, env: dict[str, str]) -> None:
    """Without a token nothing of Entra is tried, and Skolon is all the same."""
    add(env, stand_ins, client_secret="wrong~one")  # noqa: S106 - made up
    _, steps, _ = check(env)
    assert grades(steps) == {
        "client secret": "ok",
        "token from Entra": "error",
        "users in Entra": "skipped",
        "birthdays": "skipped",
        "users in Skolon": "ok",
        "match keys in Skolon": "ok",
        "several values in one search": "ok",
        "pages in Skolon": "ok",
        "one user in Skolon": "ok",
        "what Skolon says of itself": "ok",
        "found out about Skolon": "ok",
    }


def test_birthdays_that_cannot_be_read_are_no_fault(stand_ins: Environment, env: dict[str, str]) -> None:
    """A directory that does not give birthdays away works, and a warning says what it means."""
    add(env, stand_ins)
    stand_ins.microsoft.faults.add(
        GraphFault(effect=Effect.ERROR, kind=Kind.BIRTHDAY, status=403, code="AccessDenied", times=None)
    )
    code, steps, _ = check(env)
    assert code == 0
    assert steps["birthdays"]["severity"] == "warning"
    assert "--no-birthdays" in steps["birthdays"]["fix"]


def test_birthdays_that_are_not_wanted_are_not_asked_for(stand_ins: Environment, env: dict[str, str]) -> None:
    """Birthdays are not requested for a tenant without them."""
    add(env, stand_ins, birthdays=False)
    before = stand_ins.microsoft.requests.counts().get("birthday", 0)
    _, steps, _ = check(env)
    assert steps["birthdays"]["severity"] == "skipped"
    assert stand_ins.microsoft.requests.counts().get("birthday", 0) == before


@pytest.mark.parametrize(
    ("days", "grade"), [(400, "ok"), (31, "ok"), (20, "warning"), (0, "warning"), (-10, "warning")]
)
def test_the_secrets_end_is_said_in_time(
    stand_ins: Environment, env: dict[str, str], days: int, grade: str
) -> None:
    """From 30 days before the noted end there is a warning, which is no fault."""
    # A day's grace: the date may turn between here and the command.
    expires = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days + (days == 31))
    add(env, stand_ins, client_secret_expires=expires.isoformat())
    code, steps, _ = check(env)
    assert code == 0
    assert steps["client secret's date"]["severity"] == grade


def test_addresses_where_nobody_listens(stand_ins: Environment, env: dict[str, str]) -> None:
    """Entra, Graph and Skolon away at once: each is said, and nothing is a traceback."""
    add(env, stand_ins)
    env |= {
        "UPDATE_SYNC_ENTRA_AUTHORITY": f"https://{UNREACHABLE}",
        "UPDATE_SYNC_GRAPH_URL": f"https://{UNREACHABLE}",
        "UPDATE_SYNC_SKOLON_SCIM_URL": f"https://{UNREACHABLE}/{{organisation}}",
        "UPDATE_SYNC_SKOLON_TOKEN_URL": f"https://{UNREACHABLE}/token",
    }
    code, steps, written = check(env)
    assert code == 1
    assert (steps["token from Entra"]["severity"], steps["users in Skolon"]["severity"]) == ("error", "error")
    assert "Traceback" not in written


def test_a_certificate_that_is_not_trusted(
    stand_ins: Environment, env: dict[str, str], tmp_path: Path
) -> None:
    """Waiting does not help: the variable that names further authorities is what to set."""
    add(env, stand_ins)
    (tmp_path / "stranger").mkdir()
    env["UPDATE_SYNC_CA_BUNDLE"] = str(make_certificate(tmp_path / "stranger", "localhost").authority)
    code, steps, _ = check(env)
    step = steps[TOKEN]
    assert (code, step["severity"]) == (1, "error")
    assert "TLS failed" in step["detail"]
    assert "name its file in UPDATE_SYNC_CA_BUNDLE" in step["fix"]
    assert "later" not in step["fix"]


def test_all_tenants_are_checked(stand_ins: Environment, env: dict[str, str]) -> None:
    """Each enabled one in a line, what is wrong with it below, and one that is wrong fails the command."""
    add(env, stand_ins)
    add_tenant(env, "fel", {**stand_ins.tenant, "client_secret": GUID})
    add_tenant(env, "vilande", {**stand_ins.tenant, "enabled": False})
    done = update_sync("tenants", "check", "--all", env=env)
    assert done.returncode == 1
    assert "error    fel\nerror    client secret\n" in done.stdout
    assert "detail (sv): den ser ut som en GUID" in done.stdout
    assert "detail (en): it looks like a GUID" in done.stdout
    assert "fix (sv): Entra admin center > Appregistreringar" in done.stdout
    assert f"ok       {TENANT_KEY}\n" in done.stdout
    assert done.stdout.endswith("2 tenants checked, 1 with an error.\n")
    found = json.loads(update_sync("tenants", "check", "--all", "--json", env=env).stdout)
    assert list(faults(found, "list of TenantCheck")) == []
    assert {each["tenant"]: each["ok"] for each in found} == {TENANT_KEY: True, "fel": False}
    # They share an organisation, and neither has forgotten what the other one has found out.
    assert [each["capabilities"]["pages_add_up"] for each in found] == [True, True]
    assert update_sync("tenants", "check", env=env).returncode == 2
    assert update_sync("tenants", "check", TENANT_KEY, "--all", env=env).returncode == 2
