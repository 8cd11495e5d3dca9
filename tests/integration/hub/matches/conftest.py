"""A Data Hub over stand-ins, with matches that wait for a decision, a real RabbitMQ, and no producer."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from queues.brokers.factory import open_broker
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.dead_letter_reasons import Reason
from schemas.messages.messages import TENANT_SYNC_QUEUE, SyncRequest
from schemas.outcomes import Stage
from schemas.runs.collision import Collision
from schemas.runs.sync_result import Failure
from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from tests.integration.hub.browser import running_hub
from tests.integration.workers.identity.accounts import ADDRESS, DOMAIN, account, skolon_user
from tests.integration.workers.identity.test_match_decisions import ANNA, HAND_MADE
from tests.integration.workers.test_pipeline import directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devtools.services.rabbitmq import RabbitMQ
    from schemas.hub.session import AuditKind
    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

BO: Final = account(2, "Bo", "Berg", f"bo@{DOMAIN}")
BOS: Final = skolon_user("s2", "Bo", "Berg", f"bo@{DOMAIN}", externalId=BO["id"])

#: She claims the hand-made account too.
CLEO: Final = account(3, "Cleo", "Ceder", ADDRESS, userPrincipalName=f"cleo@{DOMAIN}")

#: Two users in Skolon have his EPPN.
DAN: Final = account(4, "Dan", "Dal", f"dan@{DOMAIN}")
TWINS: Final = [
    skolon_user(user_id, "Dan", "Dal", f"{user_id}@{DOMAIN}", own={"eppn": f"dan@{DOMAIN}"})
    for user_id in ("t1", "t2")
]


@dataclass(frozen=True, kw_only=True)
class Office:
    """The Data Hub, its database, the stand-ins, and what counts the requests in RabbitMQ."""

    hub: Hub
    store: Store
    made_up: Environment
    requested: Callable[[], int]

    def events(self, *kinds: AuditKind) -> list[tuple[AuditKind, str | None, str | None]]:
        """Return what the audit has of some kinds: with the users of Entra and Skolon."""
        entries = reversed(self.store.hub_audit.page([TENANT_KEY]).entries)
        return [(each.kind, each.user, each.skolon_id) for each in entries if each.kind in kinds]


@pytest.fixture(scope="module")
def _office(rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder, url = tmp_path_factory.mktemp("office"), rabbitmq.create_vhost()
    with serve_environment(tmp_path_factory.mktemp("world"), users=1) as made_up:
        made_up.skolon.fill(next(iter(made_up.skolon.organisations)), [HAND_MADE, BOS, *TWINS])
        for each in (ANNA, BO, CLEO, DAN):
            directory(made_up).add(each)
        env = database_environment(folder, **made_up.variables, UPDATE_SYNC_AMQP_URL=url)
        add_tenant(env, TENANT_KEY, dict(made_up.tenant))
        add_tenant(env, "annan", tenant_object(name="Annan kommun", organisation="annan"))
        with (
            running_hub(env, folder) as hub,
            closing(open_store(env)) as store,
            closing(open_broker(url)) as broker,
        ):
            fail(store)
            yield Office(
                hub=hub,
                store=store,
                made_up=made_up,
                requested=lambda: broker.depth(TENANT_SYNC_QUEUE).ready,
            )
    rabbitmq.delete_vhost(url)


def fail(store: Store) -> None:
    """Record a run in which Anna and Dan are left for a person to decide, and Cleo collides with Anna."""
    run = store.triggers.open(SyncRequest(tenant=TENANT_KEY), "asks").run.id
    collision = Collision(holder_entra_id=ANNA["id"], skolon_id="s1")
    failures = {
        ANNA["id"]: Failure(
            reason=Reason.SUSPICIOUS_MATCH, stage=Stage.MATCH, detail="first name differs", candidates=("s1",)
        ),
        CLEO["id"]: Failure(reason=Reason.COLLISION, stage=Stage.UPDATE, detail="kept", collision=collision),
        DAN["id"]: Failure(
            reason=Reason.AMBIGUOUS_MATCH, stage=Stage.MATCH, detail="two", candidates=("t1", "t2")
        ),
    }
    store.receipts.create_pending(run, list(failures))
    for user, failure in failures.items():
        store.receipts.mark_dead_lettered(run, user, failure, 1)
    store.runs.finish_reading(run)
    store.runs.complete_if_done(run)


@pytest.fixture
def office(_office: Office) -> Iterator[Office]:
    """Give the office without a decision."""
    yield _office
    for decision in _office.store.match_decisions.list(TENANT_KEY):
        _office.store.match_decisions.remove(TENANT_KEY, decision)
    _office.made_up.microsoft.faults.clear()
    _office.made_up.skolon.faults.clear()


@pytest.fixture(scope="module")
def administrator(_office: Office) -> Browser:
    return _office.hub.signed_in("Ada Ansvarig", "administrator", TENANT_KEY)


@pytest.fixture(scope="module")
def other(_office: Office) -> Browser:
    return _office.hub.signed_in("Åke Annan", "operator")
