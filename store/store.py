"""The database as one thing: what a process puts together once and hands to those who need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.outages import ALWAYS_OPEN, Passages
from store.beginnings import Beginnings
from store.change_sums import ChangesMade, Prospects
from store.changes import Changes
from store.claims import Claims
from store.confirmations import Confirmations
from store.database import Database
from store.guards import Guards
from store.lost_messages import LostMessages
from store.migrations.upgrade import check_upgraded, upgrade
from store.operations import Operations
from store.pages import Pages
from store.people import People
from store.pruning import Pruning
from store.readings import Readings
from store.receipts import Receipts
from store.replays import Replays
from store.run_seals import RunSeals
from store.run_warnings import RunWarnings
from store.runs import Runs
from store.schedules import Schedules
from store.sealed_values import SealedValues
from store.tenant_reports import TenantReports
from store.tenants import Tenants
from store.trials import Trials
from store.triggers import Triggers
from store.undos import Undos
from store.waits import Waits
from store.witnesses import Witnesses

if TYPE_CHECKING:
    from schemas.sealing import Sealer


class Store:
    """Runs, receipts and all that belongs to them, in one database; connects when it is first used."""

    def __init__(
        self,
        database_url: str,
        sealer: Sealer,
        *,
        pool_size: int = 6,
        passages: Passages = ALWAYS_OPEN,
    ) -> None:
        self.database = Database(database_url, pool_size=pool_size, passages=passages)
        self.tenants = Tenants(self.database, sealer)
        self.runs = Runs(self.database)
        self.triggers = Triggers(self.database, self.runs, sealer)
        self.trials = Trials(self.runs, self.tenants, sealer)
        self.schedules = Schedules(self.database)
        self.pages = Pages(self.database)
        self.guards = Guards(self.database)
        self.beginnings = Beginnings(self.database)
        self.claims = Claims(self.database, self.guards, sealer)
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
        self.undos = Undos(self.database, sealer)
        self.witnesses = Witnesses(self.database)
        self.seals = RunSeals(self.database, sealer)
        self.sealed_values = SealedValues(self.database, sealer)

    def upgrade(self) -> None:
        """Bring the tables to what this version of the sync needs."""
        upgrade(self.database)

    def check_upgraded(self) -> None:
        """Raise `OperatorError` when the tables are not those of this version."""
        check_upgraded(self.database)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
