"""Members of the Data Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, select, update

from schemas.errors import UsageError
from schemas.hub.audit import Membership
from schemas.hub.member import LastOperatorError, Member, NameTakenError, Role, comparable_name
from schemas.hub.session import AuditKind
from store import tables
from store.hub.audit import record_event
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from schemas.crypto.encryption import FieldCipher
    from store.database import Database

#: Held while a member is added: names are encrypted, so that no index can hold them apart.
_LOCK: Final = 710_042_014


class HubMembers:
    """The members' tables; may be shared by threads. Names are encrypted."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def add(self, name: str, role: Role, tenants: Sequence[str] = ()) -> Member:
        """Store a member of the tenants with these keys.

        Raises `NameTakenError` if a member has the name, also when both are added at once, and `UsageError`
        if there is no such tenant.
        """
        values = {"name": self._cipher.encrypt(name), "role": role, "created": now()}
        with self._database.transaction() as connection:
            if not self._database.is_sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            names = map(self._cipher.decrypt, connection.scalars(select(tables.hub_members.c.name)))
            if comparable_name(name) in map(comparable_name, names):
                raise NameTakenError("A member has this name already.")
            key = connection.execute(insert(tables.hub_members).values(values)).inserted_primary_key
            member = int(key[0])  # type: ignore[index] # an insert of one row has a key
            _set_tenants(connection, member, tenants)
        return self.get(member)

    def change(
        self,
        member: int,
        name: str,
        role: Role,
        tenants: Sequence[str] = (),
        *,
        by: int | None = None,
    ) -> Member:
        """Give a member this name, role and tenants; raises `UsageError` as `add` and `get` do.

        `by` is another member who does it: then the audit records it, and it raises `LastOperatorError` if no
        operator would be left who has ever signed in.
        """
        members, values = tables.hub_members, {"name": self._cipher.encrypt(name), "role": role}
        with self._database.transaction() as connection:
            if by is not None:
                if role is not Role.OPERATOR:
                    _check_other_operator(connection, member)
                # For the people of the former tenants, who saw the member until now.
                membership = _new_membership(connection, member, role, tenants)
                record_event(
                    connection, AuditKind.MEMBER_CHANGED, member=member, by=by, membership=membership
                )
            connection.execute(update(members).where(members.c.id == member).values(values))
            _set_tenants(connection, member, tenants)
        return self.get(member)

    def get(self, member: int) -> Member:
        """Return a member; raise `UsageError` when there is none of that number."""
        found = self._load(member)
        if not found:
            raise UsageError(f"There is no member {member}; 'hub members' shows those there are.")
        return found[0]

    def find(self, member: int) -> Member | None:
        """Return a member, None when there is none of that number."""
        found = self._load(member)
        return found[0] if found else None

    def list(self) -> Sequence[Member]:
        """Return all members by number."""
        return self._load(None)

    def remove(self, member: int, *, by: int | None = None) -> bool:
        """Remove a member with all links and sessions, and record that; True if there was one.

        `by` is another member who does it: then it raises `LastOperatorError` as `change` does.
        """
        members = tables.hub_members
        with self._database.transaction() as connection:
            if by is not None:
                _check_other_operator(connection, member)
            name = connection.scalar(select(members.c.name).where(members.c.id == member))
            if name is None:
                return False
            # While it is known which tenants it is about.
            record_event(connection, AuditKind.REMOVED, member=member, by=by)
            connection.execute(insert(tables.hub_former_members).values(id=member, name=name))
            return bool(connection.execute(delete(members).where(members.c.id == member)).rowcount)

    def former_names(self, members: Collection[int]) -> Mapping[int, str]:
        """Return how those of these numbers were called who were removed."""
        former = tables.hub_former_members
        with self._database.transaction() as connection:
            rows = connection.execute(select(former).where(former.c.id.in_(members))).all()
        return {row.id: self._cipher.decrypt(row.name) for row in rows}

    def has_signed_in(self, role: Role) -> bool:
        """Say whether a member with a role has ever signed in."""
        members = tables.hub_members
        query = select(members.c.id).where(members.c.role == role, members.c.signed_in.is_not(None)).limit(1)
        with self._database.transaction() as connection:
            return connection.scalar(query) is not None

    def find_by_account(self, directory: str, object_id: str) -> int | None:
        """Return the number of the member whom an account of Entra signs in, None if there is none."""
        members = tables.hub_members
        query = select(members.c.id).where(
            members.c.entra_directory == directory, members.c.entra_object == object_id
        )
        with self._database.transaction() as connection:
            return connection.scalar(query)

    def set_account(self, member: int, directory: str, object_id: str) -> None:
        """Have an account of Entra sign this member in, and no other member any more."""
        members = tables.hub_members
        is_account = (members.c.entra_directory == directory) & (members.c.entra_object == object_id)
        none, account = (
            {"entra_directory": first, "entra_object": second}
            for first, second in ((None, None), (directory, object_id))
        )
        with self._database.transaction() as connection:
            connection.execute(update(members).where(is_account).values(none))
            connection.execute(update(members).where(members.c.id == member).values(account))

    def set_role(self, member: int, role: Role) -> None:
        """Give a member another role."""
        members = tables.hub_members
        with self._database.transaction() as connection:
            connection.execute(update(members).where(members.c.id == member).values(role=role))

    def without_other_tenant(self, tenant: str) -> Sequence[int]:
        """Return the numbers of members who belong to that tenant alone, by its key."""
        of_members, tenants = tables.hub_member_tenants, tables.tenants
        query = (
            select(of_members.c.member_id)
            .join(tenants)
            .group_by(of_members.c.member_id)
            .having(func.count() == 1, func.min(tenants.c.key) == tenant)
            .order_by(of_members.c.member_id)
        )
        with self._database.transaction() as connection:
            return connection.scalars(query).all()

    def _load(self, member: int | None) -> Sequence[Member]:
        members, of_members = tables.hub_members, tables.hub_member_tenants
        query = select(members).order_by(members.c.id)
        keys = select(of_members.c.member_id, tables.tenants.c.key).join(tables.tenants)
        if member is not None:
            query = query.where(members.c.id == member)
            keys = keys.where(of_members.c.member_id == member)
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
            tenants: dict[int, list[str]] = {row.id: [] for row in rows}
            for row in connection.execute(keys.order_by(tables.tenants.c.key)):
                tenants[row.member_id].append(row.key)
        return [self._member(row, tenants[row.id]) for row in rows]

    def _member(self, row: Row[Any], tenants: Sequence[str]) -> Member:
        return Member(
            id=row.id,
            name=self._cipher.decrypt(row.name),
            role=Role(row.role),
            tenants=tuple(tenants),
            signed_in=row.signed_in and as_utc(row.signed_in),
            has_entra_account=row.entra_object is not None,
        )


def _check_other_operator(connection: Connection, member: int) -> None:
    """Raise `LastOperatorError` if the member is the only operator who has ever signed in.

    All operators are locked, in one order: of two who remove each other at once, the second one sees what the
    first has done.
    """
    members = tables.hub_members
    query = select(members.c.id, members.c.signed_in).where(members.c.role == Role.OPERATOR)
    rows = connection.execute(query.order_by(members.c.id).with_for_update()).all()
    if [row.id for row in rows if row.signed_in is not None] == [member]:
        raise LastOperatorError("This is the only operator who has ever signed in.")


def _new_membership(
    connection: Connection, member: int, role: Role, new_tenants: Sequence[str]
) -> Membership:
    members, of_members, tenants = tables.hub_members, tables.hub_member_tenants, tables.tenants
    former_role = connection.scalar(select(members.c.role).where(members.c.id == member))
    former = select(tenants.c.key).join(of_members).where(of_members.c.member_id == member)
    return Membership(
        role=role,
        tenants=tuple(sorted(new_tenants)),
        former_role=former_role and Role(former_role),
        former_tenants=tuple(connection.scalars(former.order_by(tenants.c.key))),
    )


def _set_tenants(connection: Connection, member: int, keys: Sequence[str]) -> None:
    tenants, of_members = tables.tenants, tables.hub_member_tenants
    rows = connection.execute(select(tenants.c.id, tenants.c.key).where(tenants.c.key.in_(keys))).all()
    unknown = sorted(set(keys) - {row.key for row in rows})
    if unknown:
        raise UsageError("There is no tenant of this name; 'tenants list' shows those there are:", unknown)
    connection.execute(delete(of_members).where(of_members.c.member_id == member))
    if rows:
        values = [{"member_id": member, "tenant_id": row.id} for row in rows]
        connection.execute(insert(of_members), values)
