"""Triggers, events and our own messages: whatever comes, a value or a refusal that says why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.message import tenant_sync_message
from schemas.dead_letter_reasons import Reason
from schemas.errors import PermanentError
from schemas.fields import NO_OBJECT_ID
from schemas.messages.messages import (
    SyncRequest,
    TenantPage,
    UserSync,
    load_cloud_event,
    load_sync_request,
    load_tenant_page,
    load_user_sync,
)
from schemas.outcomes import Mode, Stage
from tests.unit.schemas.arbitrary import MARKER, objects, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

#: Two users of a trigger.
A: Final = "5f0c3c9a-0b7e-4f0a-9d5e-0000000000aa"
B: Final = "5f0c3c9a-0b7e-4f0a-9d5e-0000000000bb"

EVENT: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "0f8f",
    "source": "/anything",
    "type": "com.skolon.tenant-sync.requested",
    "datacontenttype": "application/json",
    "data": {"tenant": "exempelkommun"},
}


def loaded(load: Callable[[object], object], data: object) -> object:
    try:
        return load(data)
    except PermanentError as error:
        return error


@given(data=objects("tenant", "mode", "dry_run", "users", "reverts_run_id", "override_guard"))
def test_any_trigger_has_an_answer(data: object) -> None:
    """P6: whatever JSON a trigger holds, it is a wish for a run, or a refusal that tells no value."""
    answer = loaded(load_sync_request, data)
    if isinstance(answer, PermanentError):
        assert (answer.reason, answer.stage) == (Reason.INVALID_TRIGGER, Stage.RECEIVE)
        assert MARKER not in refusal(answer)
    else:
        assert isinstance(answer, SyncRequest)
        assert isinstance(answer.dry_run, bool)
        assert all(isinstance(user, str) for user in answer.users)


@given(data=objects(*EVENT))
def test_any_event_has_an_answer(data: object) -> None:
    """Whatever JSON means to be an event, its data or a refusal comes back; P6: no value is told."""
    answer = loaded(load_cloud_event, data)
    if isinstance(answer, PermanentError):
        assert (answer.reason, answer.stage) == (Reason.INVALID_TRIGGER, Stage.RECEIVE)
        assert MARKER not in refusal(answer)


@given(name=st.sampled_from(sorted(EVENT)), data=objects("x"))
def test_an_event_with_one_field_changed(name: str, data: object) -> None:
    """An event that is wrong in one field is refused with that field's name, and with no other's."""
    answer = loaded(load_cloud_event, {**EVENT, name: data})
    if isinstance(answer, PermanentError):
        assert {line.partition(":")[0] for line in answer.detail.split("; ")} == {name}
        assert MARKER not in refusal(answer)


@given(data=objects("tenant", "run", "attempt", "number", "link", "user", "payload"))
@pytest.mark.parametrize("load", [load_tenant_page, load_user_sync])
def test_any_arguments_have_an_answer(load: Callable[[object], object], data: object) -> None:
    """P6: whatever arguments stand in a page or user message, it is ours, or a refusal without values."""
    answer = loaded(load, data)
    if isinstance(answer, PermanentError):
        assert (answer.reason, answer.stage) == (Reason.UNDECODABLE, Stage.RECEIVE)
        assert MARKER not in refusal(answer)
    else:
        assert isinstance(answer, TenantPage | UserSync)


def test_a_trigger_needs_its_tenant_alone() -> None:
    """Everything but the tenant has a default: a full run, for real, of everybody."""
    assert load_sync_request({"tenant": "exempelkommun"}) == SyncRequest(
        tenant="exempelkommun", mode=Mode.FULL, dry_run=False, users=()
    )


def test_an_undo_is_taken() -> None:
    """An undo names the run that it puts back, and may be accepted beforehand."""
    data = {"tenant": "k", "mode": "undo", "reverts_run_id": 17, "override_guard": True, "users": [A.upper()]}
    expected = SyncRequest(tenant="k", mode=Mode.UNDO, reverts_run_id=17, override_guard=True, users=(A,))
    assert load_sync_request(data) == expected
    assert load_sync_request(tenant_sync_message(expected, event_id="e").kwargs) == expected


def test_a_trigger_names_nothing_that_it_does_not_ask_for() -> None:
    """A message has the fields of its request alone; what it leaves out has its default."""
    kwargs = tenant_sync_message(SyncRequest(tenant="k"), event_id="e").kwargs
    assert set(kwargs) == {"tenant", "mode", "dry_run", "users"}


def test_a_whole_trigger_is_taken() -> None:
    """A trigger may name mode, dry run and users; a user named twice is one."""
    data = {"tenant": "k", "mode": "delta", "dry_run": True, "users": [A, B, A.upper()]}
    assert load_sync_request(data) == SyncRequest(tenant="k", mode=Mode.DELTA, dry_run=True, users=(A, B))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tenant": None}, "tenant"),
        ({"tenant": "Exempelkommun"}, "tenant"),
        ({"tenant": "a/b"}, "tenant"),
        ({"tenant": "a\n"}, "tenant"),
        ({"tenant": ""}, "tenant"),
        ({"tenant": "a" * 64}, "tenant"),
        ({"tenant": 1}, "tenant"),
        ({"mode": "half"}, "mode"),
        ({"mode": None}, "mode"),
        ({"dry_run": "true"}, "dry_run"),
        ({"dry_run": 1}, "dry_run"),
        ({"dry_run": None}, "dry_run"),
        ({"users": "a"}, "users"),
        ({"users": [1]}, "users.0"),
        ({"users": [A, None]}, "users.1"),
        ({"users": ["a/b"]}, "users.0"),
        ({"users": [""]}, "users.0"),
        ({"users": ["anna@exempelkommun.example"]}, "users.0"),
        ({"users": [f"{A}\n"]}, "users.0"),
        ({"users": [f"{{{A}}}"]}, "users.0"),
        ({"dryrun": True}, "dryrun"),
        ({"mode": "undo"}, "reverts_run_id"),
        ({"reverts_run_id": 17}, "reverts_run_id"),
        ({"mode": "delta", "reverts_run_id": 17}, "reverts_run_id"),
        ({"mode": "undo", "reverts_run_id": "17"}, "reverts_run_id"),
        ({"mode": "undo", "reverts_run_id": True}, "reverts_run_id"),
        ({"mode": "undo", "reverts_run_id": 0}, "reverts_run_id"),
        ({"mode": "undo", "reverts_run_id": 2**31}, "reverts_run_id"),
        ({"override_guard": True}, "override_guard"),
        ({"mode": "undo", "reverts_run_id": 17, "override_guard": "yes"}, "override_guard"),
    ],
)
def test_a_wrong_trigger_is_refused_by_field(change: dict[str, Any], field: str) -> None:
    """A trigger is strict: what it does not understand it refuses, and names; a dry run never gets lost."""
    with pytest.raises(PermanentError) as caught:
        load_sync_request({"tenant": "exempelkommun", **change})
    assert caught.value.detail.startswith(f"{field}: ")


def test_who_is_no_object_id_is_not_repeated() -> None:
    """P6: a trigger that names users by their principal names is refused without repeating one."""
    with pytest.raises(PermanentError) as caught:
        load_sync_request({"tenant": "exempelkommun", "users": [A, "anna@exempelkommun.example"]})
    assert caught.value.detail == f"users.1: {NO_OBJECT_ID}"


def test_a_name_that_cannot_be_shown_is_not_shown() -> None:
    """A trigger's unknown field is named, unless its name would break a line or fill a page."""
    for name in ("a\nb", "\ud800", "x" * 201, ""):
        with pytest.raises(PermanentError) as caught:
            load_sync_request({"tenant": "exempelkommun", name: 1})
        assert caught.value.detail == "a field whose name cannot be shown: Unknown field."


def test_every_fault_of_a_trigger_is_named() -> None:
    """A trigger with several faults is refused once, with all of them."""
    with pytest.raises(PermanentError) as caught:
        load_sync_request({"mode": "half", "dry_run": "no", "users": 1})
    named = {line.partition(":")[0] for line in caught.value.detail.split("; ")}
    assert named == {"tenant", "mode", "dry_run", "users"}


def test_the_designs_event_is_taken() -> None:
    """The contract's example of an event is one, with extensions of others in it."""
    data = {"tenant": "exempelkommun", "mode": "full", "dry_run": False, "users": []}
    assert load_cloud_event({**EVENT, "data": data, "traceparent": "00-x", "time": "now"}) == data


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "data"])
def test_an_event_without_a_required_field_is_refused(name: str) -> None:
    """CloudEvents 1.0 requires these fields, and a run requires data."""
    event = {key: value for key, value in EVENT.items() if key != name}
    with pytest.raises(PermanentError, match=rf"^invalid_trigger at receive: {name}: "):
        load_cloud_event(event)


@pytest.mark.parametrize("run", [True, 1.5, "1", None, 1.0])
def test_a_run_is_a_whole_number(run: object) -> None:
    """A run's id is a JSON integer and nothing that looks like one."""
    data = {"tenant": "k", "run": run, "user": "u", "payload": None}
    answer = loaded(load_user_sync, data)
    assert isinstance(answer, PermanentError), json.dumps(data)


def test_a_user_message_may_come_without_payload() -> None:
    """A message that names a user alone has them read afresh."""
    expected = UserSync(tenant="k", run=1, user="u", payload=None)
    assert load_user_sync({"tenant": "k", "run": 1, "user": "u"}) == expected
    assert load_user_sync({"tenant": "k", "run": 1, "user": "u", "payload": None}) == expected
