"""`update-sync tenants`, `database` and `new-key`, as processes on a database file."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import command_environment, json_output, update_sync
from schemas.crypto.encryption import is_encryption_key
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause
from tests.integration.cli.command_line import (
    SECRET,
    add_tenant,
    database_environment,
    open_store,
    run_on_terminal,
    tenant_object,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return database_environment(tmp_path)


def add(env: dict[str, str], key: str = "exempel", **settings: Any) -> None:
    done = update_sync(
        "tenants", "add", key, "--from", "-", env=env, stdin=json.dumps(tenant_object(**settings))
    )
    assert done.returncode == 0, done.stderr


def test_new_keys_can_be_used_and_differ() -> None:
    """A fresh key needs no environment, can seal, and is never the same twice."""
    keys = {update_sync("new-key", env=command_environment()).stdout.strip() for _ in range(2)}
    assert len(keys) == 2
    assert all(is_encryption_key(key) for key in keys)


@pytest.mark.parametrize(
    "arguments",
    [(), ("tenants",), ("tenants", "add"), ("runs", "show"), ("worker",), ("scheduler",), ("sandbox",)],
)
def test_help_is_everywhere(arguments: tuple[str, ...]) -> None:
    """Every command explains itself with nothing set up."""
    done = update_sync(*arguments, "--help", env=command_environment())
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: update-sync")


def test_the_version_is_told() -> None:
    """The command tells its version."""
    done = update_sync("--version", env=command_environment())
    assert (done.returncode, "0.1.0" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("tenants", "add"),
        ("runs", "show", "first"),
        ("runs", "list", "--limit", "0"),
        ("scheduler", "--json"),
    ],
)
def test_wrong_use_ends_with_2(arguments: tuple[str, ...]) -> None:
    """What click refuses ends with 2, on standard error alone."""
    done = update_sync(*arguments, env=command_environment())
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage:" in done.stderr


def test_every_missing_setting_is_named_at_once() -> None:
    """An environment that lacks things ends with 2 and one line for each."""
    done = update_sync("worker", env=command_environment())
    assert done.returncode == 2
    for name in ("AMQP_URL", "DATABASE_URL", "SECRET_KEYS", "SKOLON_SCIM_URL"):
        assert f"UPDATE_SYNC_{name}: is not set" in done.stderr


def test_a_database_that_is_not_upgraded_is_said(tmp_path: Path) -> None:
    """Before the upgrade, a command says which command is missing, without a traceback."""
    env = command_environment(UPDATE_SYNC_DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite'}")
    done = update_sync("tenants", "list", env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith("run 'update-sync database upgrade' first.")


def test_the_upgrade_may_be_repeated(env: dict[str, str], tmp_path: Path) -> None:
    """An empty database is upgraded, and upgrading what is upgraded does nothing and is no fault."""
    env |= {"UPDATE_SYNC_DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite'}"}
    for _ in range(2):
        assert update_sync("database", "upgrade", env=env).returncode == 0
        assert json_output("tenants", "list", env=env) == []


def test_a_tenant_is_shown_as_it_was_added_without_its_secret(env: dict[str, str]) -> None:
    """P6: `show --json` gives the contract's object back, and nothing ever gives the secret."""
    given = tenant_object(
        ssn_country="SE",
        scope={
            "enabled_only": True,
            "members_only": False,
            "include": [
                {"source": "department", "starts_with": "Skol"},
                {"source": "jobTitle", "one_of": ["Elev", "Lärare"]},
                {"source": "upnDomain", "ends_with": ".example"},
            ],
            "exclude": [
                {"source": "extensionAttribute15", "equals": "skyddad"},
                {"source": "companyName", "is_blank": True},
            ],
        },
    )
    add(env, **{name: value for name, value in given.items() if name in ("ssn_country", "scope")})

    shown = json_output("tenants", "show", "exempel", env=env)
    plain = update_sync("tenants", "show", "exempel", env=env)
    listed = update_sync("tenants", "list", env=env)

    assert shown == {**shown, **{name: value for name, value in given.items() if name != "client_secret"}}
    assert "client_secret" not in shown
    assert "guard.changed.count           1000" in plain.stdout
    assert "{'" not in plain.stdout
    for output in (json.dumps(shown), plain.stdout, plain.stderr, listed.stdout, listed.stderr):
        assert SECRET not in output


def test_what_people_read_of_a_tenant_is_no_python(env: dict[str, str]) -> None:
    """What is not set is a dash, yes and no are words, and choices stand as they are given."""
    add(env)
    shown = update_sync("tenants", "show", "exempel", env=env).stdout
    for line in ("schedule -", "scope.include -", "guard.not_found -", "ssn_country -", "birthdays yes"):
        assert line in [" ".join(each.split()) for each in shown.splitlines()]
    assert re.search(r"\b(?:None|True|False)\b|[{(\[]'|\b[A-Z]\w+\.[A-Z_]+\b|<", shown) is None
    listed = update_sync("tenants", "list", env=env).stdout
    assert re.search(r"\b(?:None|True|False)\b", listed) is None


def test_what_is_shown_can_be_given_back(env: dict[str, str]) -> None:
    """The object of `show --json`, given to `set`, changes nothing."""
    add(env)
    shown = json_output("tenants", "show", "exempel", env=env)
    done = update_sync("tenants", "set", "exempel", "--from", "-", env=env, stdin=json.dumps(shown))
    assert done.returncode == 0, done.stderr
    assert json_output("tenants", "show", "exempel", env=env) == shown


def test_every_option_sets_its_setting(env: dict[str, str], tmp_path: Path) -> None:
    """Options alone make a whole tenant; the secret comes from a file of its own."""
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n", encoding="utf-8")
    done = update_sync(
        *("tenants", "add", "exempel", "--client-secret-file", str(secret)),
        *(
            "--name",
            "Exempelkommun",
            "--entra-tenant-id",
            "dir",
            "--client-id",
            "app",
            "--organisation",
            "org",
        ),
        *("--client-secret-expires", "2030-01-31", "--ssn-country", "SE", "--no-birthdays", "--disabled"),
        *("--schedule", "30 2 * * 1-5", "--time-zone", "Europe/Oslo"),
        *("--give-up-after-hours", "2.5", "--match-keys", "external_id,eppn"),
        *("--source", "eppn=extensionAttribute3,mail", "--source", "ssn=extensionAttribute1"),
        *("--erase-blank", "city,address", "--enabled-only", "--members-only"),
        *("--exclude", "extensionAttribute15=skyddad", "--exclude", "city=a=b"),
        *("--exclude", "employeeType:is_blank", "--include", "department:starts_with=Skol"),
        *("--include", "jobTitle:one_of=Elev, Lärare"),
        env=env,
    )
    assert done.returncode == 0, done.stderr
    shown = json_output("tenants", "show", "exempel", env=env)
    assert shown["client_secret_expires"] == "2030-01-31"  # noqa: S105 - a date
    assert (shown["ssn_country"], shown["birthdays"], shown["enabled"]) == ("SE", False, False)
    assert (shown["schedule"], shown["time_zone"]) == ("30 2 * * 1-5", "Europe/Oslo")
    assert shown["give_up_after_hours"] == 2.5
    assert shown["match_keys"] == ["external_id", "eppn"]
    assert shown["sources"]["eppn"] == ["extensionAttribute3", "mail"]
    assert shown["sources"]["ssn"] == ["extensionAttribute1"]
    assert shown["sources"]["email"] == ["mail", "otherMails"]
    assert shown["erase_blank"] == ["address", "city"]
    assert shown["scope"] == {
        "enabled_only": True,
        "members_only": True,
        "include": [
            {"source": "department", "starts_with": "Skol"},
            {"source": "jobTitle", "one_of": ["Elev", "Lärare"]},
        ],
        "exclude": [
            {"source": "extensionAttribute15", "equals": "skyddad"},
            {"source": "city", "equals": "a=b"},
            {"source": "employeeType", "is_blank": True},
        ],
    }


def test_set_changes_what_it_names_and_says_so_by_name(env: dict[str, str]) -> None:
    """`set` keeps everything else, and tells names of settings, no values."""
    add(env, ssn_country="SE")
    before = json_output("tenants", "show", "exempel", env=env)
    changes = json.dumps({"name": "Nya kommunen", "client_secret": "another~made-up~value"})
    done = update_sync(
        "tenants",
        "set",
        "exempel",
        "--from",
        "-",
        "--source",
        "ssn=",
        "--no-birthdays",
        env=env,
        stdin=changes,
    )
    assert done.returncode == 0, done.stderr
    # The sources are named, and are as they were.
    assert done.stdout == "Updated tenant 'exempel': birthdays, client_secret, name.\n"
    assert "another" not in done.stdout + done.stderr
    after = json_output("tenants", "show", "exempel", env=env)
    assert after == {**before, "name": "Nya kommunen", "birthdays": False}


_HELSINKI = r"next_due +(2\d\d\d)-06-30T23:30:00Z \(\1-07-01 02:30 in Europe/Helsinki\)"


def test_a_tenant_shows_when_it_is_due_next(env: dict[str, str]) -> None:
    """In UTC and by the tenant's own clock, for people alone: the JSON stays what `tenants add` takes."""
    add(env, time_zone="Europe/Helsinki")
    assert "never: it has no schedule" in next_due(env)
    for arguments in (("--schedule", "30 2 1 7 *"), ("--schedule", "30 2 1 7 *", "--enabled")):
        assert update_sync("tenants", "set", "exempel", *arguments, env=env).returncode == 0
        assert re.fullmatch(_HELSINKI, next_due(env))
    assert "next_due" not in json_output("tenants", "show", "exempel", env=env)
    assert update_sync("tenants", "set", "exempel", "--disabled", env=env).returncode == 0
    assert "disabled" in next_due(env)
    assert update_sync("tenants", "set", "exempel", "--no-schedule", "--enabled", env=env).returncode == 0
    assert json_output("tenants", "show", "exempel", env=env)["schedule"] is None


def test_a_halted_run_that_holds_back_the_schedule_is_shown(env: dict[str, str]) -> None:
    """P7: an operator sees which run waits for an action, and why."""
    add(env, schedule="30 2 * * *")
    with closing(open_store(env)) as store:
        run = store.triggers.open(SyncRequest(tenant="exempel"), "event").run
        store.runs.halt(run.id, Cause.ENTRA_CREDENTIALS, "made up")
    assert next_due(env).endswith(f"once run {run.id} (entra_credentials) is resumed or cancelled")


def next_due(env: dict[str, str]) -> str:
    shown = update_sync("tenants", "show", "exempel", env=env)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout.splitlines()[-1]


def test_single_settings_win_over_the_file(env: dict[str, str]) -> None:
    """An option beside a file changes that one thing of it."""
    given = tenant_object(
        name="From the file", sources={"email": ["otherMails"]}, scope={"members_only": True}
    )
    arguments = ("--from", "-", "--name", "From the option", "--source", "eppn=mail", "--enabled-only")
    done = update_sync("tenants", "add", "exempel", *arguments, env=env, stdin="\ufeff" + json.dumps(given))
    assert done.returncode == 0, done.stderr
    shown = json_output("tenants", "show", "exempel", env=env)
    assert shown["name"] == "From the option"
    assert (shown["sources"]["email"], shown["sources"]["eppn"]) == (["otherMails"], ["mail"])
    assert (shown["scope"]["members_only"], shown["scope"]["enabled_only"]) == (True, True)


def test_a_second_tenant_of_an_organisation_is_warned_of(env: dict[str, str]) -> None:
    """A file that was copied for the next municipality may name the former one's users in Skolon."""
    given = json.dumps(tenant_object())
    first = update_sync("tenants", "add", "exempel", "--from", "-", env=env, stdin=given)
    assert "Warning" not in first.stderr
    second = update_sync("tenants", "add", "kopia", "--from", "-", "--json", env=env, stdin=given)
    assert second.returncode == 0, second.stderr
    assert "is also that of tenant exempel" in second.stderr
    moved = update_sync("tenants", "set", "kopia", "--organisation", "egen", env=env)
    assert (moved.returncode, moved.stderr) == (0, "")
    back = update_sync("tenants", "set", "exempel", "--organisation", "egen", env=env)
    assert "is also that of tenant kopia" in back.stderr


MADE_UP = {"client_secret": "S3CRET"}

FAULTY: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "no JSON": ('{"client_secret": "S3CRET",', (), ("is not valid JSON",)),
    "no object": ('["S3CRET"]', (), ("JSON object",)),
    "an empty file": ("", (), ("is not valid JSON",)),
    "a missing field": ('{"client_secret": "S3CRET"}', (), ("name:", "organisation:", "client_id:")),
    "an unknown field": (json.dumps(tenant_object(**MADE_UP, colour="red")), (), ("colour:",)),
    "wrong types": (
        json.dumps(tenant_object(**MADE_UP, birthdays="yes", scope=3)),
        (),
        ("birthdays:", "scope:"),
    ),
    "an unknown source": (
        json.dumps(tenant_object(**MADE_UP, sources={"eppn": ["surname"]})),
        (),
        ("sources.eppn:", "surname"),
    ),
    "sources that are none, and an option": (
        json.dumps(tenant_object(**MADE_UP, sources=5)),
        ("--source", "eppn=mail"),
        ("sources:",),
    ),
    "a scope that is none, and an option": (
        json.dumps(tenant_object(**MADE_UP, scope="all")),
        ("--enabled-only",),
        ("scope:",),
    ),
    "a directory that is none": (
        json.dumps(tenant_object(**MADE_UP, entra_tenant_id="common")),
        (),
        ("entra_tenant_id:",),
    ),
    "a schedule of no form": (json.dumps(tenant_object()), ("--schedule", "hourly"), ("schedule:", "five")),
    "a schedule with a fault": (
        json.dumps(tenant_object()),
        ("--schedule", "0 25 * * *"),
        ("schedule:", "Bad hour"),
    ),
    "a schedule that never comes": (
        json.dumps(tenant_object(schedule="0 3 31 4 *")),
        (),
        ("schedule:", "day-of-month"),
    ),
    "a time zone that is none": (
        json.dumps(tenant_object()),
        ("--time-zone", "Europe/Nowhere"),
        ("--time-zone:", "IANA"),
    ),
    "a schedule and none": (
        json.dumps(tenant_object()),
        ("--schedule", "0 3 * * *", "--no-schedule"),
        ("--no-schedule",),
    ),
    "an option of the wrong form": (json.dumps(tenant_object()), ("--source", "eppn"), ("--source",)),
}


@pytest.mark.parametrize(("given", "options", "named"), FAULTY.values(), ids=FAULTY.keys())
def test_faulty_settings_are_named_and_nothing_is_stored(
    env: dict[str, str], given: str, options: tuple[str, ...], named: tuple[str, ...]
) -> None:
    """P6: each faulty field is named, all at once, the secret is not, and no tenant is there afterwards."""
    done = update_sync("tenants", "add", "exempel", "--from", "-", *options, env=env, stdin=given)
    assert (done.returncode, done.stdout) == (2, "")
    assert all(name in done.stderr for name in named), done.stderr
    assert "S3CRET" not in done.stderr
    assert "Traceback" not in done.stderr
    assert json_output("tenants", "list", env=env) == []


def test_a_file_that_is_not_there_is_named(env: dict[str, str], tmp_path: Path) -> None:
    """A file that cannot be read ends with 2 and its name."""
    done = update_sync("tenants", "add", "exempel", "--from", str(tmp_path / "none.json"), env=env)
    assert done.returncode == 2
    assert "none.json" in done.stderr


def test_standard_input_serves_one(env: dict[str, str]) -> None:
    """Settings and secret cannot both come from standard input."""
    arguments = ("--from", "-", "--client-secret-file", "-")
    done = update_sync("tenants", "add", "exempel", *arguments, env=env, stdin="{}")
    assert done.returncode == 2
    assert "standard input" in done.stderr


@pytest.mark.parametrize("key", ["Exempel", "a b", "", "x" * 64])
def test_a_key_has_a_form(env: dict[str, str], key: str) -> None:
    """A key that could not be a queue's or a log's word is refused."""
    done = update_sync("tenants", "add", key, "--from", "-", env=env, stdin=json.dumps(tenant_object()))
    assert done.returncode == 2
    assert "key" in done.stderr


def test_a_key_is_taken_once(env: dict[str, str]) -> None:
    """The second tenant of a key is refused, and the first stays as it is."""
    add(env, name="The first")
    done = update_sync("tenants", "add", "exempel", "--from", "-", env=env, stdin=json.dumps(tenant_object()))
    assert done.returncode == 2
    assert "already" in done.stderr
    assert json_output("tenants", "show", "exempel", env=env)["name"] == "The first"


@pytest.mark.parametrize(
    "arguments",
    [("show",), ("set", "--name", "N"), ("remove", "--yes"), ("check",)],
    ids=lambda each: each[0],
)
def test_an_unknown_tenant_is_said(env: dict[str, str], arguments: tuple[str, ...]) -> None:
    """A tenant that is not there ends with 2 and a word on how to see those that are."""
    env |= {
        "UPDATE_SYNC_SKOLON_SCIM_URL": "https://skolon.example/{organisation}",
        "UPDATE_SYNC_SKOLON_TOKEN": "made-up",
    }
    done = update_sync("tenants", arguments[0], "nowhere", *arguments[1:], env=env)
    assert done.returncode == 2
    assert "no tenant 'nowhere'" in done.stderr
    assert "tenants list" in done.stderr


def test_removal_is_asked_for(env: dict[str, str]) -> None:
    """Without a terminal, nothing is removed without --yes, and that is a usage error."""
    add(env)
    refused = update_sync("tenants", "remove", "exempel", env=env, stdin="")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert len(json_output("tenants", "list", env=env)) == 1
    assert update_sync("tenants", "remove", "exempel", "--yes", env=env).returncode == 0
    assert json_output("tenants", "list", env=env) == []


def test_a_person_is_asked_before_removal(env: dict[str, str]) -> None:
    """On a terminal, "no" leaves the tenant and "yes" removes it."""
    add(env)
    run_on_terminal("tenants", "remove", "exempel", env=env, typed={"[y/N]": "n\n"})
    assert len(json_output("tenants", "list", env=env)) == 1
    code, _ = run_on_terminal("tenants", "remove", "exempel", env=env, typed={"[y/N]": "y\n"})
    assert code == 0
    assert json_output("tenants", "list", env=env) == []


def test_the_secret_is_asked_for_unseen(env: dict[str, str]) -> None:
    """P6: on a terminal the secret is asked for, and what is typed cannot be seen."""
    arguments = ("--name", "N", "--entra-tenant-id", "d", "--client-id", "c", "--organisation", "o")
    code, seen = run_on_terminal(
        "tenants", "add", "exempel", *arguments, env=env, typed={"ecret": f"{SECRET}\n"}
    )
    assert code == 0, seen
    assert SECRET not in seen
    assert len(json_output("tenants", "list", env=env)) == 1


def rename(env: dict[str, str], folder: Path, name: str) -> None:
    """Give a tenant a name that no command takes: another program wrote it."""
    add(env)
    with closing(sqlite3.connect(folder / "test.sqlite")) as database, database:
        (settings,) = database.execute("SELECT settings FROM tenants").fetchone()
        changed = json.dumps({**json.loads(settings), "name": name})
        database.execute("UPDATE tenants SET settings = ?", [changed])


def test_a_pipe_gets_plain_columns(env: dict[str, str], tmp_path: Path) -> None:
    """In a pipe a row is a line with tabs, whatever a name holds: no colour, no boxes."""
    rename(env, tmp_path, "[/b] Åre\tmed\x1b[31m tabb\nrad\u202e\ud800")
    done = update_sync("tenants", "list", env=env)
    assert done.returncode == 0, done.stderr
    heading, row = done.stdout.splitlines()
    assert heading.split("\t")[0] == "key"
    assert len(row.split("\t")) == len(heading.split("\t"))
    assert "[/b] Åre" in row
    assert done.stdout.replace("\t", "").replace("\n", "").isprintable()
    for arguments in (("tenants", "list", "--json"), ("tenants", "show", "exempel")):
        done = update_sync(*arguments, env=env)
        assert done.returncode == 0, done.stderr
        assert done.stdout.replace("\n", "").isprintable()


def test_a_terminal_gets_a_table(env: dict[str, str], tmp_path: Path) -> None:
    """On a terminal it is a table, and a name cannot play tricks on it."""
    rename(env, tmp_path, "[/b] [red]Åre \x1b]0;title\x07")
    code, seen = run_on_terminal("tenants", "list", env=env)
    assert code == 0, seen
    assert "[/b] [red]Åre" in seen
    assert "\x1b]0;" not in seen
    assert "│" in seen or "┃" in seen


UNFIT = {
    "client_secret": f"{SECRET}\n{SECRET}",
    "name": "Exempel\x1b[2Jkommun",
    "client_id": "\ud800",
    "scope": {"exclude": [{"source": "extensionAttribute15", "equals": "skyddad\0"}]},
}


def test_texts_that_cannot_work_are_refused_at_once(env: dict[str, str]) -> None:
    """A secret with a line break, a name with an escape, half a surrogate: all are named, none is shown."""
    add(env)
    for arguments in (("tenants", "add", "nyby"), ("tenants", "set", "exempel")):
        done = update_sync(*arguments, "--from", "-", env=env, stdin=json.dumps(tenant_object(**UNFIT)))
        assert (done.returncode, done.stdout) == (2, "")
        for name in ("client_secret", "name", "client_id", "scope.exclude.0.equals"):
            assert f"  - {name}: Holds a" in done.stderr
        assert SECRET not in done.stderr
        assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{" + b" " * 1_100_000 + b"}", "larger than 1024 KiB"),
        (b'{"scope": ' * 90_000 + b"1" + b"}" * 90_000, "deeper than 20 levels"),
        (b'{"scope": ' * 30 + b"1" + b"}" * 30, "deeper than 20 levels"),
        (b'{"name": "\xff"}', "is no text in UTF-8 or UTF-16"),
    ],
)
def test_a_file_that_is_no_tenant_is_refused(
    env: dict[str, str], tmp_path: Path, content: bytes, said: str
) -> None:
    """What is far too large or too deep is refused in one line, from a file and from standard input."""
    file = tmp_path / "tenant.json"
    file.write_bytes(content)
    for arguments in (("add", "nyby"), ("set", "exempel")):
        done = update_sync("tenants", *arguments, "--from", str(file), env=env)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_shell_completes_tenants(env: dict[str, str]) -> None:
    """By what is typed, as an argument or an option; without a database nothing is completed, or said."""
    for key in ("exempel", "exempel-skola", "granne"):
        add_tenant(env, key, tenant_object())
    for words in (
        "update-sync tenants show exem",
        "update-sync trigger exem",
        "update-sync runs list --tenant exem",
    ):
        asked = {
            "_UPDATE_SYNC_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        done = update_sync(env={**env, **asked})
        assert done.stdout.split() == ["plain,exempel", "plain,exempel-skola"], done.stderr
        away = update_sync(env={**env, **asked, "UPDATE_SYNC_DATABASE_URL": "sqlite:////nowhere/at/all"})
        assert (away.stdout.strip(), away.stderr) == ("", "")
