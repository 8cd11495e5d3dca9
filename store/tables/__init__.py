"""The tables. `store/migrations` makes them; a test holds the two together."""

from __future__ import annotations

from typing import Final

from store.tables.columns import metadata
from store.tables.dead_letter_task import dead_letter_task_users, dead_letter_tasks, set_aside_groups
from store.tables.doubt import is_in_doubt, is_judgement, is_unconfirmed, most_telling_first, outranks
from store.tables.hub import (
    hub_actions,
    hub_api_tokens,
    hub_audit,
    hub_audit_tenants,
    hub_former_members,
    hub_invitations,
    hub_member_tenants,
    hub_members,
    hub_sessions,
)
from store.tables.mapping import mapping_changes, mapping_drafts
from store.tables.notification import (
    notification_deliveries,
    notification_settings,
    notifications,
    told_problems,
)
from store.tables.operation import operations
from store.tables.reading import READS_WHOLE_LIST, pages, read_plans
from store.tables.receipt import awaits_outcome, receipts
from store.tables.run import (
    IS_COMPLETE_SYNC,
    IS_FULL_SCOPE,
    IS_FULL_SCOPE_SYNC,
    guard_counts,
    is_full_scope,
    pruned_counts,
    run_keys,
    run_warnings,
    runs,
    triggers,
    waits,
)
from store.tables.tenant import (
    delta_links,
    failed_undos,
    match_decisions,
    skolon_capabilities,
    tenants,
    unresolved_users,
)

__all__ = [
    "ENCRYPTED_COLUMNS",
    "IS_COMPLETE_SYNC",
    "IS_FULL_SCOPE",
    "IS_FULL_SCOPE_SYNC",
    "READS_WHOLE_LIST",
    "awaits_outcome",
    "dead_letter_task_users",
    "dead_letter_tasks",
    "delta_links",
    "failed_undos",
    "guard_counts",
    "hub_actions",
    "hub_api_tokens",
    "hub_audit",
    "hub_audit_tenants",
    "hub_former_members",
    "hub_invitations",
    "hub_member_tenants",
    "hub_members",
    "hub_sessions",
    "is_full_scope",
    "is_in_doubt",
    "is_judgement",
    "is_unconfirmed",
    "mapping_changes",
    "mapping_drafts",
    "match_decisions",
    "metadata",
    "most_telling_first",
    "notification_deliveries",
    "notification_settings",
    "notifications",
    "operations",
    "outranks",
    "pages",
    "pruned_counts",
    "read_plans",
    "receipts",
    "run_keys",
    "run_warnings",
    "runs",
    "set_aside_groups",
    "skolon_capabilities",
    "tenants",
    "told_problems",
    "triggers",
    "unresolved_users",
    "waits",
]

#: All columns that hold what is sealed.
ENCRYPTED_COLUMNS: Final = tuple(
    column for table in metadata.sorted_tables for column in table.columns if column.info.get("encrypted")
)
