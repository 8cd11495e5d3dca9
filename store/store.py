"""The database as one thing: what a process puts together once and hands to those who need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.services import NO_BREAKER, Breakers
from store.changes.last_writes import WriteHistory
from store.changes.undo import UndoRecords
from store.database import Database
from store.dead_letters.set_aside_groups import SetAsideGroups
from store.dead_letters.tasks import DeadLetterTasks
from store.dead_letters.tried_users import TriedUsers
from store.encryption.encrypted_values import EncryptedValues
from store.encryption.message_cipher import MessageCipher
from store.hub.actions import HubActions
from store.hub.api_tokens import HubApiTokens
from store.hub.audit import HubAudit
from store.hub.invitations import HubInvitations
from store.hub.members import HubMembers
from store.hub.sessions import HubSessions
from store.maintenance.cleanups import Cleanups
from store.maintenance.operations import Operations
from store.maintenance.pruning import Pruning
from store.notifications.deliveries import NotificationDeliveries
from store.notifications.outbox import NotificationOutbox
from store.notifications.settings import NotificationSettingsStore
from store.receipts.claims import Claims
from store.receipts.delta_receipts import DeltaReceipts
from store.receipts.lost_messages import LostMessages
from store.receipts.peer_progress import PeerProgress
from store.receipts.receipts import Receipts
from store.receipts.replays import Replays
from store.receipts.verifications import Verifications
from store.receipts.work_items import WorkItems
from store.report_cache import ReportCache
from store.reports.data_quality import DataQualityReports
from store.reports.failures import FailureReports
from store.reports.mapping.comparisons import MappingComparisons
from store.reports.mapping.source_facts import SourceFactReports
from store.reports.open_failures import OpenFailures
from store.reports.pending_matches import PendingMatchReports
from store.reports.scope_changes import ScopeChanges
from store.reports.scope_exits import ScopeExitReports
from store.reports.tenant_overview import TenantOverviews
from store.reports.users import UserHistory
from store.runs.change_totals import ChangeTotals, Forecasts
from store.runs.delta_state import DeltaState
from store.runs.guard_counters import GuardCounters
from store.runs.kept_blanks import KeptBlankTotals
from store.runs.pages import Pages
from store.runs.run_warnings import RunWarnings
from store.runs.runs import Runs
from store.runs.triggers import Triggers
from store.runs.unresolved_users import UnresolvedUsers
from store.runs.waits import Waits
from store.tenants.connections import TenantConnections
from store.tenants.failed_undos import FailedUndos
from store.tenants.mapping_changes import MappingChanges
from store.tenants.mapping_drafts import MappingDrafts
from store.tenants.match_decisions import MatchDecisionStore
from store.tenants.schedule_pauses import SchedulePauses
from store.tenants.schedules import Schedules
from store.tenants.settings_overrides import SettingsOverrides
from store.tenants.shared_organisations import SharedOrganisations
from store.tenants.skolon_capabilities import SkolonCapabilities
from store.tenants.tenants import Tenants

if TYPE_CHECKING:
    from schemas.crypto.encryption import FieldCipher


class Store:
    """Runs, receipts and all that belongs to them, in one database; connects when it is first used."""

    def __init__(  # noqa: PLR0915 - one for each part
        self,
        database_url: str,
        cipher: FieldCipher,
        *,
        pool_size: int = 6,
        breakers: Breakers = NO_BREAKER,
    ) -> None:
        self.database = Database(database_url, pool_size=pool_size, breakers=breakers)
        self.tenants = Tenants(self.database, cipher)
        self.tenant_connections, self.shared_organisations = (
            TenantConnections(self.database),
            SharedOrganisations(self.database),
        )
        self.mapping_drafts, self.mapping_changes = (
            MappingDrafts(self.database),
            MappingChanges(self.database),
        )
        self.match_decisions = MatchDecisionStore(self.database)
        self.failed_undos = FailedUndos(self.database)
        #: What it remembers is right; only a process that is asked again and again enables it.
        self.report_cache = ReportCache()
        self.runs = Runs(self.database, self.report_cache)
        self.triggers = Triggers(self.database, self.runs, cipher)
        self.settings_overrides = SettingsOverrides(self.runs, self.tenants, cipher)
        self.schedules = Schedules(self.database)
        self.schedule_pauses = SchedulePauses(self.database, cipher)
        self.pages = Pages(self.database)
        self.guard_counters = GuardCounters(self.database)
        self.work_items = WorkItems(self.database)
        self.claims = Claims(self.database, self.guard_counters, cipher)
        self.receipts = Receipts(self.database, self.guard_counters)
        self.change_totals = ChangeTotals(self.database, self.report_cache)
        self.forecasts = Forecasts(self.database)
        self.delta_state = DeltaState(self.database)
        self.unresolved_users = UnresolvedUsers(self.database)
        self.delta_receipts = DeltaReceipts(self.database, self.receipts)
        self.replays = Replays(self.database, self.report_cache)
        self.operations = Operations(self.database)
        self.cleanups = Cleanups(self.database)
        self.dead_letter_tasks = DeadLetterTasks(self.database, cipher)
        self.tried_users = TriedUsers(self.database)
        self.set_aside_groups = SetAsideGroups(self.database, cipher)
        self.run_warnings = RunWarnings(self.database)
        self.kept_blanks = KeptBlankTotals(self.database)
        self.verifications = Verifications(self.database)
        self.waits = Waits(self.database)
        self.lost_messages = LostMessages(self.database)
        self.user_history = UserHistory(self.database)
        self.tenant_overviews = TenantOverviews(self.database, self.report_cache)
        self.failures = FailureReports(self.database, self.report_cache)
        self.open_failures = OpenFailures(self.database, self.report_cache)
        self.scope_changes = ScopeChanges(self.database, self.report_cache)
        self.scope_exits = ScopeExitReports(self.database, self.report_cache)
        self.mapping_comparisons = MappingComparisons(self.database)
        self.source_facts = SourceFactReports(self.database, self.report_cache)
        self.pending_matches = PendingMatchReports(self.database)
        self.data_quality = DataQualityReports(self.database, self.runs, self.report_cache)
        self.pruning = Pruning(self.database)
        self.undo_records = UndoRecords(self.database, cipher)
        self.write_history = WriteHistory(self.database, cipher)
        self.peer_progress = PeerProgress(self.database)
        self.message_cipher = MessageCipher(self.database, cipher)
        self.hub_members = HubMembers(self.database, cipher)
        self.hub_invitations = HubInvitations(self.database)
        self.hub_sessions = HubSessions(self.database)
        self.hub_actions = HubActions(self.database)
        self.hub_api_tokens = HubApiTokens(self.database, cipher)
        self.hub_audit = HubAudit(self.database)
        self.notification_settings = NotificationSettingsStore(self.database, cipher)
        self.notification_outbox = NotificationOutbox(self.database, cipher)
        self.notification_deliveries = NotificationDeliveries(self.database, cipher)
        self.encrypted_values = EncryptedValues(self.database, cipher)

    def skolon_capabilities(self, server: str) -> SkolonCapabilities:
        """Return what was found out about the organisations of a server, given by its base URL."""
        return SkolonCapabilities(self.database, server)

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
