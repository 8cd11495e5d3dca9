"""Options and files that would have no effect, or another one than meant, are told and not ignored."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING

import pytest

from devtools.commands import command_environment, json_output, update_sync
from tests.integration.cli.command_line import tenant_object

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("trigger", "exempel", "--timeout", "3"), "--timeout goes with --wait"),
        (("runs", "undo", "1", "--yes", "--timeout", "3"), "--timeout goes with --wait"),
        (("matches", "forget", "exempel", "--user", "x", "--timeout", "3"), "--timeout goes with --wait"),
        (("runs", "show", "1", "--outcome", "updated"), "go with --users"),
        (
            ("dead-letters", "list", "--older-than", "2h", "--newer-than", "1h"),
            "--older-than must be the shorter",
        ),
        (("dead-letters", "list", "--older-than", "60m", "--newer-than", "1h"), "--older-than must be"),
        (("trigger", "exempel", "--wait", "--timeout", "nan"), "--timeout': Give a number, 0 or more."),
        (("dead-letters", "replay", "--yes", "--step-timeout", "inf"), "Give a number above 0."),
        (("sandbox", "--directory", "/nowhere"), "--directory goes with --serve"),
        (("sandbox", "--ports", "1", "2"), "--ports goes with --serve"),
        (("sandbox", "--serve", "--host", "300.1.1.1"), "is no address, and no name that can be resolved"),
        (("sandbox", "--serve", "--name", "bad name!"), "no host name"),
        (
            ("tenants", "set", "exempel", "--source", "eppn=mail", "--source", "eppn=otherMails"),
            "given twice",
        ),
        (("tenants", "set", "exempel", "--guard", "changed=many"), "--guard takes LIMIT=COUNT,SHARE"),
        (
            ("tenants", "set", "exempel", "--source", "eppn"),
            "--source takes ATTRIBUTE=SOURCE,…, such as eppn=",
        ),
        (
            ("runs", "list", "--limit", "abc"),
            "Invalid value for '--limit': Give a whole number from 1 to 1000.",
        ),
        (
            ("runs", "list", "--limit", "0"),
            "Invalid value for '--limit': Give a whole number from 1 to 1000.",
        ),
        (
            ("runs", "show", "anna"),
            "Give the number of a run, such as 12: 'update-sync runs list' shows them.",
        ),
        (("dead-letters", "list", "--run", "x"), "'--run': Give the number of a run, such as 12"),
        (
            ("dead-letters", "replay", "--yes", "--max-failed", "100"),
            "'--max-failed': Give a number from 0 to 1, such as 0.2 for 20 %.",
        ),
        (("runs", "list", "--limit", "9" * 6000), "'--limit': Give a whole number from 1 to 1000."),
        (("runs", "show", "9" * 6000), "Give the number of a run, such as 12"),
        (("trigger", "exempel", "--wait", "--timeout", "9" * 6000), "Give a number, 0 or more."),
        (("runs", "list", "--tenat", "exempel"), "No such option '--tenat'. Did you mean '--tenant'?"),
        (("tenants", "shwo", "exempel"), "No such command 'shwo'. Did you mean 'show'?"),
        (("run", "list"), "No such command 'run'. Did you mean 'runs'?"),
        (("tenants", "preveiw", "exempel"), "No such command 'preveiw'. Did you mean 'preview'?"),
        (
            ("dead-letters", "list", "--older-than", "3"),
            "Give a number with s, m, h, d or w, such as 3h or 2d.",
        ),
        (("tenants", "set", "exempel", "--trust-receipts-days", "x"), "Give a whole number from 0 to 365."),
        (
            ("tenants", "set", "exempel", "--give-up-after-hours", "x"),
            "'--give-up-after-hours': Give a number above 0, up to 720.",
        ),
        (("sandbox", "--seed", "x"), "'--seed': Give a whole number."),
        (("users", "show", "exempel", "x", "--recorded", "--values"), "does not go with --recorded"),
    ],
)
def test_what_would_be_ignored_is_wrong_use(
    env: dict[str, str], arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, one message, and nothing else."""
    done = update_sync(*arguments, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr) < 500


def test_a_wrong_setting_names_the_option_or_the_field(env: dict[str, str]) -> None:
    """What was typed is named as it was typed, without its value; what stands in a file by its field."""
    typed = (
        ("--exclude", "mail=a"), ("--organisation", ""), ("--match-keys", "eppn,hemlig"),
        ("--source", "eppn=hemlig"), ("--guard", "changed=1,7"), ("--time-zone", "Hemlig/Ort"),
    )  # fmt: skip
    options = [word for pair in typed for word in pair]
    done = update_sync("tenants", "set", "exempel", *options, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    named = {line.removeprefix("  - ").split(": ")[0] for line in done.stderr.splitlines()[1:]}
    assert named == {
        "--organisation", "--match-keys", "--source eppn=…", "--guard changed=…", "--time-zone"
    }  # fmt: skip
    settings = json.dumps({"scope": {"exclude": [{"source": "hemlig", "equals": "b"}]}, "name": ""})
    done = update_sync("tenants", "set", "exempel", "--from", "-", *options[4:6], env=env, stdin=settings)
    named = {line.removeprefix("  - ").split(": ")[0] for line in done.stderr.splitlines()[1:]}
    assert named == {"scope.exclude.0.source", "name", "--match-keys"}
    done = update_sync("tenants", "add", "ny", "--name", "Ny", env=env)
    assert "--organisation: Missing data" in done.stderr


@pytest.mark.parametrize(
    ("option", "typed", "said"),
    [
        ("--match-keys", "epn,email", "--match-keys: There is no epn here. Did you mean eppn? Allowed are: "),
        ("--source", "epn=mail", "--source epn=…: There is no epn here. Did you mean eppn? Allowed are: "),
        ("--source", "eppn=mial", "--source eppn=…: mial cannot fill EPPN. Did you mean mail? Allowed are: "),
        (
            "--skolon-lacks",
            "filter",
            "--skolon-lacks: There is no filter here. Did you mean filters? Allowed",
        ),
        ("--skolon-profile", "ss1200", "Did you mean ss12000? Allowed are: assumed, ss12000."),
        ("--guard", "chnged=1,0.5", "--guard chnged=…: There is no such limit. Allowed are: changed, "),
        ("--erase-blank", "anna@skola.example", "--erase-blank: Not one of the words that are allowed."),
    ],
)
def test_a_misspelt_word_is_answered_with_the_nearest_one(
    env: dict[str, str], option: str, typed: str, said: str
) -> None:
    """With the option, the word and what is allowed; what may be a value is not repeated."""
    done = update_sync("tenants", "set", "exempel", option, typed, env=env)
    assert done.returncode == 2
    assert said in done.stderr
    assert "anna" not in done.stderr


def test_the_guard_is_set_by_options(env: dict[str, str]) -> None:
    """Each limit by itself; the others stay."""
    limits = ("--guard", "changed=500,0.2", "--guard", "identity_changed=none")
    assert update_sync("tenants", "set", "exempel", *limits, env=env).returncode == 0
    guard = json_output("tenants", "show", "exempel", env=env)["guard"]
    assert (guard["changed"], guard["identity_changed"]) == ({"count": 500, "share": 0.2}, None)
    assert guard["failed"] is not None


def test_nothing_is_said_to_be_changed_that_was_so_before(env: dict[str, str]) -> None:
    """The names of the settings that differ now, as text and as JSON."""
    same = update_sync("tenants", "set", "exempel", "--name", "Exempelkommun", env=env)
    assert same.stdout == "Nothing changed: tenant 'exempel' has these settings already.\n"
    both = ("--name", "Exempelkommun", "--organisation", "annan")
    assert json_output("tenants", "set", "exempel", *both, env=env)["changed"] == ["organisation"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_of_windows_are_read(env: dict[str, str], tmp_path: Path, encoding: str) -> None:
    """Settings and secrets with a byte order mark, in UTF-8 or UTF-16."""
    settings, secret = tmp_path / "settings.json", tmp_path / "secret"
    settings.write_text(json.dumps(tenant_object(name="Åmåls kommun"), ensure_ascii=False), encoding=encoding)
    secret.write_text("made-up~value\n", encoding=encoding)
    files = ("--from", str(settings), "--client-secret-file", str(secret))
    done = update_sync("tenants", "add", "amal", *files, env=env)
    assert done.returncode == 0, done.stderr
    assert json_output("tenants", "show", "amal", env=env)["name"] == "Åmåls kommun"


def test_half_a_character_is_no_text(env: dict[str, str], tmp_path: Path) -> None:
    """UTF-16 that ends too early is told in one line."""
    file = tmp_path / "settings.json"
    file.write_bytes(codecs.BOM_UTF16_LE + b"{\0}")
    done = update_sync("tenants", "add", "amal", "--from", str(file), env=env)
    assert done.returncode == 2
    assert "is no text in UTF-8 or UTF-16: save it as UTF-8." in done.stderr


@pytest.mark.parametrize("name", ["a" * 300, "taken/inside"])
def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, name: str) -> None:
    """A name that is too long, or below a file: what to do, and no bug."""
    (tmp_path / "taken").touch()
    arguments = ("--serve", "--users", "1", "--directory", str(tmp_path / name))
    done = update_sync("sandbox", *arguments, env=command_environment())
    assert done.returncode == 2
    assert "path" in done.stderr
    assert "bug" not in done.stderr
