"""The Data Hub's members, links and sessions, on each database."""

from __future__ import annotations

import datetime as dt
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from schemas.errors import UsageError
from schemas.hub.member import LastOperatorError, NameTakenError, Role
from schemas.hub.session import LINK_LIFETIME, REPEATED_WITHIN, AuditKind, LinkFault
from store import tables
from store.timestamps import now
from tests.contract.store.factories import run_concurrently

if TYPE_CHECKING:
    from schemas.hub.member import Member
    from store.store import Store


def test_a_member_has_a_role_and_tenants_until_they_change(store: Store) -> None:
    """What is stored comes back; the name is encrypted, and a wrong tenant changes nothing."""
    key = store.tenants.outlines()[0].key
    member = store.hub_members.add("Åsa Made-Up", Role.READER, [key])
    assert store.hub_members.get(member.id) == member
    assert (member.name, member.role, member.tenants) == ("Åsa Made-Up", Role.READER, (key,))
    with pytest.raises(UsageError, match="There is no tenant"):
        store.hub_members.change(member.id, member.name, Role.ADMINISTRATOR, [key, "unknown"])
    assert store.hub_members.get(member.id) == member
    assert store.hub_members.change(member.id, member.name, Role.OPERATOR).tenants == ()
    with store.database.transaction() as connection:
        stored = connection.scalar(select(tables.hub_members.c.name))
    assert "Made-Up" not in str(stored)

    assert store.hub_members.remove(member.id)
    assert not store.hub_members.remove(member.id)
    assert store.hub_members.find(member.id) is None


def test_operators_who_remove_or_demote_each_other_at_once_leave_one(
    store: Store, second_store: Store
) -> None:
    """Each of them has looked whether there is another one; the database decides."""
    stores = (store, second_store)
    for _ in range(5):
        for each in store.hub_members.list():
            store.hub_members.remove(each.id)
        first, second = (store.hub_members.add(name, Role.OPERATOR) for name in ("Made Up", "Up Made"))
        for each in (first, second):
            store.hub_sessions.start(f"token {each.id}", each.id)
        tenant = store.tenants.outlines()[0].key

        def remove(books: Store, member: Member, by: Member) -> bool:
            with suppress(LastOperatorError):
                return books.hub_members.remove(member.id, by=by.id)
            return False

        def demote(books: Store, member: Member, by: Member, tenant: str = tenant) -> bool:
            with suppress(LastOperatorError):
                books.hub_members.change(member.id, member.name, Role.READER, [tenant], by=by.id)
                return True
            return False

        done = run_concurrently(
            partial(remove, stores[0], first, second), partial(demote, stores[1], second, first)
        )
        assert set(done) == {False, True}
        assert [each.role for each in store.hub_members.list()].count(Role.OPERATOR) == 1


def test_a_link_is_used_once_however_many_try(store: Store) -> None:
    """Of ten browsers that use a link at the same moment one gets the member."""
    member = store.hub_members.add("Made Up", Role.OPERATOR).id
    store.hub_invitations.add("hash", member)
    results: list[int | LinkFault] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(store.hub_invitations.use("hash", f"browser {n}")))
        for n in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == sorted([str(member), *["used"] * 9])


def test_a_second_click_gets_the_same_answer_for_a_while(store: Store) -> None:
    """The browser that has used a link just now gets its member again; another one does not."""
    member = store.hub_members.add("Made Up", Role.OPERATOR).id
    store.hub_invitations.add("hash", member)
    assert store.hub_invitations.use("hash", "mine") == member
    assert store.hub_invitations.use("hash", "mine") == member
    assert store.hub_invitations.use("hash", "other") is LinkFault.USED
    with store.database.transaction() as connection:
        connection.execute(update(tables.hub_invitations).values(used=now() - REPEATED_WITHIN))
    assert store.hub_invitations.use("hash", "mine") is LinkFault.USED


def test_the_audit_of_a_tenant_is_what_concerned_it_then(store: Store) -> None:
    """Events keep the tenants of their member, also when it is removed; other tenants do not see them."""
    key = store.tenants.outlines()[0].key
    member = store.hub_members.add("Made Up", Role.READER, [key])
    store.hub_audit.record(AuditKind.INVITED, member=member.id)
    store.hub_audit.record(AuditKind.VALUES_REVEALED, member=member.id, tenant=key, user="id-1")
    store.hub_members.remove(member.id)
    store.hub_audit.record(AuditKind.SIGN_IN_REFUSED, address_digest="x")

    seen = store.hub_audit.page([key])
    assert [(each.kind, each.user) for each in seen.entries] == [
        (AuditKind.REMOVED, None),
        (AuditKind.VALUES_REVEALED, "id-1"),
        (AuditKind.INVITED, None),
    ]
    assert seen.before is None
    assert len(store.hub_audit.page(None).entries) == 4
    assert store.hub_audit.page(["unknown"]).entries == ()
    assert store.hub_audit.page([key], before=seen.entries[0].id).entries == seen.entries[1:]


def test_a_link_tells_why_it_does_not_work(store: Store) -> None:
    """Unknown, replaced by a newer one, or too old."""
    member = store.hub_members.add("Made Up", Role.OPERATOR).id
    store.hub_invitations.add("first", member)
    expires = store.hub_invitations.add("second", member)
    assert abs(expires - now() - LINK_LIFETIME) < dt.timedelta(minutes=1)
    assert store.hub_invitations.use("never", "browser") is LinkFault.UNKNOWN
    assert store.hub_invitations.use("first", "browser") is LinkFault.UNKNOWN
    with store.database.transaction() as connection:
        connection.execute(update(tables.hub_invitations).values(expires=now()))
    assert store.hub_invitations.use("second", "browser") is LinkFault.TOO_OLD


def test_sessions_end_one_by_one_all_together_and_with_the_member(store: Store) -> None:
    """A session that has ended is found no more, and those of other members stay."""
    member, other = (store.hub_members.add(name, Role.OPERATOR).id for name in ("One", "Other"))
    for token, owner in (("a", member), ("b", member), ("c", member), ("d", other)):
        store.hub_sessions.start(token, owner)
    assert store.hub_members.get(member).signed_in is not None
    found = store.hub_sessions.find("a")
    assert found is not None
    assert (found.member, found.is_alive(now())) == (member, True)

    store.hub_sessions.end("a")
    assert [store.hub_sessions.find(token) is None for token in "abcd"] == [True, False, False, False]
    store.hub_sessions.end_all(member)
    assert [store.hub_sessions.find(token) is None for token in "abcd"] == [True, True, True, False]
    store.hub_members.remove(other)
    assert store.hub_sessions.find("d") is None


def test_a_new_session_removes_those_that_are_over(store: Store) -> None:
    """The table does not grow with the years."""
    member = store.hub_members.add("Made Up", Role.OPERATOR).id
    store.hub_sessions.start("idle", member)
    with store.database.transaction() as connection:
        connection.execute(update(tables.hub_sessions).values(last_seen=now() - dt.timedelta(hours=1)))
    store.hub_sessions.start("new", member)
    assert store.hub_sessions.find("idle") is None
    assert store.hub_sessions.find("new") is not None


def test_refused_links_count_by_address_and_for_a_while(store: Store) -> None:
    """Other addresses, other events and what was long ago do not count."""
    audit = store.hub_audit
    audit.record(AuditKind.SIGN_IN_REFUSED, address_digest="here")
    with store.database.transaction() as connection:
        connection.execute(update(tables.hub_audit).values(at=now() - dt.timedelta(minutes=11)))
    audit.record(AuditKind.SIGN_IN_REFUSED, address_digest="here")
    audit.record(AuditKind.SIGN_IN_REFUSED, address_digest="there")
    audit.record(AuditKind.SIGNED_IN, member=1, address_digest="here")
    assert audit.count_refused("here") == 1


def test_a_token_is_its_tenants_until_it_is_removed(store: Store) -> None:
    """It is found by its hash alone, notes its use, and only its tenant's members can remove it."""
    key = store.tenants.outlines()[0].key
    member = store.hub_members.add("Made Up", Role.ADMINISTRATOR, [key]).id
    made = store.hub_api_tokens.add("hash", key, "Dashboard", member, may_act=True)
    assert store.hub_api_tokens.list(key) == [made]
    with pytest.raises(UsageError, match="There is no tenant"):
        store.hub_api_tokens.add("other", "unknown", "Dashboard", member, may_act=False)

    assert store.hub_api_tokens.use("guess") is None
    assert store.hub_api_tokens.use("hash") == made
    (used,) = store.hub_api_tokens.list(key)
    assert used.last_used is not None
    store.hub_api_tokens.use("hash")
    assert store.hub_api_tokens.list(key) == [used]

    assert not store.hub_api_tokens.remove("unknown", made.id)
    assert store.hub_api_tokens.remove(key, made.id)
    assert store.hub_api_tokens.use("hash") is None


def test_two_who_add_one_name_at_once_make_one_member(store: Store) -> None:
    """The second one is told, also when neither has seen the other one's name."""
    names = ["Åsa  Ek", "åsa ek", "A\u030asa Ek", "ÅSA EK"]
    add = partial(store.hub_members.add, role=Role.OPERATOR)

    results = run_concurrently(*(partial(add, name) for name in names))

    assert [type(each) for each in results].count(NameTakenError) == len(names) - 1
    assert len(store.hub_members.list()) == 1


def test_a_removed_members_name_stays_known(store: Store) -> None:
    """Names are kept encrypted, for the audit alone."""
    first, second = (store.hub_members.add(name, Role.OPERATOR).id for name in ("Made Up", "Up Made"))
    store.hub_members.remove(first)
    assert store.hub_members.former_names([first, second]) == {first: "Made Up"}
    assert store.hub_members.former_names([]) == {}
