"""`tenants set` with rules of the scope: one rule alone, and what asks before rules go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from tests.integration.cli.command_line import add_tenant, database_environment, tenant_object

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
        (("--add-exclude", "shoe=42"), "source"),
    ],
)
def test_options_that_cannot_be_meant(env: dict[str, str], options: tuple[str, ...], told: str) -> None:
    """They change nothing."""
    assert told in " ".join(set_rules(env, *options, code=2).split())
    assert scope(env) == ([PROTECTED, BLANK], [SCHOOLS])
