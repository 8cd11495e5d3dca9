"""`tenants set` with rules of the scope: one rule alone, and what asks before rules go."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Outcome
from schemas.runs.sync_result import SyncResult
from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from workers.rules.scope import exclusion_reasons

if TYPE_CHECKING:
    from pathlib import Path

PROTECTED: dict[str, Any] = {"source": "extensionAttribute15", "equals": "skyddad"}
BLANK: dict[str, Any] = {"source": "department", "is_blank": True}
SCHOOLS: dict[str, Any] = {"source": "upnDomain", "one_of": ["skola.example", "elev.example"]}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    variables = database_environment(tmp_path)
    rules = {"exclude": [PROTECTED, BLANK], "include": [SCHOOLS]}
    add_tenant(variables, "exempel", tenant_object(scope=rules))
    return variables


def scope(env: dict[str, str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rules that are saved: those that exclude, and those that include."""
    saved = json_output("tenants", "show", "exempel", env=env)["scope"]
    return saved["exclude"], saved["include"]


def set_rules(env: dict[str, str], *options: str, code: int = 0) -> str:
    done = update_sync("tenants", "set", "exempel", *options, env=env)
    assert done.returncode == code, done.stderr
    return done.stderr


def test_rules_that_are_replaced_are_shown_and_asked_about(env: dict[str, str]) -> None:
    """Without a terminal that is refused, unless `--yes`; rules that stay are not asked about."""
    for options in (("--exclude", "city=Umeå"), ("--no-exclude",)):
        told = set_rules(env, *options, code=2)
        assert "These exclude rules go: extensionAttribute15=skyddad, department:is_blank" in told
        assert "--yes" in told
        assert scope(env) == ([PROTECTED, BLANK], [SCHOOLS])
    assert "--add-exclude" in set_rules(env, "--exclude", "city=Umeå", "--yes")
    assert scope(env) == ([{"source": "city", "equals": "Umeå"}], [SCHOOLS])
    set_rules(env, "--include", "upnDomain:one_of=skola.example,elev.example", "--include", "city=Umeå")
    assert len(scope(env)[1]) == 2
    set_rules(env, "--name", "Exempel")


def test_a_file_that_takes_rules_away_is_asked_about_too(env: dict[str, str]) -> None:
    """What a file does not name stays."""
    file = '{"scope": {"include": []}}'
    done = update_sync("tenants", "set", "exempel", "--from", "-", env=env, stdin=file)
    assert (done.returncode, scope(env)) == (2, ([PROTECTED, BLANK], [SCHOOLS]))
    assert "These include rules go: upnDomain:one_of=skola.example,elev.example" in done.stderr
    done = update_sync("tenants", "set", "exempel", "--from", "-", "--yes", env=env, stdin=file)
    assert (done.returncode, scope(env)) == (0, ([PROTECTED, BLANK], []))


def test_one_rule_is_added_and_removed(env: dict[str, str]) -> None:
    """The others stay, and nothing is asked; a rule that is there already is not added twice."""
    set_rules(env, "--add-exclude", "city=Umeå", "--add-exclude", "department:is_blank")
    assert scope(env)[0] == [PROTECTED, BLANK, {"source": "city", "equals": "Umeå"}]
    set_rules(env, "--remove-exclude", "department:is_blank", "--add-include", "city=Umeå")
    assert scope(env) == (
        [PROTECTED, {"source": "city", "equals": "Umeå"}],
        [SCHOOLS, {"source": "city", "equals": "Umeå"}],
    )
    set_rules(env, "--no-include", "--no-exclude", "--yes")
    assert scope(env) == ([], [])
    set_rules(env, "--no-include", "--exclude", "city=Umeå")
    assert scope(env) == ([{"source": "city", "equals": "Umeå"}], [])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--remove-exclude", "city=Umeå"), "There is no exclude rule city=Umeå. Those there are: extension"),
        (("--exclude", "city=Umeå", "--add-exclude", "city=Luleå"), "Give either --exclude"),
        (("--no-include", "--add-include", "city=Luleå"), "Give either --include"),
        (("--add-exclude", "city"), "--add-exclude takes SOURCE=VALUE"),
        (("--add-exclude", "shoe=42"), "--add-exclude shoe=…: there is no source shoe. Allowed are: "),
        (
            ("--remove-exclude", "Departement:is_blank"),
            "there is no source Departement. Did you mean department? Allowed are: ",
        ),
        (
            ("--add-include", "city:startswith=Um"),
            "--add-include city:startswith=…: there is no operator startswith. Did you mean starts_with? All",
        ),
        (("--exclude", "city:is_blank=x"), "--exclude city:is_blank=…: --exclude takes SOURCE=VALUE"),
        (("--add-exclude", "city:one_of=Umeå,,Luleå"), "--add-exclude city:one_of=…: A blank value means no"),
        (("--add-exclude", "city= "), "--add-exclude city=…: A blank value means no user"),
        (
            ("--add-exclude", "city=Umeå", "--remove-exclude", "city=UMEÅ"),
            "city=Umeå: one command cannot both add and remove an exclude rule.",
        ),
    ],
)
def test_options_that_cannot_be_meant(env: dict[str, str], options: tuple[str, ...], told: str) -> None:
    """They change nothing."""
    assert told in " ".join(set_rules(env, *options, code=2).split())
    assert scope(env) == ([PROTECTED, BLANK], [SCHOOLS])


def test_what_may_be_a_value_is_not_repeated(env: dict[str, str]) -> None:
    """P6: an address in front of which the source was forgotten."""
    for text in ("anna@skola.example", "anna@skola.example=1", "Anna Andersson:is_blank"):
        assert "nna" not in set_rules(env, "--add-exclude", text, code=2)


def test_rules_are_compared_as_the_sync_compares_them(env: dict[str, str]) -> None:
    """Case, space and the order of values do not count: such a rule is not stored twice, and it can go."""
    told = set_rules(env, "--add-exclude", "extensionAttribute15= SKYDDAD")
    assert told == "There is the exclude rule extensionAttribute15=skyddad already.\n"
    assert scope(env) == ([PROTECTED, BLANK], [SCHOOLS])
    set_rules(env, "--remove-exclude", "extensionAttribute15=Skyddad")
    assert scope(env)[0] == [BLANK]
    set_rules(env, "--exclude", "city=Umeå", "--exclude", "city:one_of=UMEÅ,umeå", "--yes")
    assert scope(env)[0] == [{"source": "city", "equals": "Umeå"}]
    set_rules(env, "--remove-include", "upnDomain:one_of=elev.example,Skola.example")
    assert scope(env)[1] == []


def test_a_change_says_which_rules_it_concerns(env: dict[str, str]) -> None:
    """As text and as JSON: those that are gone, those that are new, and how to see what these do."""
    options = ("--remove-exclude", "extensionAttribute15=skyddad", "--add-exclude", "city=Umeå")
    done = update_sync("tenants", "set", "exempel", *options, env=env)
    assert done.stdout.splitlines() == [
        "Updated tenant 'exempel': scope.",
        "Removed exclude rule extensionAttribute15=skyddad.",
        "Added exclude rule city=Umeå.",
        "How many users the new rules leave out: update-sync tenants preview exempel",
    ]
    shown = json_output("tenants", "set", "exempel", "--no-include", "--yes", env=env)
    assert shown == {
        "tenant": "exempel",
        "changed": ["scope"],
        "rules": [{"list": "include", "rule": SCHOOLS, "change": "removed", "run": None, "users": None}],
    }
    assert json_output("tenants", "set", "exempel", "--name", "Ny", env=env)["rules"] == []


def test_a_rule_that_goes_says_how_many_users_it_left_out(env: dict[str, str]) -> None:
    """They are those of the last full run, unless a setting has changed since it began."""
    with closing(open_store(env)) as store:
        reason = exclusion_reasons(store.tenants.settings("exempel").scope)
        protected, blank = reason.values()
        run = store.triggers.open(SyncRequest(tenant="exempel"), "event").run.id
        store.receipts.create_pending(run, ["u1", "u2", "u3"])
        store.receipts.finish(run, "u1", SyncResult(outcome=Outcome.OUT_OF_SCOPE, detail=protected))
        for user in ("u2", "u3"):
            store.receipts.finish(run, user, SyncResult(outcome=Outcome.OUT_OF_SCOPE, detail=blank))
        store.runs.finish_reading(run)
        assert store.runs.complete_if_done(run)
    asked = set_rules(env, "--no-exclude", code=2)
    assert "department:is_blank, which left out 2 users in run 1" in asked
    done = update_sync("tenants", "set", "exempel", "--remove-exclude", "department:is_blank", env=env)
    assert "Removed exclude rule department:is_blank, which left out 2 users in run 1." in done.stdout
    (removed,) = json_output("tenants", "set", "exempel", "--no-exclude", "--yes", env=env)["rules"]
    assert (removed["run"], removed["users"]) == (None, None)
