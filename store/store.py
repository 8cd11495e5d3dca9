"""The database as one thing: what a process puts together once and hands to those who need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.services import NO_BREAKER, Breakers
from store.database import Database
from store.encryption.encrypted_values import SealedValues
from store.encryption.run_messages import RunSeals
from store.maintenance.operations import Operations
from store.maintenance.pruning import Pruning
from store.receipts.claims import Claims
from store.receipts.delta_receipts import Changes
from store.receipts.lost_messages import LostMessages
from store.receipts.receipts import Receipts
from store.receipts.replays import Replays
from store.receipts.verifications import Confirmations
from store.receipts.witnesses import Witnesses
from store.receipts.work_items import Beginnings
from store.reports.data_quality import TenantReports
from store.reports.users import People
from store.runs.change_totals import ChangesMade, Prospects
from store.runs.delta_state import Readings
from store.runs.guard_counters import Guards
from store.runs.pages import Pages
from store.runs.run_warnings import RunWarnings
from store.runs.runs import Runs
from store.runs.triggers import Triggers
from store.runs.undo import Undos
from store.runs.waits import Waits
from store.tenants.schedules import Schedules
from store.tenants.settings_overrides import Trials
from store.tenants.tenants import Tenants

if TYPE_CHECKING:
    from schemas.crypto.encryption import FieldCipher


class Store:
    """Runs, receipts and all that belongs to them, in one database; connects when it is first used."""

    def __init__(
        self,
        database_url: str,
        cipher: FieldCipher,
        *,
        pool_size: int = 6,
        breakers: Breakers = NO_BREAKER,
    ) -> None:
        self.database = Database(database_url, pool_size=pool_size, breakers=breakers)
        self.tenants = Tenants(self.database, cipher)
        self.runs = Runs(self.database)
        self.triggers = Triggers(self.database, self.runs, cipher)
        self.trials = Trials(self.runs, self.tenants, cipher)
        self.schedules = Schedules(self.database)
        self.pages = Pages(self.database)
        self.guards = Guards(self.database)
        self.beginnings = Beginnings(self.database)
        self.claims = Claims(self.database, self.guards, cipher)
        self.receipts = Receipts(self.database)
        self.changes_made = ChangesMade(self.database)
        self.prospects = Prospects(self.database)
        self.readings = Readings(self.database)
        self.changes = Changes(self.database, self.receipts)
        self.replays = Replays(self.database)
        self.operations = Operations(self.database)
        self.run_warnings = RunWarnings(self.database)
        self.confirmations = Confirmations(self.database)
        self.waits = Waits(self.database)
        self.lost_messages = LostMessages(self.database)
        self.people = People(self.database)
        self.tenant_reports = TenantReports(self.database, self.runs)
        self.pruning = Pruning(self.database)
        self.undos = Undos(self.database, cipher)
        self.witnesses = Witnesses(self.database)
        self.seals = RunSeals(self.database, cipher)
        self.sealed_values = SealedValues(self.database, cipher)

    def upgrade(self) -> None:
        """Bring the tables to what this version of the sync needs."""
        from store.migrations.upgrade import upgrade  # noqa: PLC0415 - alembic is slow to import

        upgrade(self.database)

    def check_upgraded(self) -> None:
        """Raise `OperatorError` when the tables are not those of this version."""
        from store.migrations.upgrade import check_upgraded  # noqa: PLC0415 - alembic is slow to import

        check_upgraded(self.database)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
