"""What is sealed in the database, and how it comes under a new key, on each database."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Text, cast, select, update

from schemas.crypto.encryption import DecryptionError, FieldCipher, KeyAge, new_key
from schemas.dead_letter_reasons import Reason
from schemas.dead_letters.set_aside import SetAsideGroup
from schemas.dead_letters.task import FailureSelection, TaskKind
from schemas.hub.action import Actor, Submission
from schemas.hub.member import Role
from schemas.messages.messages import SyncRequest
from schemas.notifications.delivery import Channel
from schemas.notifications.news import Event
from schemas.outcomes import Outcome
from schemas.tenants.settings_override import resolve_override
from schemas.users.attributes import Attribute
from store import tables
from store.encryption.encrypted_values import BATCH
from store.store import Store
from tests.contract.store.factories import CLIENT_SECRET, TENANT, before_image, begin_run, result, tenant

OLD, NEW = new_key(), new_key()
MARK = "skyddad"
EXCLUDE = {"exclude": [{"source": "extensionAttribute15", "equals": MARK}]}

#: What every sealed value begins with: the version, and the first zeros of the time, in base64.
TOKEN = "gAAAAA"  # noqa: S105 - no secret

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture
def filled(database_with_tables: str) -> str:
    """Give a database in which the old key has sealed something of each kind."""
    with closing(Store(database_with_tables, FieldCipher([OLD]))) as store:
        store.tenants.add(tenant(scope=EXCLUDE), CLIENT_SECRET)
        run = begin_run(store, "event", "anna", "bo")
        for user in ("anna", "bo"):
            store.claims.claim(run.id, user, f"skolon-{user}", {Attribute.EPPN: f"{user}@old.example"})
        store.receipts.finish(run.id, "bo", result(Outcome.UPDATED, "skolon-bo"))
        trial = resolve_override(store.tenants.settings(TENANT), {"scope": EXCLUDE})
        store.triggers.open(SyncRequest(tenant=TENANT, dry_run=True, settings=trial), "trial")
        ada = store.hub_members.add(f"Ada {MARK}", Role.OPERATOR)
        store.hub_members.remove(store.hub_members.add(f"Former {MARK}", Role.OPERATOR).id)
        end = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        store.schedule_pauses.pause(TENANT, end, f"Renaming {MARK}", operator=None)
        sent = Submission(actor=Actor(member=ada.id), key="key")
        some = FailureSelection(reason=Reason.REJECTED_BY_SKOLON)
        store.dead_letter_tasks.request(
            TENANT, TaskKind.DISCARD, some, users=1, submission=sent, note=f"Moved with {MARK}"
        )
        store.set_aside_groups.add(
            SetAsideGroup(
                tenant=TENANT,
                reason=some.reason,
                until=end,
                set_at=dt.datetime.now(dt.UTC),
                note=f"Waits for {MARK}",
            )
        )
        told = {"recipients": [f"{MARK}@it.example"], "webhook_url": f"https://{MARK}.example"}
        store.notification_settings.change(TENANT, {**told, "repair_entra": [f"{MARK}@it.example"]})
        store.notification_settings.set_secret(TENANT, f"whsec_{MARK}")
        store.notification_outbox.add(TENANT, Event.TEST, [(Channel.MAIL, f"{MARK}@it.example")])
        store.hub_api_tokens.add("hash", TENANT, f"Dashboard of {MARK}", ada.id, may_act=False)
    return database_with_tables


def columns_with(store: Store, text: str) -> set[str]:
    """Return the columns of the whole database in which a text is to be found."""
    found = set()
    with store.database.transaction() as connection:
        for table in tables.metadata.sorted_tables:
            for column in table.columns:
                query = select(table).where(cast(column, Text).like(f"%{text}%")).limit(1)
                if connection.execute(query).first() is not None:
                    found.add(f"{table.name}.{column.name}")
    return found


def ages(store: Store) -> dict[KeyAge, int]:
    sums = dict.fromkeys(KeyAge, 0)
    for column in store.encrypted_values.status():
        for age, count in column.ages.items():
            sums[age] += count
    return sums


def rotated(store: Store) -> int:
    return sum(column.rotated for column in store.encrypted_values.rotate())


def all_newest(values: int) -> Mapping[KeyAge, int]:
    return {**dict.fromkeys(KeyAge, 0), KeyAge.NEWEST: values}


def test_every_column_that_holds_something_sealed_is_listed(filled: str) -> None:
    """What is sealed lies in the columns that are marked as such, in each of them, none in the clear."""
    with closing(Store(filled, FieldCipher([OLD]))) as store:
        marked = {f"{column.table.name}.{column.name}" for column in tables.ENCRYPTED_COLUMNS}
        assert columns_with(store, TOKEN) == marked
        assert {column.column for column in store.encrypted_values.status()} == marked
        for text in (MARK, CLIENT_SECRET, "@old.example"):
            assert columns_with(store, text) == set()
        assert ages(store) == all_newest(16)


def test_a_rotation_needs_the_old_key_no_more(filled: str) -> None:
    """After it the new key alone opens everything; a second rotation finds nothing to do."""
    with closing(Store(filled, FieldCipher([NEW, OLD]))) as store:
        assert ages(store)[KeyAge.OLDER] == 16
        assert rotated(store) == 16
        assert rotated(store) == 0
    with closing(Store(filled, FieldCipher([NEW]))) as store:
        assert ages(store) == all_newest(16)
        assert store.tenants.get(TENANT).credentials.client_secret == CLIENT_SECRET
        assert store.tenants.settings(TENANT).scope.exclude[0].values == (MARK,)
        run, trial = store.triggers.find_run("event"), store.triggers.find_run("trial")
        assert run is not None
        assert before_image(store, run.id, "anna") == {"eppn": "anna@old.example"}
        assert store.hub_members.list()[0].name == f"Ada {MARK}"
        assert store.hub_api_tokens.list(TENANT)[0].label == f"Dashboard of {MARK}"
        assert trial is not None
        assert store.settings_overrides.for_run(trial).tenant.scope.exclude[0].values == (MARK,)


def test_a_rotation_goes_through_more_than_a_batch(filled: str) -> None:
    """Re-encryption reaches all users, however many, and skips values that no key decrypts."""
    people = [f"user-{number:05}" for number in range(BATCH + 20)]
    receipts = tables.receipts
    with closing(Store(filled, FieldCipher([NEW, OLD]))) as store:
        run = store.triggers.find_run("event")
        assert run is not None
        store.receipts.create_pending(run.id, people)
        lost = FieldCipher([new_key()]).encrypt("{}")
        with store.database.transaction() as connection:
            connection.execute(update(receipts).values(before_image=FieldCipher([OLD]).encrypt("{}")))
            connection.execute(
                update(receipts).where(receipts.c.entra_id == people[7]).values(before_image=lost)
            )
        assert rotated(store) == len(people) + 15
        assert (ages(store)[KeyAge.OLDER], ages(store)[KeyAge.NONE]) == (0, 1)
        with store.database.transaction() as connection:
            query = select(receipts.c.before_image).where(receipts.c.entra_id == people[7])
            assert connection.scalar(query) == lost


def test_what_is_changed_meanwhile_is_left(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that a worker has just written is never overwritten by the one that was there before."""
    with (
        closing(Store(filled, FieldCipher([NEW, OLD]))) as store,
        closing(Store(filled, FieldCipher([OLD]))) as worker,
    ):
        values = store.encrypted_values
        read = values._rows  # noqa: SLF001 - the moment in between, which nothing else gives

        def read_and_then(*arguments: Any) -> Any:
            rows = read(*arguments)
            worker.tenants.change(TENANT, {"client_secret": "newer"})
            return rows

        monkeypatch.setattr(values, "_rows", read_and_then)
        list(values.rotate())
        monkeypatch.undo()
        assert rotated(store) > 0
        assert ages(store)[KeyAge.OLDER] == 0
        assert store.tenants.get(TENANT).credentials.client_secret == "newer"  # noqa: S105 - made up


def test_rules_of_both_lists_are_set_anew_together(filled: str) -> None:
    """Rules that no key decrypts, and that a change does not name, are not dropped in silence."""
    include = {"include": [{"source": "department", "starts_with": "Grundskolan"}]}
    with closing(Store(filled, FieldCipher([OLD]))) as store:
        store.tenants.change(TENANT, {"scope": include})
        assert store.tenants.settings(TENANT).scope.include[0].values == ("Grundskolan",)
        assert columns_with(store, "Grundskolan") == set()
    with closing(Store(filled, FieldCipher([NEW]))) as store:
        for part in (include, EXCLUDE):
            with pytest.raises(DecryptionError):
                store.tenants.change(TENANT, {"scope": part, "client_secret": "newer"})
        store.tenants.change(TENANT, {"scope": include | EXCLUDE, "client_secret": "newer"})
        assert len(store.tenants.settings(TENANT).scope.sources) == 2


def test_rules_that_no_key_opens_can_be_set_anew(filled: str) -> None:
    """Without the key the rules are not lost by accident, and an administrator can set them again."""
    with closing(Store(filled, FieldCipher([NEW]))) as store:
        assert store.tenants.outline(TENANT).scope.exclude == ()
        with pytest.raises(DecryptionError):
            store.tenants.settings(TENANT)
        with pytest.raises(DecryptionError):
            store.tenants.change(TENANT, {"name": "Nyby"})
        store.tenants.change(TENANT, {"scope": EXCLUDE, "client_secret": "newer"})
        assert store.tenants.get(TENANT).tenant.scope.exclude[0].values == (MARK,)
