"""Who could sign in by QR codes, and doubtful EPPNs: real runs, and the report over the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from cli.sandbox.in_process_sync import InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, Environment
from schemas.runs.sign_in import SignInMatch, ValueMatch
from tests.integration.workers.identity.accounts import DOMAIN, NUMBER, account, skolon_user
from tests.integration.workers.test_pipeline import directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemas.reports.data_quality import DataQualityReport

EXACT, CASE, DIFFERENT, BLANK = ValueMatch


@pytest.fixture
def sync(made_up: Environment, tmp_path: Path) -> Iterator[InProcessSync]:
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as together:
        (only,) = made_up.municipality.entra_users()
        directory(made_up).remove(only["id"])
        yield together


def put(made_up: Environment, *pairs: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Have these accounts in Entra, and for each the user in Skolon that is known by its id."""
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, [user | {"externalId": one["id"]} for one, user in pairs])
    for one, _ in pairs:
        directory(made_up).add(one)


def report(sync: InProcessSync) -> DataQualityReport:
    sync.run()
    found = sync.store.data_quality.last(TENANT_KEY, 10)
    assert found is not None
    return found


ANNA, BO, CY, DI = (f"{name}@{DOMAIN}" for name in ("anna", "bo", "cy", "di"))
IDS: Final = [account(number, "A", "B", ANNA)["id"] for number in range(1, 5)]


def four_users(made_up: Environment) -> None:
    """One is right, one in capital letters, one has another Idp identifier, one has nothing in Entra."""
    put(
        made_up,
        *(
            (
                account(number, "Ada", "Ek", address, onPremisesImmutableId=immutable, mail=mail),
                skolon_user(f"s{number}", "Ada", "Ek", held, own={"eppn": held, "idpIdentifier": idp}),
            )
            for number, address, mail, immutable, held, idp in (
                (1, ANNA, ANNA, "id-1==", ANNA, "id-1=="),
                (2, BO, BO, "id-2==", BO.capitalize(), "id-2=="),
                (3, CY, CY, "id-3==", CY, CY),
                (4, DI, None, None, DI, "id-4=="),
            )
        ),
    )


def test_who_would_be_locked_out(made_up: Environment, sync: InProcessSync) -> None:
    """Case alone is no change for the sync, and locks a user out of sign-in; nothing more is asked for it."""
    sync.store.tenants.change(
        TENANT_KEY,
        {"sources": {"idp_identifier": ["onPremisesImmutableId"], "eppn": ["mail", "userPrincipalName"]}},
    )
    four_users(made_up)
    found = report(sync).sign_in
    assert dict(found.email.counts) == {EXACT: 2, CASE: 1, BLANK: 1}
    # The third one's is written by the run.
    assert dict(found.idp_identifier.counts) == {EXACT: 3, BLANK: 1}
    assert found.locked_out == 2
    assert dict(found.users) == {
        IDS[1]: SignInMatch(email=CASE, idp_identifier=EXACT),
        IDS[3]: SignInMatch(email=BLANK, idp_identifier=BLANK),
    }


def test_what_another_source_would_change(made_up: Environment, sync: InProcessSync) -> None:
    """With the user principal name as the source, the identifiers of all differ from Entra's immutable id."""
    four_users(made_up)
    found = report(sync).sign_in
    assert dict(found.idp_identifier.counts) == {DIFFERENT: 3, BLANK: 1}
    assert found.idp_identifier.exact_share == 0


def test_a_trusted_receipt_passes_on_what_is_known(made_up: Environment, sync: InProcessSync) -> None:
    """A run that does not ask Skolon about a user tells what the last one found."""
    sync.store.tenants.change(TENANT_KEY, {"trust_receipts_days": 7})
    four_users(made_up)
    first = report(sync).sign_in
    again = report(sync)
    assert again.run.skipped_verified == 4
    assert again.sign_in == first


def test_doubtful_eppns_are_named(made_up: Environment, sync: InProcessSync) -> None:
    """An EPPN that is the mail of another user, one with a personal number, and one that has moved."""
    sync.store.tenants.change(TENANT_KEY, {"sources": {"eppn": ["userPrincipalName"]}})
    numbered = f"elev.{NUMBER[:8]}-{NUMBER[8:]}@{DOMAIN}"
    put(
        made_up,
        (account(1, "Ada", "Ek", ANNA), skolon_user("s1", "Ada", "Ek", ANNA)),
        (account(2, "Bo", "Al", BO, mail=ANNA), skolon_user("s2", "Bo", "Al", BO)),
        (account(3, "Cy", "Ask", numbered), skolon_user("s3", "Cy", "Ask", numbered)),
        (account(4, "Di", "Rönn", DI), skolon_user("s4", "Di", "Rönn", DI)),
    )
    first = report(sync)
    assert (first.eppn_is_mail.count, first.eppn_is_mail.users) == (1, [(IDS[0], IDS[1])])
    assert [user for user, _ in first.eppn_has_number.users] == [IDS[2]]
    assert first.eppn_moved.count == 0

    directory(made_up).change(IDS[3], {"userPrincipalName": f"di.ny@{DOMAIN}", "mail": None})
    sync.run()
    directory(made_up).change(IDS[2], {"userPrincipalName": f"di.ny@{DOMAIN}"})
    directory(made_up).change(IDS[3], {"userPrincipalName": DI})
    second = report(sync)
    assert second.eppn_moved.users == [(IDS[2], IDS[3])]
    assert second.eppn_has_number.count == 0
