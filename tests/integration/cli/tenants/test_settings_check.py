"""`tenants add` and `tenants set` look at what would find no user, and at secrets that are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from devtools.commands import json_output, update_sync
from tests.integration.cli.command_line import run_on_terminal, tenant_object

if TYPE_CHECKING:
    from pathlib import Path

SECRET_ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"  # noqa: S105 - the id of a made-up secret
VALUE = "abc8Q~made_up_value_of_a_secret.of~40sgn"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (SECRET_ID, "it looks like a GUID, so it is the Secret ID: the secret's Value is needed"),
        (SECRET_ID.upper(), "it looks like a GUID"),
        ("abc8Q~ made up", "it has white space in it"),
    ],
)
def test_what_is_no_secret_is_refused(env: dict[str, str], tmp_path: Path, secret: str, said: str) -> None:
    """For a new tenant and a known one, out of any file: with what to do, without the text itself (P6)."""
    file, settings = tmp_path / "secret", tmp_path / "settings.json"
    file.write_text(secret + "\n", encoding="utf-8")
    settings.write_text(json.dumps(tenant_object(client_secret=secret)), encoding="utf-8")
    for arguments in (
        ("set", "exempel", "--client-secret-file", str(file)),
        ("add", "ny", "--from", str(settings)),
    ):
        done = update_sync("tenants", *arguments, env=env)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"This is no client secret: {said}" in done.stderr
        assert "copy the Value" in done.stderr
        assert secret.split(maxsplit=1)[0] not in done.stderr
    assert [each["key"] for each in json_output("tenants", "list", env=env)] == ["exempel"]


def test_a_short_secret_is_warned_of(env: dict[str, str], tmp_path: Path) -> None:
    """It may be one: it is stored. One of the usual length is stored without a word."""
    file = tmp_path / "secret"
    for secret, warns in (("abc8Q~short", True), (VALUE, False)):
        file.write_text(secret, encoding="utf-8")
        done = update_sync("tenants", "set", "exempel", "--client-secret-file", str(file), env=env)
        assert done.returncode == 0
        assert ("Warning: the client secret is shorter than 16 characters" in done.stderr) is warns
        assert secret not in done.stderr


def test_a_match_key_is_not_switched_off_without_a_word(env: dict[str, str]) -> None:
    """An empty source is asked about; without a terminal it needs `--yes`. The rest stays as it was."""
    change = ("tenants", "set", "exempel", "--source", "eppn=")
    refused = update_sync(*change, env=env)
    assert refused.returncode == 2
    assert "Warning: EPPN would have no source and is a match key" in refused.stderr
    assert "pass --yes" in refused.stderr
    code, seen = run_on_terminal(*change, env=env, typed={"Change it all the same? [y/N]:": "n\n"})
    assert code == 1
    assert "Nothing has been done" in seen
    assert json_output("tenants", "show", "exempel", env=env)["sources"]["eppn"] != []
    assert update_sync(*change, "--yes", env=env).returncode == 0
    assert json_output("tenants", "show", "exempel", env=env)["sources"]["eppn"] == []
    # What is off already is not asked about again.
    assert update_sync(*change, "--name", "Nytt namn", env=env).returncode == 0


def test_some_match_key_needs_a_source(env: dict[str, str]) -> None:
    """No user would be found: refused, also with `--yes` and of a new tenant."""
    keys = ("--match-keys", "eppn,email", "--source", "eppn=", "--source", "email=")
    for command in (("set", "exempel", "--yes"), ("add", "ny", "--from", "-")):
        done = update_sync("tenants", *command, *keys, env=env, stdin=json.dumps(tenant_object()))
        assert (done.returncode, done.stdout) == (2, "")
        assert "No match key would have a source (EPPN, E-mail)" in done.stderr


def test_a_match_key_without_a_source_can_be_left_out(env: dict[str, str]) -> None:
    """Both in one command: nothing is switched off unasked."""
    change = ("--source", "eppn=", "--match-keys", "external_id,user_name")
    done = update_sync("tenants", "set", "exempel", *change, env=env)
    assert (done.returncode, done.stderr) == (0, "")
