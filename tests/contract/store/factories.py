"""A made-up municipality's books: the values that the store's tests begin from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

from devtools.commands import wait_for
from schemas.dead_letter_reasons import Reason
from schemas.messages.messages import SyncRequest, TenantPage
from schemas.outcomes import Mode, NotFoundReason, Outcome, Stage
from schemas.runs.sync_result import Failure, SyncResult
from schemas.tenants.tenant import load_tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

    from schemas.runs.run import Run
    from schemas.tenants.tenant import Tenant
    from store.store import Store

TENANT = "exempelkommun"
CLIENT_SECRET = "hemligt-men-uppdiktat"  # noqa: S105 - made up

#: Seconds. No thread of a test may wait longer for the others.
TOGETHER = 30

#: Of a connection's database: those who wait for somebody else's lock.
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)

Result = TypeVar("Result")


def tenant(key: str = TENANT, **settings: object) -> Tenant:
    """Return a municipality with the settings given."""
    values = {
        "name": "Exempelkommun",
        "entra_tenant_id": "00000000-0000-0000-0000-00000000d1ec",
        "client_id": "00000000-0000-0000-0000-0000000000a9",
        "client_secret": CLIENT_SECRET,
        "organisation": "exempel",
    }
    return load_tenant(key, {**values, **settings})[0]


def request(
    key: str = TENANT, *, mode: Mode = Mode.FULL, dry_run: bool = False, users: Sequence[str] = ()
) -> SyncRequest:
    """Return what a trigger asks for."""
    return SyncRequest(tenant=key, mode=mode, dry_run=dry_run, users=tuple(users))


def page(run: Run, number: int = 1, link: str | None = None, *, attempt: int = 1) -> TenantPage:
    """Return a page of a run."""
    return TenantPage(tenant=run.tenant, run=run.id, attempt=attempt, number=number, link=link)


def begin_run(
    store: Store, event: str, *users: str, dry_run: bool = False, key: str = TENANT, quick: bool = False
) -> Run:
    """Open a run and publish users in it, whom a quick one names."""
    wanted = request(key, dry_run=dry_run, users=users if quick else ())
    run = store.triggers.open(wanted, event).run
    store.receipts.create_pending(run.id, users)
    return run


def complete(store: Store, run: Run) -> None:
    """End a run in which no user was found."""
    for user in store.runs.pending_users(run.id):
        store.receipts.finish(run.id, user, result(Outcome.NOT_FOUND))
    store.runs.finish_reading(run.id)
    assert store.runs.complete_if_done(run.id)


def result(outcome: Outcome, skolon_id: str | None = None) -> SyncResult:
    """Return what a worker says of a user."""
    reason = NotFoundReason.NO_MATCH if outcome is Outcome.NOT_FOUND else None
    return SyncResult(outcome=outcome, skolon_id=skolon_id, not_found_reason=reason)


def dead_letter(reason: Reason = Reason.INVALID_USER) -> Failure:
    """Return why a user is a dead letter."""
    return Failure(reason=reason, stage=Stage.VALIDATE, detail="eppn: not one @")


def run_concurrently(*actions: Callable[[], Result]) -> list[Result | Exception]:
    """Do things in threads that begin together; return what each returned or raised, in order."""
    barrier = Barrier(len(actions))

    def run(action: Callable[[], Result]) -> Result | Exception:
        barrier.wait(TOGETHER)
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - the tests look at whatever it is
            return error

    with ThreadPoolExecutor(len(actions)) as threads:
        futures = [threads.submit(run, action) for action in actions]
        return [future.result(TOGETHER) for future in futures]


def wait_for_lock_waiters(connection: psycopg.Connection, number: int = 1) -> None:
    """Return once so many wait for a lock on PostgreSQL; the connection must commit by itself."""

    def all_wait() -> bool:
        row = connection.execute(_WAITING).fetchone()
        return row is not None and row[0] >= number

    wait_for(all_wait, f"the wait of {number} for a lock")


def before_image(store: Store, run_id: int, entra_id: str) -> dict[str, str | None]:
    """Return the values from before the run changed them, by attribute name, as an undo of it reads them."""
    found = store.undo_records.load(run_id, entra_id, before=run_id + 1)
    return {} if found is None else {str(name): value for name, value in found.written.before_image.items()}
