"""Row 4 of who is who: the stronger key wins in any order of messages. All people are made up."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any, Final

import pytest

from cli.sandbox.in_process_sync import InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, Environment
from sandbox.microsoft.http_messages import Kind
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome
from tests.integration.workers.identity.accounts import account, skolon_user, values
from tests.integration.workers.test_pipeline import directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture
def sync(made_up: Environment, tmp_path: Path) -> Iterator[InProcessSync]:
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as together:
        together.store.tenants.change(TENANT_KEY, {"scope": {"members_only": False}})
        yield together


TEACHER: Final = account(1, "Eva", "Berg", "eva.berg@k.example")

#: Accounts of the same person, each with a weaker match than the teacher's.
GUEST: Final = account(
    2, "Eva", "Berg", "eva_skola.example#EXT#@k.example", mail="eva@skola.example", userType="Guest"
)
SECOND: Final = account(3, "Eva", "Berg", "eva.2@k.example", mail="eva@skola.example")
SHARING: Final = account(0, "Eva", "Berg", "eva.0@k.example", mail=None, otherMails=["eva.berg@k.example"])

EVA: Final = skolon_user(
    "s1",
    "Eva",
    "Berg",
    "eva.berg@k.example",
    emails=[{"value": "eva@skola.example", "type": "work", "primary": True}],
)


def fill(made_up: Environment, accounts: Sequence[dict[str, Any]], *users: dict[str, Any]) -> None:
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, users)
    present = directory(made_up)
    for each in accounts:
        if present.get(each["id"]) is None:
            present.add(each)


@pytest.mark.parametrize("weaker", [GUEST, SECOND, SHARING], ids=["guest", "by e-mail", "shared address"])
def test_the_stronger_key_wins_in_any_order(
    made_up: Environment, sync: InProcessSync, weaker: dict[str, Any]
) -> None:
    """In one run, in two runs in either order, and if only the weaker one is in the run."""
    accounts = [TEACHER, weaker]
    every = tuple(each["id"] for each in accounts)
    for batches in ([every], [every[:1], every[1:]], [every[1:], every[:1]]):
        fill(made_up, accounts, EVA)
        for batch in batches:
            sync.run(users=batch)
        assert values(made_up, "s1")["externalId"] == TEACHER["id"]
    fill(made_up, accounts, EVA)
    run = sync.run(users=(weaker["id"],)).run
    receipt = sync.store.receipts.get(run.id, weaker["id"])
    assert receipt is not None
    assert receipt.reason is Reason.COLLISION
    assert receipt.collision is not None
    assert receipt.collision.holder_entra_id == TEACHER["id"]
    assert values(made_up, "s1") == EVA


def test_three_accounts_of_one_person(made_up: Environment, sync: InProcessSync) -> None:
    """All orders, each split at each place into two runs, leave the same state in Skolon."""
    accounts = [TEACHER, GUEST, SECOND]
    for order in permutations(each["id"] for each in accounts):
        for split in range(len(order)):
            fill(made_up, accounts, EVA)
            for batch in filter(None, (order[:split], order[split:])):
                sync.run(users=batch)
            assert values(made_up, "s1")["externalId"] == TEACHER["id"], (order, split)


@pytest.mark.parametrize(
    "left", [{"accountEnabled": False}, {"givenName": "Bo", "surname": "Ek"}], ids=["disabled", "no evidence"]
)
def test_a_stronger_key_of_an_account_that_does_not_count(
    made_up: Environment, sync: InProcessSync, left: dict[str, Any]
) -> None:
    """An account that is not synced, or that is another person, holds up no one."""
    fill(made_up, [{**TEACHER, **left}, SECOND], EVA)
    assert sync.run(users=(SECOND["id"],)).counts[Outcome.UPDATED] == 1
    assert values(made_up, "s1")["externalId"] == SECOND["id"]


def test_an_account_with_a_skolon_user_of_its_own_takes_no_other(
    made_up: Environment, sync: InProcessSync
) -> None:
    """The stronger key finds the teacher, who is another Skolon user by External Id."""
    own = skolon_user("s2", "Eva", "Berg", "eva@gammal.example", externalId=TEACHER["id"])
    fill(made_up, [TEACHER, SECOND], EVA, own)
    assert sync.run(users=(SECOND["id"],)).counts[Outcome.UPDATED] == 1
    assert values(made_up, "s1")["externalId"] == SECOND["id"]


def test_an_eppn_out_of_an_extension_attribute(made_up: Environment, sync: InProcessSync) -> None:
    """Graph takes that filter with a header and `$count` alone."""
    sync.store.tenants.change(TENANT_KEY, {"sources": {"eppn": ["extensionAttribute9"]}})
    eppn = {"onPremisesExtensionAttributes": {"extensionAttribute9": "eva.berg@k.example"}}
    teacher = account(1, "Eva", "Berg", "eva.1@k.example", **eppn)
    fill(made_up, [teacher, SECOND], EVA | {"userName": "another"})
    assert sync.run(users=(SECOND["id"],)).counts[Outcome.DEAD_LETTERED] == 1
    assert values(made_up, "s1")["userName"] == "another"


def test_a_match_by_the_strongest_key_asks_for_no_other(made_up: Environment, sync: InProcessSync) -> None:
    """Neither does an own External Id: a user that is unchanged costs Graph nothing more."""
    fill(made_up, [TEACHER, SECOND], EVA)
    made_up.microsoft.requests.reset()
    assert sync.run(users=(TEACHER["id"],)).counts[Outcome.UPDATED] == 1
    assert sync.run(users=(TEACHER["id"],)).counts[Outcome.UNCHANGED] == 1
    assert f"batched {Kind.USERS}" not in made_up.microsoft.requests.counts()
    fill(made_up, [], EVA)
    sync.run(users=(SECOND["id"],))
    assert made_up.microsoft.requests.counts()[f"batched {Kind.USERS}"] == 1
