"""`update-sync keys`, as processes on a database file and a real RabbitMQ."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

from devtools.commands import json_output, update_sync
from schemas.crypto.encryption import new_key
from tests.integration.cli.command_line import (
    SECRET,
    UNREACHABLE,
    add_tenant,
    database_environment,
    open_store,
    tenant_object,
)
from tests.integration.cli.dead_letters.factories import seeded_dead_letters

if TYPE_CHECKING:
    from pathlib import Path

MARK = "skyddad"
SCOPE = {
    "enabled_only": False,
    "members_only": False,
    "include": [],
    "exclude": [{"source": "extensionAttribute15", "equals": MARK}],
}


def test_a_key_is_replaced(tmp_path: Path, amqp_url: str) -> None:
    """With a new key in front, `rotate` seals anew; `status` says what still needs the old one."""
    env = database_environment(tmp_path, UPDATE_SYNC_AMQP_URL=amqp_url)
    add_tenant(env, "exempel", tenant_object(scope=SCOPE))
    with seeded_dead_letters(env, "exempel") as dead_letters:
        dead_letters.kill(dead_letters.run(["u1", "u2"]), ["u1", "u2"])
    old, new = env["UPDATE_SYNC_SECRET_KEYS"], new_key()
    both = {**env, "UPDATE_SYNC_SECRET_KEYS": f"{new},{old}"}

    before = {each["column"]: each for each in json_output("keys", "status", env=both)["values"]}
    assert (before["tenants.client_secret"]["older"], before["tenants.settings"]["older"]) == (1, 1)
    rotated = json_output("keys", "rotate", env=both)
    assert rotated["rotated"] == 2
    assert rotated["dead_letters"] == {"newest": 0, "older": 2, "no": 0}
    plain = update_sync("keys", "rotate", env=both)
    assert plain.stdout.startswith("Encrypted 0 values with the first key.")
    assert "dead letters\t0\t2\t0\n" in plain.stdout

    alone = {**env, "UPDATE_SYNC_SECRET_KEYS": new}
    assert json_output("tenants", "show", "exempel", env=alone)["scope"] == SCOPE
    with closing(open_store(alone)) as store:
        assert store.tenants.get("exempel").credentials.client_secret == SECRET
    lacking = update_sync("keys", "status", env={**env, "UPDATE_SYNC_SECRET_KEYS": old})
    assert lacking.returncode == 1
    assert "2 values cannot be decrypted with any key" in lacking.stdout
    refused = update_sync("tenants", "show", "exempel", "--json", env=env)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "none of the keys in UPDATE_SYNC_SECRET_KEYS fits" in refused.stderr


def test_rules_of_a_scope_are_for_administrators(tmp_path: Path) -> None:
    """They are sealed at rest, shown to who has the keys as they were given, and not needed for the rest."""
    env = database_environment(tmp_path)
    add_tenant(env, "exempel", tenant_object(scope=SCOPE))
    assert MARK.encode() not in (tmp_path / "test.sqlite").read_bytes()
    keyless = {**env, "UPDATE_SYNC_SECRET_KEYS": ""}
    assert update_sync("tenants", "list", env=keyless).returncode == 0
    done = update_sync("tenants", "show", "exempel", env=keyless)
    assert (done.returncode, done.stdout) == (2, "")
    assert "UPDATE_SYNC_SECRET_KEYS is not set" in done.stderr
    shown = json_output("tenants", "show", "exempel", env=env)
    done = update_sync("tenants", "set", "exempel", "--from", "-", env=env, stdin=json.dumps(shown))
    assert done.returncode == 0, done.stderr
    assert json_output("tenants", "show", "exempel", env=env) == shown


def test_status_says_that_dead_letters_are_not_counted(tmp_path: Path) -> None:
    """A key that one of them needs must not go unseen: exit code 1, and what to do."""
    env = database_environment(tmp_path, UPDATE_SYNC_AMQP_URL=f"amqp://{UNREACHABLE}/?connection_attempts=1")
    done = update_sync("keys", "status", env=env)
    assert done.returncode == 1
    assert "Dead letters are not counted" in done.stdout
    assert "keep it until they are counted" in done.stdout
    assert update_sync("keys", "rotate", env=env).returncode == 0
