"""Settings that are tried before they are saved."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from schemas.dead_letter_reasons import Reason
from schemas.errors import InvalidTenantError, PermanentError
from schemas.messages.messages import load_sync_request
from schemas.tenants.settings_override import (
    OVERRIDABLE_SETTINGS,
    apply_override,
    override_differences,
    resolve_override,
)
from schemas.tenants.tenant import change_tenant, dump_tenant, load_tenant
from schemas.users.attributes import Attribute
from tests.unit.schemas.arbitrary import JSON
from tests.unit.schemas.tenants.test_tenant import FIRST_FIVE, SETTINGS

SAVED = load_tenant("exempelkommun", {**FIRST_FIVE, "erase_blank": ["city"]})[0]


@given(settings=SETTINGS)
def test_a_trial_is_the_tenant_as_it_would_be_saved(settings: dict[str, Any]) -> None:
    """What a run tries is what `tenants set` would have made of it, whatever the tenant became meanwhile."""
    changes = {name: value for name, value in settings.items() if name in OVERRIDABLE_SETTINGS}
    trial = resolve_override(SAVED, changes)
    assert apply_override(SAVED, trial) == change_tenant(SAVED, changes)[0]
    meanwhile = change_tenant(SAVED, {"sources": {"eppn": []}, "erase_blank": [], "birthdays": False})[0]
    as_json = dump_tenant(apply_override(meanwhile, trial))
    assert {name: as_json[name] for name in OVERRIDABLE_SETTINGS} == trial


def test_where_people_are_is_always_what_is_saved() -> None:
    """A trial never leads to another directory or organisation, nor takes a secret; all faults are told."""
    changes = {
        "organisation": "another",
        "client_secret": "another",
        "sources": {"eppn": ["mail", "givenName"]},
        "match_keys": ["city"],
        "matchkeys": [],
    }
    with pytest.raises(InvalidTenantError) as caught:
        resolve_override(SAVED, changes, ["first: found before"])
    assert [fault.partition(":")[0] for fault in caught.value.faults][:3] == [
        "first",
        "organisation",
        "client_secret",
    ]
    text = str(caught.value)
    assert all(name in text for name in ("sources.eppn", "match_keys", "matchkeys"))


def test_differences_name_what_is_tried() -> None:
    """What a trial changes is told setting by setting, with what is saved and what is tried."""
    trial = resolve_override(
        SAVED, {"sources": {"eppn": ["extensionAttribute3"]}, "scope": {"enabled_only": True}}
    )
    assert override_differences(SAVED, trial) == {
        "sources.eppn": (["mail", "otherMails", "userPrincipalName"], ["extensionAttribute3"]),
        "scope.enabled_only": (False, True),
    }
    assert override_differences(SAVED, resolve_override(SAVED, {})) == {}
    assert apply_override(SAVED, trial).sources[Attribute.EPPN] == ("extensionAttribute3",)


@given(data=JSON)
def test_anything_else_is_refused(data: Any) -> None:
    """Whatever is given, it is a trial or an error that says what is wrong."""
    try:
        trial = resolve_override(SAVED, data)
    except InvalidTenantError:
        return
    assert set(trial) == set(OVERRIDABLE_SETTINGS)


def test_a_trial_is_dry() -> None:
    """P1: a trigger that tries settings, and is not a dry run, is refused."""
    load_sync_request({"tenant": "a", "dry_run": True, "settings": {}})
    with pytest.raises(PermanentError) as caught:
        load_sync_request({"tenant": "a", "settings": {}})
    assert caught.value.reason is Reason.INVALID_TRIGGER
