"""A source that gives no user a value: said when it is set, by the run, by the status; and the way back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from sandbox.environment import TENANT_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

PEOPLE = 60


def problems(env: Mapping[str, str]) -> list[dict[str, Any]]:
    [shown] = json.loads(update_sync("status", TENANT_KEY, "--json", env=env).stdout)["tenants"]
    return [each for each in shown["problems"] if each["kind"] == "no_values"]


@pytest.mark.usefixtures("pool")
def test_a_wrong_source_is_told_until_it_is_set_right(env: dict[str, str]) -> None:
    """No user fails by it, and no change is wrong: it must not look better than before."""
    first = json.loads(update_sync("trigger", TENANT_KEY, "--wait", "--json", env=env).stdout)
    assert first["warnings"] == []
    wrong = ("--source", "eppn=extensionAttribute3")

    set_so = update_sync("tenants", "set", TENANT_KEY, *wrong, env=env)

    assert set_so.returncode == 0, set_so.stderr
    assert "Warning: nothing has tried the sources of EPPN so far." in set_so.stderr
    assert f"update-sync tenants preview {TENANT_KEY}" in set_so.stderr
    assert "By the sources before, 0 of" in set_so.stderr
    [back] = [line for line in set_so.stderr.splitlines() if line.startswith("To go back: ")]
    foretold = update_sync("tenants", "preview", TENANT_KEY, env=env).stdout
    assert "EPPN: no value in Entra for" in foretold

    done = update_sync("trigger", TENANT_KEY, "--wait", env=env)

    assert "EPPN: no value in Entra for" in done.stdout
    assert "EPPN: inget värde i Entra för" in done.stdout
    assert "A source is probably wrong" in done.stdout
    [problem] = problems(env)
    assert problem["users"] > PEOPLE / 2
    said = update_sync("status", TENANT_KEY, env=env)
    assert said.returncode == 1
    assert "had no value in Entra for an attribute" in said.stdout
    [warning] = json_output("runs", "show", problem["run"], env=env)["warnings"]
    assert (warning["kind"], warning["users"]) == ("no_values", problem["users"])

    command = back.removeprefix("To go back: update-sync ").split()
    assert update_sync(*command, env=env).returncode == 0
    again = json.loads(update_sync("trigger", TENANT_KEY, "--wait", "--json", env=env).stdout)
    assert again["warnings"] == []
    assert problems(env) == []
