"""Graph's users and Entra's token endpoint, as far as a sync uses them."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from bench.stubs.http import CONTROL, Counts, answered
from bench.stubs.users import Person, Population, entra_id, index_in_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bench.stubs.http import Request

#: Graph's largest page of users, also of a delta that requests this size.
PAGE: Final = 999
#: Rendered pages in the cache, so that the next run gets them without delay.
_KEPT: Final = 512

_BEARER: Final = re.compile(rb"\r\nauthorization: bearer of-([0-9a-f-]{36})", re.IGNORECASE)
_USERS: Final = "/v1.0/users"
_KINDS: Final = {
    _USERS: "page",
    f"{_USERS}/$count": "count",
    f"{_USERS}/delta": "delta",
    "/v1.0/$batch": "batch",
}
_BIRTHDAY: Final = "2012-05-17T00:00:00Z"


class GraphStub:
    """The directories of all tenants; a token tells the tenant."""

    held: list[Callable[[], None]] | None = None

    def __init__(self) -> None:
        self.latency = 0.0
        self.counts = Counts()
        #: The stub's address, with which links to next pages begin.
        self.url = ""
        self._populations: dict[str, Population] = {}
        #: By directory, the users that have moved, in order; a delta's token is a position in it.
        self._moved: dict[str, list[int]] = {}
        self._page = lru_cache(maxsize=_KEPT)(self._rendered)

    def answer(self, request: Request) -> bytes:
        """Answer one request to Graph, or an order of the bench."""
        if request.path.startswith(CONTROL):
            return self._obey(request)
        population = self._population(request)
        return (
            _error(400, "InvalidAuthenticationToken")
            if population is None
            else self._graph(request, population)
        )

    def _graph(self, request: Request, population: Population) -> bytes:
        kind = _KINDS.get(request.path, "user")
        self.counts.add(kind)
        query = parse_qs(request.query)
        match kind:
            case "page":
                return self._page(population, query["$select"][0], int(query.get("$skiptoken", ["0"])[0]))
            case "count":
                return answered(200, str(population.people).encode(), kind="text/plain")
            case "delta":
                return self._delta(population, query)
            case "batch":
                return self._batch(population, json.loads(request.body)["requests"])
            case _:
                status, body = self._user(population, request.path.rpartition("/")[2], query)
                return answered(status, json.dumps(body).encode())

    def _population(self, request: Request) -> Population | None:
        bearer = _BEARER.search(request.head)
        return None if bearer is None else self._populations.get(bearer[1].decode())

    def _rendered(self, population: Population, select: str, start: int) -> bytes:
        end = min(start + PAGE, population.people)
        body = {"value": [self._selected(population, index, select) for index in range(start, end)]}
        if end < population.people:
            body["@odata.nextLink"] = f"{self.url}{_USERS}?$select={select}&$top={PAGE}&$skiptoken={end}"  # type: ignore[assignment] # JSON
        return answered(200, json.dumps(body).encode())

    def _selected(self, population: Population, index: int, select: str) -> dict[str, Any]:
        moves = self._moved[population.directory].count(index)
        person = Person(number=population.number, index=index, moves=moves).in_entra()
        return {name: person[name] for name in select.split(",")}

    def _user(self, population: Population, user_id: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        index = index_in_id(user_id, population.number)
        if index is None or index >= population.people:
            return 404, _error_body("Request_ResourceNotFound")
        wanted = [name for name in query["$select"][0].split(",") if name != "birthday"]
        user = self._selected(population, index, ",".join(wanted or ["id"]))
        return 200, {**user, "birthday": _BIRTHDAY}

    def _batch(self, population: Population, inner: Iterable[dict[str, str]]) -> bytes:
        answers = []
        for request in inner:
            self.counts.add("user in batch")
            path, _, query = request["url"].partition("?")
            status, body = self._user(population, path.rpartition("/")[2], parse_qs(query))
            answers.append({"id": request["id"], "status": status, "headers": {}, "body": body})
        return answered(200, json.dumps({"responses": answers}).encode())

    def _delta(self, population: Population, query: dict[str, list[str]]) -> bytes:
        select = query.get("$select", [""])[0]
        moved = self._moved[population.directory]
        token = query["$deltatoken"][0]
        if token == "latest":  # noqa: S105 - Graph's word for "from now on"
            since = len(moved)
        else:
            since, select = int(token.partition(".")[0]), token.partition(".")[2]
        users = [self._selected(population, index, select) for index in dict.fromkeys(moved[since:])]
        link = f"{self.url}{_USERS}/delta?$deltatoken={len(moved)}.{select}"
        return answered(200, json.dumps({"value": users, "@odata.deltaLink": link}).encode())

    def _obey(self, request: Request) -> bytes:
        order = request.path.removeprefix(CONTROL)
        if order == "counts":
            return answered(200, json.dumps(self.counts.take()).encode())
        fields = json.loads(request.body)
        if order == "latency":
            self.latency = fields["seconds"]
            return answered(204)
        if order == "population":
            population = Population.from_json(fields)
            self._populations[population.directory] = population
            self._moved[population.directory] = []
        elif order == "move":
            self._moved[entra_id(fields["number"], 0)].extend(fields["who"])
        self._page.cache_clear()
        return answered(204)


class EntraStub:
    """The token endpoint, over TLS because msal accepts no other; the token tells the directory."""

    latency = 0.0
    held: list[Callable[[], None]] | None = None

    def __init__(self, counts: Counts) -> None:
        self.url = ""
        self._counts = counts

    def answer(self, request: Request) -> bytes:
        """Answer with the tenant's metadata or a token for its directory."""
        directory = request.path.split("/")[1]
        self._counts.add("token")
        if request.method == "GET":
            place = f"{self.url}/{directory}"
            body = {
                "issuer": f"{place}/v2.0",
                "authorization_endpoint": f"{place}/oauth2/v2.0/authorize",
                "token_endpoint": f"{place}/oauth2/v2.0/token",
            }
        else:
            body = {"token_type": "Bearer", "expires_in": 3599, "access_token": f"of-{directory}"}  # type: ignore[dict-item] # JSON
        return answered(200, json.dumps(body).encode())


def _error_body(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": ""}}


def _error(status: int, code: str) -> bytes:
    return answered(status, json.dumps(_error_body(code)).encode())
