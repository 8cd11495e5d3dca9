"""Servers that answer a PATCH with 202 and nothing: runs in, Skolon's end state out. All are made up."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from devtools.odd_servers.oddities import Oddities, UpdateOddity
from devtools.odd_servers.organisation import OddOrganisation, odd_organisation
from sandbox.municipality.municipality import Municipality
from schemas.outcomes import Outcome, Status
from schemas.runs.run import WarningKind
from schemas.users.attributes import Attribute
from tests.integration.workers.servers.syncing import PEOPLE, syncing_with

if TYPE_CHECKING:
    from pathlib import Path
    from wsgiref.types import WSGIEnvironment

    from cli.sandbox.in_process_sync import InProcessSync
    from devtools.odd_servers.organisation import Answer

ACCEPTS: Final[Oddities] = frozenset({UpdateOddity.ACCEPTED})
ACCEPTS_TELEPHONES: Final[Oddities] = frozenset({UpdateOddity.ACCEPTED, UpdateOddity.TELEPHONE_URIS})
#: Users that are dead letters for one attribute, and are told in each run what has become of another.
DEAD_LETTERS: Final = Municipality(PEOPLE).expected_outcomes("first")["dead_lettered"]
TELEPHONES: Final = {Attribute.HOME_PHONE, Attribute.MOBILE_PHONE}


@dataclass
class Later(OddOrganisation):
    """A server that accepts each PATCH, and carries it out when `carry_out` is called."""

    accepted: list[tuple[dict[str, Any], bytes, str]] = field(default_factory=list)

    def _patch(self, environ: WSGIEnvironment, user: dict[str, Any]) -> Answer:
        self.patches += 1
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.accepted.append((dict(environ), body, user["id"]))
        return "202 Accepted", {}, b""

    def carry_out(self) -> None:
        for environ, body, user_id in self.accepted:
            super()._patch({**environ, "wsgi.input": io.BytesIO(body)}, self._by_id[user_id])
        self.accepted.clear()


def later(municipality: Municipality, oddities: Oddities) -> Later:
    return Later(odd_organisation(municipality, oddities).documents, oddities)


def run(sync: InProcessSync, server: OddOrganisation) -> tuple[int, int, set[Attribute], int]:
    """Check all users; return PATCHes, updated users, attributes that are not taken, and users warned of."""
    patches = server.patches
    summary = sync.run(recheck_all=True)
    assert summary.run.status is Status.COMPLETED
    altered = {name for receipt in sync.store.receipts.list(summary.run.id) for name in receipt.altered}
    warned = sum(each.users or 0 for each in summary.warnings if each.kind is WarningKind.VALUES_ALTERED)
    return server.patches - patches, summary.counts[Outcome.UPDATED], altered, warned


def test_telephones_in_another_form_are_written_once(tmp_path: Path) -> None:
    """What the server keeps in another form is known after the first run, and said of each user once.

    Of a number that is the same in both forms the first run cannot tell whether the change is still to come.
    """
    with syncing_with(partial(odd_organisation, oddities=ACCEPTS_TELEPHONES), tmp_path) as (server, _, sync):
        patches, updated, altered, changed_numbers = run(sync, server)
        assert patches >= updated > changed_numbers > 0
        assert altered == TELEPHONES
        patches, updated, altered, same_numbers = run(sync, server)
        assert (patches, updated, altered) == (0, 0, TELEPHONES)
        with_numbers = sum(bool(user.get("phoneNumbers")) for user in server.documents.values())
        assert changed_numbers + same_numbers <= with_numbers
        assert run(sync, server) == (0, 0, TELEPHONES, 0)


def test_what_is_never_carried_out_is_written_once(tmp_path: Path) -> None:
    """The first run believes the server. The second one sees that nothing has come of it, and says so."""
    with syncing_with(partial(later, oddities=ACCEPTS), tmp_path) as (server, _, sync):
        accepted, updated, altered, warned = run(sync, server)
        assert accepted >= updated > 0
        assert (altered, warned) == (set(), 0)
        patches, updated, altered, warned = run(sync, server)
        assert (patches, updated) == (0, 0)
        assert 0 < warned <= accepted
        assert Attribute.FIRST_NAME in altered
        *third, warned = run(sync, server)
        assert third == [0, 0, altered]
        assert warned <= DEAD_LETTERS


def test_what_is_carried_out_later_is_an_update(tmp_path: Path) -> None:
    """The next run finds the users as they should be. What another program changes then is written."""
    with syncing_with(partial(later, oddities=ACCEPTS), tmp_path) as (server, made_up, sync):
        assert isinstance(server, Later)
        assert run(sync, server)[1] > 0
        server.carry_out()
        assert run(sync, server) == (0, 0, set(), 0)
        person = next(each for each in made_up.municipality if each.outcome == "updated" and each.claims)
        server.documents[str(person.claims)]["name"]["givenName"] = "Annan"
        assert run(sync, server) == (1, 1, set(), 0)


def test_another_form_that_shows_later_is_written_twice(tmp_path: Path) -> None:
    """Another program may have written it after the first run. After the second one it is known."""
    with syncing_with(partial(later, oddities=ACCEPTS_TELEPHONES), tmp_path) as (server, _, sync):
        assert isinstance(server, Later)
        run(sync, server)
        server.carry_out()
        patches, updated, _, same_numbers = run(sync, server)
        assert patches >= updated > 0
        server.carry_out()
        patches, updated, altered, warned = run(sync, server)
        assert (patches, updated, altered) == (0, 0, TELEPHONES)
        assert warned > 0
        *fourth, warned = run(sync, server)
        assert fourth == [0, 0, TELEPHONES]
        assert warned <= DEAD_LETTERS
        assert same_numbers > 0
