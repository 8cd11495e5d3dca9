"""`update-sync tenants pause-schedule` and `resume-schedule`, and what other commands say meanwhile."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pytest

from devtools.commands import json_output, update_sync
from tests.integration.cli.command_line import add_tenant, database_environment, tenant_object

if TYPE_CHECKING:
    from pathlib import Path

REASON: Final = "Skolan byter domän"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    variables = database_environment(tmp_path)
    add_tenant(variables, "exempel", tenant_object(schedule="0 2 * * *", time_zone="Europe/Helsinki"))
    return variables


def end(days: int = 3) -> tuple[str, str]:
    """Return a time of Helsinki's clock some days ahead, and the moment in UTC."""
    wall = (dt.datetime.now(ZoneInfo("Europe/Helsinki")) + dt.timedelta(days=days)).replace(
        hour=8, minute=30, second=0, microsecond=0
    )
    return f"{wall:%Y-%m-%d %H:%M}", f"{wall.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def told(env: dict[str, str]) -> dict[str, Any]:
    """Return what `status` tells of the tenant, which may need a person."""
    (found,) = json.loads(update_sync("status", "--json", env=env).stdout)["tenants"]
    return dict(found)


def refused(*arguments: str, env: dict[str, str]) -> str:
    done = update_sync("tenants", *arguments, env=env)
    assert done.returncode == 2, done.stdout
    return done.stderr


def test_a_schedule_is_paused_and_resumed(env: dict[str, str]) -> None:
    """Until a time of the tenant's clock; `status` and `tenants show` say so, with the reason."""
    text, moment = end()
    paused = update_sync("tenants", "pause-schedule", "exempel", "--until", text, "--reason", REASON, env=env)
    assert paused.returncode == 0, paused.stderr
    assert f"Paused the schedule of tenant 'exempel' until {moment}." in paused.stdout
    status = update_sync("status", env=env).stdout
    assert f"exempel: no scheduled run starts until {moment}: {REASON}" in status
    shown = update_sync("tenants", "show", "exempel", env=env).stdout
    assert f"paused until {moment} ({REASON})" in shown
    found = told(env)
    assert (found["pause"]["until"], found["pause"]["reason"]) == (moment, REASON)
    assert found["next_due"] > moment

    resumed = update_sync("tenants", "resume-schedule", "exempel", env=env)
    assert resumed.returncode == 0, resumed.stderr
    assert told(env)["pause"] is None
    assert "The schedule is not paused." in refused("resume-schedule", "exempel", env=env)


def test_a_later_pause_takes_the_place_of_the_first(env: dict[str, str]) -> None:
    """And its JSON says until when."""
    for days in (5, 2):
        text, moment = end(days)
        answer = json_output(
            "tenants", "pause-schedule", "exempel", "--until", text, "--reason", REASON, env=env
        )
        assert answer == {"tenant": "exempel", "until": moment}
    assert told(env)["pause"]["until"] == end(2)[1]


def test_what_cannot_be_paused_is_refused(env: dict[str, str]) -> None:
    """With what is wrong, and nothing is changed."""
    pause = ("pause-schedule", "exempel", "--reason", REASON, "--until")
    assert "The end has passed already." in refused(*pause, "2020-01-01 08:00", env=env)
    assert "The end is a date and a time" in refused(*pause, "tomorrow", env=env)
    assert "A pause lasts 366 days at most" in refused(*pause, "2090-01-01 08:00", env=env)
    assert "The pause needs a reason." in refused(
        "pause-schedule", "exempel", "--reason", " ", "--until", end()[0], env=env
    )
    assert "There is no tenant 'saknas'" in refused(
        "pause-schedule", "saknas", "--reason", REASON, "--until", end()[0], env=env
    )
    assert update_sync("tenants", "set", "exempel", "--no-schedule", env=env).returncode == 0
    assert "There is no schedule that could be paused" in refused(*pause, end()[0], env=env)
    assert told(env)["pause"] is None
