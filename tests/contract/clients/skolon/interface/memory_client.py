"""A client of a Skolon whose API is not SCIM: plain objects by id, in memory, with revision numbers.

It is as small as a client can be, and shares nothing with the SCIM client but the interface and its errors.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from clients.skolon.errors import RejectedError, UserNotFoundError
from clients.skolon.server.capabilities import Capabilities, SearchMethod
from clients.skolon.server.inspection import Inspection
from runtime.services import NO_BREAKER, Breakers, skolon_reading, skolon_updating
from schemas.errors import UpdateSyncError, VersionConflictError
from schemas.outcomes import Stage
from schemas.users.attributes import Attribute, keys_match
from schemas.users.skolon_user import SkolonUser, ensure_usable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from schemas.tenants.skolon_target import SkolonTarget


@dataclass
class Person:
    """A user as this Skolon keeps it."""

    values: dict[Attribute, str]
    revision: int = 1


@dataclass
class MemorySkolon:
    """The other side: the users of each organisation, and the errors that it answers with."""

    organisations: dict[str, dict[str, Person]]
    errors: list[UpdateSyncError] = field(default_factory=list)
    #: Ids of users whose updates are refused, with the status.
    refused: dict[str, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


class MemorySkolonClient:
    """Implements `clients.skolon.interface.SkolonClient`."""

    def __init__(
        self, skolon: MemorySkolon, breakers: Breakers = NO_BREAKER, *, may_write: bool = True
    ) -> None:
        self._skolon = skolon
        self._breakers = breakers
        self._may_write = may_write

    def search(self, organisation: str, keys: Mapping[Attribute, str]) -> list[SkolonUser]:
        with self._breakers.guard(skolon_reading(organisation)), self._skolon.lock:
            return [
                _user(user_id, person)
                for user_id, person in self._people(organisation).items()
                if any(
                    keys_match(key, person.values[key], value)
                    for key, value in keys.items()
                    if key in person.values
                )
            ]

    def capabilities(self, organisation: str) -> Capabilities:
        del organisation
        return Capabilities(method=SearchMethod.POST, takes_or=True)

    def forget_capabilities(self, organisation: str, names: Collection[str] = ()) -> None:
        """Forget nothing: all its servers can do the same."""

    def inspect(self, organisation: str) -> Inspection:
        with self._skolon.lock:
            people = list(self._people(organisation).items())[:5]
            return Inspection(users=[_user(user_id, person) for user_id, person in people])

    def read(self, organisation: str, user_id: str) -> SkolonUser | None:
        with self._breakers.guard(skolon_reading(organisation), user_id), self._skolon.lock:
            person = self._people(organisation).get(user_id)
            return None if person is None else _user(user_id, person)

    def update(
        self, organisation: str, user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> SkolonUser | None:
        if not self._may_write:
            raise UpdateSyncError("a dry run must not write")
        ensure_usable(user)
        with self._breakers.guard(skolon_updating(organisation), user.id), self._skolon.lock:
            people = self._people(organisation)
            person = people.get(user.id)
            if person is None:
                raise UserNotFoundError("the user is no longer there")
            if user.id in self._skolon.refused:
                raise RejectedError(Stage.UPDATE, "refused", status=self._skolon.refused[user.id])
            name = changes.get(Attribute.USER_NAME)
            if any(other.values.get(Attribute.USER_NAME) == name for other in people.values() if name):
                raise RejectedError(Stage.UPDATE, "taken", status=409)
            if str(person.revision) != user.version:
                raise VersionConflictError("the user has changed")
            values = {**person.values, **changes}
            person.values = {key: value for key, value in values.items() if value is not None}
            person.revision += 1
            return _user(user.id, person)

    def for_target(self, target: SkolonTarget) -> MemorySkolonClient:
        """Return the same client: its servers lay out users in one way."""
        del target
        return self

    def read_only(self) -> MemorySkolonClient:
        return MemorySkolonClient(self._skolon, self._breakers, may_write=False)

    def _people(self, organisation: str) -> dict[str, Person]:
        if self._skolon.errors:
            raise self._skolon.errors[0]
        return self._skolon.organisations.get(organisation, {})


def _user(user_id: str, person: Person) -> SkolonUser:
    values = MappingProxyType({attribute: person.values.get(attribute) for attribute in Attribute})
    return SkolonUser(id=user_id, version=str(person.revision), attributes=values)
