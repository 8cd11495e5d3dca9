"""Tries with one SCIM server what the sync needs of it, and says in a word what the client does."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.errors import UserNotFoundError
from clients.skolon.unusable_answers import UnusableAnswers
from schemas.errors import HaltError, PermanentError, TransientError, VersionConflictError
from schemas.tenants.skolon_target import SkolonProfile, SkolonTarget
from schemas.users.attributes import Attribute
from schemas.users.scim import SCHOOL_EXTENSION, SKOLON_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from schemas.users.skolon_user import SkolonUser

#: The cell of what must not be: another user found, another value written, a user changed that is not meant.
WRONG: Final = "**wrong**"
#: The cell of an attribute that the profile does not have.
ABSENT: Final = "none"
#: The cell of a change that the server itself does not take.
_UNTRIED: Final = "not tried"

#: Users that a server needs for a trial.
USERS: Final = 12
#: Attempts before a server counts as away, with so many seconds between them.
_ATTEMPTS: Final = 8
_PAUSE: Final = 60.0

_NAME: Final = "Annmari-Elisabet"
_NUMBER: Final = "201203049810"
_TELEPHONE: Final = "070-174 06 99"

_EPPN: Final = {SkolonProfile.ASSUMED: Attribute.USER_NAME, SkolonProfile.SS12000: Attribute.EPPN}
#: What is updated: the column, and the attribute with its new value.
_UPDATES: Final[dict[str, tuple[Attribute, str | None]]] = {
    "given name": (Attribute.FIRST_NAME, _NAME),
    "user name": (Attribute.USER_NAME, "ny@kommun.example"),
    "e-mail": (Attribute.EMAIL, "ny.adress@kommun.example"),
    "telephone": (Attribute.MOBILE_PHONE, _TELEPHONE),
    "new personal number": (Attribute.SSN, _NUMBER),
    "emptied personal number": (Attribute.SSN, None),
}
COLUMNS: Final = ("one user", "several users", "a read", *_UPDATES, "changed meanwhile")


class Organisation(Protocol):
    """The users of a server, as it has them, and not as the client sees them."""

    @property
    def documents(self) -> Mapping[str, dict[str, Any]]:
        """The users by their numbers, each as SCIM JSON."""

    def change_behind(self, user_id: str) -> bool:
        """Give a user the surname "Annan" as another program does; say whether the server can do that."""


@dataclass
class _Clock:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(kw_only=True)
class _Trial:
    """One server with one profile, and the client that uses it."""

    client: ScimSkolonClient
    name: str
    organisation: Organisation
    profile: SkolonProfile
    clock: _Clock
    cells: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        """Return a cell for each of `COLUMNS`."""
        self.cells = [
            self._tried(self._find_one),
            self._tried(self._find_several),
            self._tried(self._read),
            *(self._tried(self._update, number, *_UPDATES[name]) for number, name in enumerate(_UPDATES)),
            self._tried(self._race),
        ]
        return self.cells

    def _tried(self, do: Callable[..., str], *arguments: Any) -> str:
        for _ in range(_ATTEMPTS):
            try:
                return do(*arguments)
            except HaltError as error:
                return f"halts: {error.cause}"
            except VersionConflictError:
                return "noticed"
            except UserNotFoundError:
                return "gone"
            except PermanentError as error:
                return f"a dead letter: {error.reason}"
            except TransientError:
                self.clock.seconds += _PAUSE
        return "waits"

    def _keys(self, number: int) -> dict[Attribute, str]:
        document = self.organisation.documents[str(number)]
        return {
            Attribute.EXTERNAL_ID: document["externalId"],
            Attribute.EMAIL: f"mail{number}@kommun.example",
        }

    def _id(self, number: int) -> str:
        return str(self.organisation.documents[str(number)]["id"])

    def _find_one(self) -> str:
        found = self.client.search_many(self.name, [self._keys(1)])[0]
        if isinstance(found, Exception):
            raise found
        if self._id(1) not in [user.id for user in found]:
            return WRONG
        if len(found) > 1:
            return "found among others"
        return f"found by {self.client.capabilities(self.name).method}"

    def _find_several(self) -> str:
        numbers = range(2, 7)
        results = self.client.search_many(self.name, [self._keys(number) for number in numbers])
        for number, found in zip(numbers, results, strict=True):
            if isinstance(found, Exception):
                raise found
            if [user.id for user in found] != [self._id(number)]:
                return WRONG
        return "one search" if self.client.capabilities(self.name).takes_or else "one at a time"

    def _read(self) -> str:
        user = self.client.read(self.name, self._id(1))
        return WRONG if user is None or user.id != self._id(1) else "read"

    def _update(self, number: int, attribute: Attribute, value: str | None) -> str:
        if attribute is Attribute.USER_NAME:
            attribute = _EPPN[self.profile]
        if attribute is Attribute.MOBILE_PHONE and self.profile is SkolonProfile.SS12000:
            return ABSENT
        before = copy.deepcopy(dict(self.organisation.documents))
        user = self.client.read(self.name, self._id(number))
        if user is None:
            return WRONG
        if not user.lacking({attribute: value}):
            return "nothing to do, as it shows"
        after = self.client.update(self.name, user, {attribute: value})
        now = self.organisation.documents
        if before.keys() != now.keys() or {key for key in now if now[key] != before[key]} - {str(number)}:
            return WRONG
        is_made = _held(now[str(number)], attribute) == value
        return _come_of_it(after, {attribute: value}, is_made=is_made)

    def _race(self) -> str:
        user = self.client.read(self.name, self._id(9))
        if user is None:
            return WRONG
        if not self.organisation.change_behind(user.id):
            return _UNTRIED
        self.client.update(self.name, user, {Attribute.FIRST_NAME: "Ny"})
        held = self.organisation.documents["9"]["name"]
        return "not noticed; its values stay" if held["familyName"] == "Annan" else WRONG


def try_server(
    base_url: str, token: str, name: str, organisation: Organisation, profile: SkolonProfile
) -> list[str]:
    """Return a cell for each of `COLUMNS`; `name` is the organisation's in the address."""
    clock = _Clock()
    client = ScimSkolonClient(
        url=base_url,
        token=StaticToken(token),
        unusable=UnusableAnswers(clock=clock),
        target=SkolonTarget(profile=profile),
    )
    trial = _Trial(client=client, name=name, organisation=organisation, profile=profile, clock=clock)
    return trial.run()


def _come_of_it(after: SkolonUser | None, change: Mapping[Attribute, str | None], *, is_made: bool) -> str:
    if after is None:
        return "accepted"
    if after.lacking(change):
        return "made; named as not shown" if is_made else "named as not taken"
    return "made" if is_made else WRONG


def _held(document: dict[str, Any], attribute: Attribute) -> str | None:
    """Return what a server holds of an attribute."""
    extensions = {**document.get(SKOLON_EXTENSION, {}), **document.get(SCHOOL_EXTENSION, {})}
    lists = {Attribute.EMAIL: "emails", Attribute.MOBILE_PHONE: "phoneNumbers"}
    if attribute in lists:
        wanted = "" if attribute is Attribute.EMAIL else "mobile"
        for entry in document.get(lists[attribute], ()):
            if wanted in str(entry.get("type", "")).lower():
                return str(entry["value"])
        return None
    values = {
        Attribute.FIRST_NAME: document.get("name", {}).get("givenName"),
        Attribute.USER_NAME: document.get("userName"),
        Attribute.EPPN: document.get("userName"),
        Attribute.SSN: extensions.get("ssn") or extensions.get("civicNo"),
    }
    value = values[attribute]
    return None if value is None else str(value)


def made_up_user(number: int) -> dict[str, Any]:
    name = f"u{number}@kommun.example"
    # The last two updates are of a user without a personal number, and of one that has one.
    numbers = {} if number == len(_UPDATES) - 2 else {"ssn": f"2000010123{number:02d}"}
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "externalId": f"entra-{number}",
        "userName": name,
        "active": True,
        "name": {"givenName": "Anna", "familyName": "Ek"},
        "emails": [{"type": "work", "value": f"mail{number}@kommun.example"}],
        "phoneNumbers": [{"type": "mobile", "value": "070-174 06 01"}],
        SKOLON_EXTENSION: {"eppn": name, **numbers},
    }


def render(heading: str, rows: Iterable[tuple[str, list[str]]]) -> str:
    """Return a table in Markdown: a row for each server, with its name below the heading."""
    head = f"| {heading} | {' | '.join(COLUMNS)} |\n|{' --- |' * (len(COLUMNS) + 1)}"
    return "\n".join([head, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)])
