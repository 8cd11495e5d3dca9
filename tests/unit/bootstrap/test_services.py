"""The composition root: services are made at their first use, and what they warn of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bootstrap.message_services import MessageServices, message_services
from bootstrap.services import Services
from schemas.crypto.encryption import new_key
from schemas.errors import InvalidSettingsError
from schemas.settings import Requirement, Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("UPDATE_SYNC_SECRET_KEYS", new_key())
    monkeypatch.setenv("UPDATE_SYNC_LOG_FORMAT", "json")
    monkeypatch.delenv("UPDATE_SYNC_DATABASE_URL", raising=False)
    monkeypatch.delenv("UPDATE_SYNC_AMQP_URL", raising=False)
    return monkeypatch


def test_a_command_reads_the_environment_when_it_first_asks_for_a_service(
    environment: pytest.MonkeyPatch,
) -> None:
    services = Services(Requirement.DATABASE)
    environment.setenv("UPDATE_SYNC_DATABASE_URL", "sqlite:///:memory:")
    assert services.settings.database_url == "sqlite:///:memory:"
    assert services.store is services.store
    services.close()


def test_what_a_command_needs_and_is_not_set_is_named(environment: pytest.MonkeyPatch) -> None:
    del environment
    with pytest.raises(InvalidSettingsError) as raised:
        _ = Services(Requirement.DATABASE, Requirement.BROKER).settings
    assert {fault.partition(":")[0] for fault in raised.value.faults} == {
        "UPDATE_SYNC_DATABASE_URL",
        "UPDATE_SYNC_AMQP_URL",
    }


def test_a_command_warns_of_a_database_that_others_can_read(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sync.sqlite"
    file.touch(mode=0o644)
    environment.setenv("UPDATE_SYNC_DATABASE_URL", f"sqlite:///{file}")
    _ = Services(Requirement.DATABASE).store
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["fix"]) == ("database_readable_by_others", f"chmod 600 {file}")


def test_a_process_that_consumes_messages_needs_every_setting(environment: pytest.MonkeyPatch) -> None:
    del environment
    with pytest.raises(InvalidSettingsError):
        message_services()


def test_the_breakers_of_a_process_ask_its_own_store_which_organisations_have_work(tmp_path: Path) -> None:
    services = MessageServices(
        Settings(
            database_url=f"sqlite:///{tmp_path / 'sync.sqlite'}",
            secret_keys=(new_key(),),
            skolon_scim_url="https://skolon.example/{organisation}",
            skolon_token="made-up",  # noqa: S106 - opens nothing
        )
    )
    services.store.upgrade()
    assert services.breakers._backlog.users_waiting() == {}  # noqa: SLF001 - which store, is the point
    services.store.close()
