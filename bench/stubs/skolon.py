"""Skolon's users over SCIM, as far as a sync uses them: batched searches, and PATCH with If-Match.

The stub stores changed users only. All other users are computed from a number, and so is the result of a
search (`bench.stubs.users`), which takes microseconds for a population of any size.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from bench.stubs.http import CONTROL, Counts, answered
from bench.stubs.patching import patched
from bench.stubs.troubles import Trouble, failing, malformed
from bench.stubs.users import Person, Population, entra_id, index_in_address, index_in_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.stubs.http import Request

EXTENSION: Final = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User"
_USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
_LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
_SCIM: Final = "application/scim+json"

_TERM: Final = (
    r'(id|externalId|userName|emails\.value|[\w.:-]*:(?:eppn|idpIdentifier|ssn)) eq ("(?:[^"\\]|\\.)*")'
)
_TERMS: Final = re.compile(_TERM)
#: A search filter: any number of values, joined by `or` (RFC 7644 section 3.4.2.2).
_FILTER: Final = re.compile(f"{_TERM}(?: or {_TERM})*")

_PATH: Final = re.compile(r"/scim/p(\d+)/Users(?:/(?:s(\d+)|(\.search)))?")
_IF_MATCH: Final = re.compile(rb"\r\nif-match: *([^\r]+)", re.IGNORECASE)

#: The paths of the searchable attributes, as in a filter.
_HELD: Final = {
    "id": lambda user: user["id"],
    "externalId": lambda user: user["externalId"],
    "userName": lambda user: user["userName"],
    "emails.value": lambda user: user["emails"][0]["value"],
    f"{EXTENSION}:eppn": lambda user: user[EXTENSION]["eppn"],
    f"{EXTENSION}:idpIdentifier": lambda user: user[EXTENSION]["idpIdentifier"],
}


class SkolonStub:
    """The users of all organisations."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.latency = 0.0
        self.held: list[Callable[[], None]] | None = None
        #: Whether searches by POST to `/.search` are accepted, besides those by GET.
        self.takes_post = True
        self._populations: dict[int, Population] = {}
        self._troubles: dict[int, Trouble] = {}
        #: Changed users, by population and number.
        self._changed: dict[tuple[int, int], dict[str, Any]] = {}

    def answer(self, request: Request) -> bytes:
        """Answer one SCIM request, or an order of the bench."""
        if request.path.startswith(CONTROL):
            return self._obey(request)
        path = _PATH.fullmatch(request.path)
        population = None if path is None else self._populations.get(int(path[1]))
        if path is None or population is None:
            return _error(404)
        trouble = self._troubles.get(population.number)
        failure = None if trouble is None else failing(trouble)
        if failure is not None:
            self.counts.add("failed")
            return failure
        if path[2] is None:
            return self._search(population, request, by_post=path[3] is not None)
        return self._one(population, int(path[2]), request)

    def _one(self, population: Population, index: int, request: Request) -> bytes:
        if index >= population.people or population.is_absent(index):
            return _error(404)
        if request.method == "PATCH":
            return self._patch(population, index, request)
        self.counts.add("read")
        return _one(self._user(population, index))

    def _search(self, population: Population, request: Request, *, by_post: bool) -> bytes:
        """Answer a search, by the parameters of RFC 7644 section 3.4.2 or the body of section 3.4.3."""
        if by_post and not (self.takes_post and request.method == "POST"):
            return _error(501)
        wanted = json.loads(request.body) if by_post else dict(parse_qsl(request.query))
        self.counts.add("search")
        text = wanted.get("filter")
        if text is not None and not _FILTER.fullmatch(text):
            return _error(400)
        found = (
            [index for index in range(population.people) if not population.is_absent(index)]
            if text is None
            else list(dict.fromkeys(self._found(population, text)))
        )
        start = int(wanted.get("startIndex", 1)) - 1
        shown = found[start : start + int(wanted.get("count", 1000))]
        resources = ",".join(self._rendered(population, index) for index in shown)
        body = (
            f'{{"schemas":["{_LIST}"],"totalResults":{len(found)},"startIndex":{start + 1},'
            f'"itemsPerPage":{len(shown)},"Resources":[{resources}]}}'
        )
        return answered(200, body.encode(), kind=_SCIM)

    def _found(self, population: Population, text: str) -> Iterator[int]:
        for name, quoted in _TERMS.findall(text):
            value = json.loads(quoted) if "\\" in quoted else quoted[1:-1]
            index = _index(name, value, population.number)
            if index is None or index >= population.people or population.is_absent(index):
                continue
            if self._holds(population, index, name, value):
                yield index

    def _holds(self, population: Population, index: int, name: str, value: str) -> bool:
        user = self._changed.get((population.number, index))
        if user is not None:
            held = _HELD[name](user)
        elif name == "id":
            return value == f"s{index}"
        elif name == "externalId":
            return value == entra_id(population.number, index)
        else:
            held = Person(number=population.number, index=index).address
        if name == "id" or name.endswith((":idpIdentifier", "externalId")):
            return bool(held == value)
        return bool(held.casefold() == value.casefold())

    def _rendered(self, population: Population, index: int) -> str:
        user = self._changed.get((population.number, index))
        rendered = _untouched(population, index) if user is None else json.dumps(user)
        is_malformed = self._troubles.get(population.number) is Trouble.MALFORMED
        return malformed(rendered) if is_malformed else rendered

    def _user(self, population: Population, index: int) -> dict[str, Any]:
        user: dict[str, Any] = json.loads(self._rendered(population, index))
        return user

    def _patch(self, population: Population, index: int, request: Request) -> bytes:
        self.counts.add("patch")
        user = self._user(population, index)
        wanted = _IF_MATCH.search(request.head)
        version = user["meta"]["version"]
        if wanted is not None and wanted[1].decode() != version:
            return _error(412)
        changed = patched(user, json.loads(request.body)["Operations"])
        changed["meta"]["version"] = f'W/"{int(version[3:-1]) + 1}"'
        self._changed[population.number, index] = changed
        return _one(changed)

    def _wrong(self, number: int, moved: list[int]) -> list[int]:
        """Return the users that differ from Entra; `moved` has the users that moved in Entra, in order."""
        population = self._populations[number]
        all_users = range(population.people)
        return [
            index
            for index in all_users
            if not population.is_absent(index)
            and _stripped(self._user(population, index))
            != _stripped(json.loads(_rendered(Person(number=number, index=index, moves=moved.count(index)))))
        ]

    def _obey(self, request: Request) -> bytes:
        order = request.path.removeprefix(CONTROL)
        if order == "counts":
            return answered(200, json.dumps(self.counts.take()).encode())
        fields = json.loads(request.body)
        if order == "population":
            population = Population.from_json(fields)
            self._populations[population.number] = population
            self._troubles.pop(population.number, None)
            self._changed = {key: user for key, user in self._changed.items() if key[0] != population.number}
        elif order == "trouble":
            self._troubles[fields["number"]] = Trouble(fields["kind"])
        elif order == "hold":
            self.held = []
        elif order == "release":
            held, self.held = self.held or [], None
            for send in held:
                send()
        elif order == "latency":
            self.latency = fields["seconds"]
        elif order == "takes-post":
            self.takes_post = fields["taken"]
        elif order == "wrong":
            return answered(200, json.dumps(self._wrong(fields["number"], fields["moved"])).encode())
        return answered(204)


def _index(name: str, value: str, number: int) -> int | None:
    if name == "id":
        return int(value[1:]) if re.fullmatch(r"s\d{1,9}", value) else None
    return index_in_id(value, number) if name == "externalId" else index_in_address(value, number)


def _untouched(population: Population, index: int) -> str:
    """Return the JSON of an unchanged user, with an old address if Skolon's is stale."""
    # One move back: Skolon's address is the one before the last move.
    moves = -1 if population.is_stale(index) else 0
    return _rendered(Person(number=population.number, index=index, moves=moves))


def _rendered(person: Person) -> str:
    address = person.address
    return (
        f'{{"schemas":["{_USER}","{EXTENSION}"],"id":"s{person.index}",'
        f'"externalId":"{entra_id(person.number, person.index)}","userName":"{address}",'
        f'"name":{{"givenName":"{person.given}","familyName":"{person.family}"}},"active":true,'
        f'"emails":[{{"type":"work","value":"{address}"}}],'
        f'"phoneNumbers":[{{"type":"home","value":"{person.phone}"}},'
        f'{{"type":"mobile","value":"{person.phone}"}}],'
        f'"addresses":[{{"type":"home","streetAddress":"{person.street}","locality":"{person.city}",'
        f'"postalCode":"{person.postcode}"}}],'
        f'"{EXTENSION}":{{"eppn":"{address}","idpIdentifier":"{address}","birthDate":"2012-05-17"}},'
        f'"meta":{{"resourceType":"User","version":"W/\\"1\\""}}}}'
    )


def _stripped(user: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in user.items() if name != "meta"}


def _one(user: dict[str, Any]) -> bytes:
    return answered(200, json.dumps(user).encode(), kind=_SCIM, etag=user["meta"]["version"])


def _error(status: int) -> bytes:
    return answered(status, json.dumps({"schemas": [_ERROR], "status": str(status)}).encode(), kind=_SCIM)
