"""`update-sync tenants preview --user`: each step of one user's way, and nothing is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from tests.integration.cli.command_line import add_tenant, database_environment
from tests.integration.cli.json_docs import faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.municipality.municipality import MadeUpUser

PEOPLE = 120


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with serve_environment(tmp_path_factory.mktemp("world"), users=PEOPLE) as served:
        yield served


@pytest.fixture
def env(made_up: Environment, tmp_path: Path) -> dict[str, str]:
    variables = database_environment(tmp_path, **made_up.variables)
    add_tenant(variables, TENANT_KEY, made_up.tenant)
    return variables


def user_with(made_up: Environment, outcome: str, reason: str | None = None) -> MadeUpUser:
    return next(
        each
        for each in made_up.municipality
        if each.outcome == outcome and (reason is None or each.reason == reason)
    )


def explained(env: dict[str, str], user: str, *options: str, code: int = 0) -> dict[str, Any]:
    done = update_sync("tenants", "preview", TENANT_KEY, "--user", user, *options, "--json", env=env)
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert list(faults(found, "UserPreview")) == []
    return {**found, "by_name": {step["step"]: step for step in found["steps"]}}


def values_of(person: MadeUpUser) -> set[str]:
    """Return every value of a person that is not an id."""
    found: set[str] = set()
    for name, value in person.entra.items():
        held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        found |= {each for each in held if isinstance(each, str) and name not in ("id", "userType")}
    return {each for each in found if len(each) > 3}


def test_each_step_is_explained(made_up: Environment, env: dict[str, str]) -> None:
    """A user who would be updated: read, in scope, mapped, found, compared; and Skolon was only read."""
    person = user_with(made_up, "updated")
    before = made_up.skolon_users()

    found = explained(env, person.entra["id"])

    assert found["outcome"] == "would_update"
    assert [step["step"] for step in found["steps"]] == [
        "read", "scope", "map", "search", "match", "birth_date", "owner", "compare",
    ]  # fmt: skip
    assert found["by_name"]["match"]["skolon_user"] == person.claims
    assert found["by_name"]["compare"]["changes"]
    assert made_up.skolon_users() == before
    assert "PATCH user" not in made_up.skolon.requests()


def test_one_user_is_told_that_a_match_key_is_given_up(made_up: Environment, env: dict[str, str]) -> None:
    """Otherwise the steps of one user do not tell that users are found by it."""
    user = user_with(made_up, "updated").entra["id"]
    options = ("tenants", "preview", TENANT_KEY, "--user", user, "--set", "eppn=")
    assert json_output(*options, env=env)["lost_match_keys"] == ["eppn"]
    assert "Warning: EPPN is a match key" in update_sync(*options, env=env).stdout


def test_values_are_shown_by_their_shape(made_up: Environment, env: dict[str, str]) -> None:
    """P6: no value of a person is printed, in words or as JSON, unless it is asked for."""
    person = user_with(made_up, "updated")
    user = person.entra["id"]
    for options in ([], ["--json"]):
        printed = update_sync("tenants", "preview", TENANT_KEY, "--user", user, *options, env=env)
        assert not {value for value in values_of(person) if value in printed.stdout + printed.stderr}
    shown = update_sync("tenants", "preview", TENANT_KEY, "--user", user, "--values", env=env)
    assert person.entra["userPrincipalName"].strip() in shown.stdout
    assert not {value for value in values_of(person) if value in shown.stderr}


def test_a_user_is_found_by_name_and_address(made_up: Environment, env: dict[str, str]) -> None:
    """As with `users show`: an administrator knows a name or an address, and not an id."""
    person = user_with(made_up, "updated")
    for called in (person.entra["userPrincipalName"].strip(), person.entra["displayName"]):
        assert explained(env, called)["user"] == person.entra["id"]


@pytest.mark.parametrize("reason", ["invalid_user", "ambiguous_match"])
def test_a_user_that_would_fail_is_explained_up_to_there(
    made_up: Environment, env: dict[str, str], reason: str
) -> None:
    """P9: it says at which step, for what reason, and what was found out before."""
    found = explained(env, user_with(made_up, "dead_lettered", reason).entra["id"], code=1)
    assert (found["outcome"], found["reason"]) == ("dead_lettered", reason)
    assert found["steps"][-1]["step"] == {"invalid_user": "compare", "ambiguous_match": "search"}[reason]
    assert found["detail"]


def test_what_is_tried_is_explained(made_up: Environment, env: dict[str, str]) -> None:
    """Settings that are not saved decide each step: another source, another key, another scope."""
    user = user_with(made_up, "updated").entra["id"]
    tried = explained(env, user, "--set", "eppn=", "--set", "match_keys=external_id")
    assert "eppn" not in {each["attribute"] for each in tried["by_name"]["map"]["attributes"]}
    assert [each["key"] for each in tried["by_name"]["search"]["keys"]] == ["external_id"]
    left = explained(env, user, "--set", f"exclude=id={user}")
    assert left["outcome"] == "out_of_scope"
    assert left["by_name"]["scope"]["rules"][-1]["allows"] is False


def test_a_scope_is_tried_by_the_options_that_save_it(made_up: Environment, env: dict[str, str]) -> None:
    """One rule more, one less, and all rules anew: each as `tenants set` takes it, and nothing is saved."""
    user = user_with(made_up, "updated").entra["id"]
    for option in ("--add-exclude", "--exclude"):
        assert explained(env, user, option, f"id={user}")["outcome"] == "out_of_scope"
    assert explained(env, user, "--add-include", f"id={user}")["outcome"] != "out_of_scope"
    assert explained(env, user, "--no-exclude")["outcome"] != "out_of_scope"
    command = ("tenants", "preview", TENANT_KEY, "--user", user)
    missing = update_sync(*command, "--remove-exclude", f"id={user}", env=env)
    assert (missing.returncode, "There is no exclude rule" in missing.stderr) == (2, True)
    both = update_sync(*command, "--set", f"exclude=id={user}", "--add-exclude", "id=1", env=env)
    assert (both.returncode, "Give either --exclude" in both.stderr) == (2, True)


def test_a_rule_of_the_scope_is_shown_by_itself(made_up: Environment, env: dict[str, str]) -> None:
    """P6: by its source and kind, and by its value only with `--values`."""
    user = user_with(made_up, "updated").entra["id"]
    options = (
        "tenants",
        "preview",
        TENANT_KEY,
        "--user",
        user,
        "--set",
        f"exclude=id:starts_with={user[:9]}",
    )
    said = "scope.exclude id:starts_with=…: the user matches the rule"
    masked, shown = (update_sync(*options, *more, env=env).stdout for more in ((), ("--values",)))
    assert f"  {said}\n" in masked
    assert f"  {said} (id:starts_with={user[:9]})\n" in shown
    assert f"starts_with={user[:9]}" not in masked
    rules = [explained(env, user, *options[5:], *more)["by_name"]["scope"]["rules"][-1]["rule"]
             for more in ((), ("--values",))]  # fmt: skip
    assert rules == ["id:starts_with=…", f"id:starts_with={user[:9]}"]


def test_nobody_of_that_id(env: dict[str, str]) -> None:
    """An id that nobody in Entra has is out of scope, as for a run."""
    found = explained(env, "00000000-0000-4000-8000-00000000dead")
    assert (found["outcome"], found["steps"]) == (
        "out_of_scope",
        [{"step": "read", "found": False, "by_id": True}],
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--set", "eppm=mail", "--set", "eppn=city", "--set", "match_keys=city"],
         ["eppm", "--set eppn=…: ", "--set match_keys=…: "]),
        (["--set", "eppn"], ["NAME=VALUE"]),
        (["--values"], ["--user"]),
        (["--user", "anna@example.org"], ["No user with that id, address or name"]),
        (["--user", "Nosuch"], ["No user with that id, address or name"]),
    ],
)  # fmt: skip
def test_wrong_use_is_refused_at_once(env: dict[str, str], options: list[str], told: list[str]) -> None:
    """Every fault is told at once, with 2, before anything is asked or published: there is no broker here."""
    reachable = {**env, "UPDATE_SYNC_AMQP_URL": "amqp://127.0.0.1:1/"}
    done = update_sync("tenants", "preview", TENANT_KEY, *options, env=reachable)
    assert done.returncode == 2
    assert all(word in done.stderr for word in told), done.stderr
