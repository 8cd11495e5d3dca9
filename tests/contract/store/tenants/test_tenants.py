"""Tenants: settings that change by name, secrets that are never seen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from schemas.crypto.encryption import DecryptionError, FieldCipher, new_key
from schemas.errors import InvalidTenantError, PermanentError, UsageError
from schemas.outcomes import Outcome
from store.store import Store
from tests.contract.store.factories import (
    CLIENT_SECRET,
    TENANT,
    begin_run,
    complete,
    request,
    run_concurrently,
    tenant,
)

if TYPE_CHECKING:
    from schemas.tenants.tenant import Tenant
    from store.tenants.tenants import TenantRecord


def test_what_was_added_is_given_back(store: Store) -> None:
    """A tenant comes back with the settings and the secret that it was added with."""
    record = store.tenants.get(TENANT)
    assert record.tenant == tenant()
    assert record.version == 1
    assert record.credentials.client_secret == CLIENT_SECRET
    assert store.tenants.list() == [tenant()]


def test_a_key_is_taken_once(store: Store) -> None:
    """Adding a tenant under a key that is taken is wrong use, and changes nothing."""
    with pytest.raises(UsageError, match=TENANT):
        store.tenants.add(tenant(name="Annan kommun"), "second_store")
    assert store.tenants.get(TENANT).tenant.name == "Exempelkommun"


def test_an_unknown_key_is_wrong_use(store: Store) -> None:
    """A tenant that is not there is wrong use, and the text names the key."""
    for ask in (store.tenants.get, store.tenants.remove, lambda key: store.tenants.change(key, {})):
        with pytest.raises(UsageError, match="ingenstans"):
            ask("ingenstans")


def test_a_change_changes_what_it_names(store: Store) -> None:
    """A change keeps whatever it does not name, the secret too, and counts the version up."""
    changed = store.tenants.change(TENANT, {"name": "Nyby", "scope": {"enabled_only": True}})
    record = store.tenants.get(TENANT)
    assert record.tenant == changed == tenant(name="Nyby", scope={"enabled_only": True})
    assert record.version == 2
    assert record.credentials.client_secret == CLIENT_SECRET


def test_a_secret_can_be_replaced(store: Store) -> None:
    """P6: a new client secret takes the old one's place, and it is known since when and by whom."""
    first = store.tenants.secret_origin(TENANT)
    store.tenants.change(TENANT, {"name": "Nyby"}, operator="another")
    assert store.tenants.secret_origin(TENANT) == first
    store.tenants.change(TENANT, {"client_secret": "ny"}, operator="ada")
    second = store.tenants.secret_origin(TENANT)
    assert (first.operator, second.operator) == (None, "ada")
    assert first.set_at is not None
    assert second.set_at is not None
    assert first.set_at < second.set_at
    assert store.tenants.get(TENANT).credentials.client_secret == "ny"  # noqa: S105 - made up


def test_a_faulty_change_changes_nothing(store: Store) -> None:
    """A change with a fault is refused as a whole."""
    with pytest.raises(InvalidTenantError, match=r"guard\.changed\.count"):
        store.tenants.change(TENANT, {"name": "Nyby", "guard": {"changed": {"count": "många", "share": 1}}})
    assert store.tenants.get(TENANT).version == 1


def test_changes_at_once_all_count(store: Store, second_store: Store) -> None:
    """Two who change different settings at the same moment do not undo each other."""

    def rename() -> Tenant:
        return store.tenants.change(TENANT, {"name": "Nyby"})

    def disable() -> Tenant:
        return second_store.tenants.change(TENANT, {"enabled": False})

    run_concurrently(rename, disable)
    record = store.tenants.get(TENANT)
    assert (record.tenant, record.version) == (tenant(name="Nyby", enabled=False), 3)


def test_a_tenant_is_at_hand_at_its_version(store: Store, second_store: Store) -> None:
    """A worker that is told of a newer version gets it, and keeps what it has until then."""
    before = store.tenants.at_version(TENANT, 1)
    second_store.tenants.change(TENANT, {"name": "Nyby"})
    assert store.tenants.at_version(TENANT, 1) is before
    assert store.tenants.at_version(TENANT, 2).tenant.name == "Nyby"


def test_a_tenant_that_is_added_again_is_another_one(store: Store, second_store: Store) -> None:
    """A worker that goes on meanwhile has neither the settings nor the decisions of the former one."""
    second_store.tenants.change(TENANT, {"name": "Nyby"})
    former = store.tenants.at_version(TENANT, 2)
    second_store.tenants.remove(TENANT)
    second_store.tenants.add(tenant(name="Gammalby"), CLIENT_SECRET)
    run = begin_run(second_store, "again", "anna")

    item = store.work_items.load(run.id, "anna")

    assert item is not None
    found = store.settings_overrides.for_user(run.id, item)
    assert (found.tenant.name, found.id != former.id) == ("Gammalby", True)


def test_threads_that_ask_at_once_read_a_tenant_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's threads all begin at the same moment, and a tenant takes milliseconds to read."""
    reads: list[str] = []
    read = store.tenants.get

    def counted(key: str) -> TenantRecord:
        reads.append(key)
        time.sleep(0.05)
        return read(key)

    monkeypatch.setattr(store.tenants, "get", counted)
    found = run_concurrently(*[lambda: store.tenants.at_version(TENANT, 1)] * 8)
    assert reads == [TENANT]
    assert all(record is found[0] for record in found)


def test_a_secret_is_sealed_at_rest(store: Store, database_with_tables: str) -> None:
    """P6: the database holds no client secret that can be read, and a record does not show it."""
    engine = create_engine(database_with_tables)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM tenants")).one()
    engine.dispose()
    assert CLIENT_SECRET not in repr(row)
    assert CLIENT_SECRET not in repr(store.tenants.get(TENANT))


@pytest.mark.usefixtures("store")
def test_a_foreign_key_opens_no_secret(database_with_tables: str) -> None:
    """Keys that do not fit are said to be that; the settings can be read all the same."""
    with_other_keys = Store(database_with_tables, FieldCipher([new_key()]))
    with pytest.raises(DecryptionError):
        with_other_keys.tenants.get(TENANT)
    assert with_other_keys.tenants.settings(TENANT) == tenant()
    with_other_keys.close()


def test_a_tenant_at_work_stays(store: Store) -> None:
    """A tenant with an open run cannot be removed."""
    run = begin_run(store, "event", "anna")
    with pytest.raises(UsageError, match=f"Run {run.id}"):
        store.tenants.remove(TENANT)
    assert store.work_items.load(run.id, "anna") is not None


def test_a_removed_tenant_leaves_nothing(store: Store) -> None:
    """A tenant takes its runs and receipts with it, its events are forgotten, and the others stay."""
    store.tenants.add(tenant("grannkommun"), CLIENT_SECRET)
    neighbour = begin_run(store, "neighbour's", "bo", key="grannkommun")
    run = begin_run(store, "event", "anna")
    complete(store, run)
    store.tenants.remove(TENANT)
    assert [settings.key for settings in store.tenants.list()] == ["grannkommun"]
    assert [summary.run.id for summary in store.runs.list()] == [neighbour.id]
    assert store.receipts.get(run.id, "anna") is None
    assert store.triggers.find_run("event") is None
    assert store.runs.summary(neighbour.id).counts == {Outcome.PENDING: 1}


def test_a_number_is_never_given_twice(store: Store) -> None:
    """P4: a run of a tenant that was removed and added again is newer than those before."""
    run = begin_run(store, "event")
    complete(store, run)
    store.tenants.remove(TENANT)
    store.tenants.add(tenant(), CLIENT_SECRET)
    assert begin_run(store, "second_store").id > run.id


def test_a_removal_and_a_trigger_at_once(store: Store, second_store: Store) -> None:
    """Either the tenant goes and the trigger is told so, or the run opens and the tenant stays."""
    for number in range(10):
        key = f"kommun-{number}"
        store.tenants.add(tenant(key), CLIENT_SECRET)

        def remove(key: str = key) -> None:
            store.tenants.remove(key)

        def trigger(key: str = key) -> None:
            second_store.triggers.open(request(key), f"event of {key}")

        removed, opened = run_concurrently(remove, trigger)
        there = key in [settings.key for settings in store.tenants.list()]
        assert isinstance(removed, UsageError) is there
        assert isinstance(opened, PermanentError) is not there
