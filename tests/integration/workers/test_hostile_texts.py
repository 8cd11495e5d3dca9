"""Texts that no database, no header and no UTF-8 takes, out of Graph's and Skolon's real answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.environment import Environment, serve_environment
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome, Status
from tests.integration.workers.test_pipeline import counts, dead_letters, directory, stranger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from cli.sandbox.in_process_sync import InProcessSync

PEOPLE = 50


class Rewriting:
    """A WSGI layer around the stand-ins that replaces bytes in what they answer."""

    def __init__(self) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []

    def around(self, application: WSGIApplication) -> WSGIApplication:
        def rewritten(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            kept: list[Any] = []

            def keep(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
                kept[:] = [status, [each for each in headers if each[0].lower() != "content-length"]]
                return None

            body = b"".join(application(environ, keep))
            for old, new in self.pairs:
                body = body.replace(old, new)
            start_response(kept[0], [*kept[1], ("Content-Length", str(len(body)))])
            return [body]

        return rewritten


@pytest.fixture
def rewriting() -> Rewriting:
    return Rewriting()


@pytest.fixture
def made_up(tmp_path: Path, rewriting: Rewriting) -> Iterator[Environment]:
    with serve_environment(tmp_path, users=PEOPLE, around=rewriting.around) as served:
        yield served


def test_half_a_surrogate_of_graphs_is_that_users_matter(
    made_up: Environment, sync: InProcessSync, rewriting: Rewriting
) -> None:
    """Where it is not used it harms nobody; in a name, or as an id, it is one dead letter."""
    user = "00000000-0000-4000-8000-000000000001"
    for properties in ({"id": user, "givenName": "HALF"}, {"id": "HALF"}):
        directory(made_up).add(stranger(**properties))
    rewriting.pairs += [
        (b'"givenName":"HALF"', b'"givenName":"\\ud800"'),
        (b'"id":"HALF"', b'"id":"\\ud800"'),
        (b'"givenName":', b'"displayName":"\\ud800\\u0000","givenName":'),
    ]

    summary = sync.run()

    expected = dict(made_up.municipality.expected_outcomes("first"))
    expected["dead_lettered"] = expected.get("dead_lettered", 0) + 2
    assert (summary.run.status, counts(summary)) == (Status.COMPLETED, expected)
    assert made_up.wrong_users() == []
    found = {
        dead_letter["kwargs"]["user"]: dead_letter["options"]["update_sync"]["reason"]
        for dead_letter in dead_letters(sync)
    }
    assert found[user] == Reason.INVALID_USER
    assert [reason for name, reason in found.items() if name.startswith("no-id-")] == [Reason.INVALID_USER]


@pytest.mark.parametrize(
    ("prop", "is_used"),
    [
        ("mail", True),
        ("userPrincipalName", True),
        ("surname", True),
        ("otherMails", False),
        ("extensionAttribute7", False),
        ("extensionAttribute15", False),
        ("jobTitle", False),
    ],
)
def test_half_a_surrogate_counts_only_where_it_is_used(
    made_up: Environment,
    sync: InProcessSync,
    rewriting: Rewriting,
    prop: str,
    *,
    is_used: bool,
) -> None:
    """Row 18: in a property that fills no attribute it changes nothing, nor in one that excludes users."""
    person = next(each for each in made_up.municipality if each.outcome == "updated")
    user = dict(person.entra)
    text = "HALF@half.example"
    if prop.startswith("extension"):
        user["onPremisesExtensionAttributes"] = {
            **(user.get("onPremisesExtensionAttributes") or {}),
            prop: text,
        }
    else:
        user[prop] = [text] if prop == "otherMails" else text
    directory(made_up).change(user["id"], user)
    rewriting.pairs += [(b"HALF@half", b"\\ud83d@half")]

    summary = sync.run()

    receipt = sync.store.receipts.get(summary.run.id, user["id"])
    assert receipt is not None
    assert summary.run.status is Status.COMPLETED
    if is_used:
        assert (receipt.outcome, receipt.reason) == (Outcome.DEAD_LETTERED, Reason.INVALID_USER)
    else:
        assert receipt.outcome is Outcome.UPDATED
    assert summary.published == PEOPLE


UNFIT = [
    b'"id": "%s\\u0000"',
    b'"id": "%s\\ud800"',
    b'"id": "%s' + b"x" * 256 + b'"',
]


@pytest.mark.parametrize("form", UNFIT)
def test_an_id_of_skolons_that_cannot_be_kept_is_that_users_matter(
    made_up: Environment, sync: InProcessSync, rewriting: Rewriting, form: bytes
) -> None:
    """Who has such an id is one dead letter; everybody else of the same searches is brought up to date."""
    skolon_id = next(
        str(each.claims) for each in made_up.municipality if each.outcome == "unchanged" and each.claims
    )
    old = b'"id": "%s"' % skolon_id.encode()
    new = form % skolon_id.encode()
    rewriting.pairs += [(old, new), (old.replace(b": ", b":"), new)]

    summary = sync.run()

    expected = dict(made_up.municipality.expected_outcomes("first"))
    expected["unchanged"] -= 1
    expected["dead_lettered"] += 1
    assert (summary.run.status, counts(summary)) == (Status.COMPLETED, expected)
    assert summary.reasons[Reason.REJECTED_BY_SKOLON] == 1
    assert made_up.wrong_users() == []
    assert summary.counts[Outcome.PENDING] == 0
