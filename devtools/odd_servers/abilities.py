"""Tries what the sync needs of a SCIM server with each odd one, and prints what the client does: a table.

`--document` writes it into docs/scim-servers.md. A test holds the page to it.
"""

from __future__ import annotations

import argparse
import copy
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.errors import UserNotFoundError
from clients.skolon.unusable_answers import UnusableAnswers
from devtools.marked_page import write_between
from devtools.odd_servers.environment import OddServers
from devtools.odd_servers.oddities import ALL_ODDITIES, Oddities
from devtools.odd_servers.organisation import OddOrganisation, shaped
from devtools.odd_servers.report import PAGE
from devtools.odd_servers.school import school_user
from sandbox.serving import serve
from schemas.errors import HaltError, PermanentError, TransientError, VersionConflictError
from schemas.tenants.skolon_target import SkolonProfile, SkolonTarget
from schemas.users.attributes import Attribute
from schemas.users.scim import SCHOOL_EXTENSION, SKOLON_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from schemas.users.skolon_user import SkolonUser

BEGIN: Final = "<!-- written by devtools/odd_servers/abilities.py: begin -->"
END: Final = "<!-- written by devtools/odd_servers/abilities.py: end -->"

#: The cell of what must not be: another user found, another value written, a user changed that is not meant.
WRONG: Final = "**wrong**"
#: The cell of an attribute that the profile does not have.
_ABSENT: Final = "none"

_USERS: Final = 12
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
    organisation: OddOrganisation
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
            return _ABSENT
        before = copy.deepcopy(self.organisation.documents)
        user = self.client.read(self.name, self._id(number))
        if user is None:
            return WRONG
        if not user.lacking({attribute: value}):
            return "nothing to do, as it shows"
        after = self.client.update(self.name, user, {attribute: value})
        changed = {key for key, held in self.organisation.documents.items() if held != before[key]}
        if not changed <= {str(number)} or before.keys() != self.organisation.documents.keys():
            return WRONG
        is_made = _held(self.organisation.documents[str(number)], attribute) == value
        return _come_of_it(after, {attribute: value}, is_made=is_made)

    def _race(self) -> str:
        user = self.client.read(self.name, self._id(9))
        if user is None:
            return WRONG
        self.organisation.change_behind(user.id)
        self.client.update(self.name, user, {Attribute.FIRST_NAME: "Ny"})
        held = self.organisation.documents["9"]["name"]
        return "not noticed; its values stay" if held["familyName"] == "Annan" else WRONG


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


def _user(number: int) -> dict[str, Any]:
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


def _organisation(oddities: Oddities, profile: SkolonProfile) -> OddOrganisation:
    users = {str(number): shaped(_user(number), oddities) for number in range(_USERS)}
    if profile is SkolonProfile.SS12000:
        users = {number: school_user(user) for number, user in users.items()}
    return OddOrganisation(users, oddities)


def _nothing(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Length", "0")])
    return [b""]


def try_all(kinds: Sequence[Oddities]) -> list[tuple[str, list[str]]]:
    """Return for each server its name, and a cell for each of `COLUMNS`; profiles that differ are named."""
    places = {
        f"{place}-{profile}": (oddities, profile)
        for place, oddities in enumerate(kinds)
        for profile in SkolonProfile
    }
    organisations = {key: _organisation(*kind) for key, kind in places.items()}
    with ExitStack() as stack:
        served = stack.enter_context(serve(OddServers(organisations).around(_nothing), threads=4))
        cells = {}
        for key, (_, profile) in places.items():
            clock = _Clock()
            client = ScimSkolonClient(
                url=f"{served.url}/{{organisation}}/scim/v2",
                token=StaticToken("made-up"),
                unusable=UnusableAnswers(clock=clock),
                target=SkolonTarget(profile=profile),
            )
            cells[key] = _Trial(
                client=client, name=key, organisation=organisations[key], profile=profile, clock=clock
            ).run()
    return [
        (
            ", and ".join(sorted(oddities)) or "nothing odd",
            list(map(_of_both, *(cells[f"{place}-{profile}"] for profile in SkolonProfile))),
        )
        for place, oddities in enumerate(kinds)
    ]


def _of_both(assumed: str, school: str) -> str:
    return assumed if school in (assumed, _ABSENT) else f"{assumed}; ss12000: {school}"


def render(rows: Iterable[tuple[str, list[str]]]) -> str:
    """Return the table in Markdown."""
    head = f"| a server that has | {' | '.join(COLUMNS)} |\n|{' --- |' * (len(COLUMNS) + 1)}"
    return "\n".join([head, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)])


def all_kinds() -> list[Oddities]:
    """Return the servers of the table: none odd, and each oddity alone."""
    return [frozenset(), *(frozenset({one}) for one in ALL_ODDITIES)]


def main(arguments: Sequence[str]) -> int:
    """Print the table, or write it into the page; return 1 if a cell is what must not be."""
    parser = argparse.ArgumentParser(prog="python -m devtools.odd_servers.abilities", description=__doc__)
    parser.add_argument("--document", action="store_true", help="write the table into docs/")
    wanted = parser.parse_args(arguments)
    rows = try_all(all_kinds())
    if wanted.document:
        write_between(PAGE, BEGIN, END, render(rows))
    else:
        print(render(rows))  # noqa: T201 - a command's output
    return int(any(WRONG in cell for _, cells in rows for cell in cells))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
