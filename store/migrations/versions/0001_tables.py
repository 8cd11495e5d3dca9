"""All tables, as the first release needs them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.migrations.dead_letter_tables import create_dead_letter_tables
from store.migrations.decision_tables import create_decision_tables
from store.migrations.foreign_keys import belongs_to
from store.migrations.hub_tables import create_hub_tables
from store.migrations.mapping_tables import create_mapping_tables
from store.migrations.notification_tables import create_notification_tables
from store.migrations.partial_indexes import create_partial_index

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "operations",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=True),
        sa.Column("selection", sa.JSON(), nullable=False),
        sa.Column("original_payload", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_operations_task_id", "operations", ["task_id"], unique=False)
    op.create_table(
        "skolon_capabilities",
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("server", "organisation", "name", name=op.f("pk_skolon_capabilities")),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=63), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("client_secret", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_secret_set", sa.DateTime(timezone=True), nullable=True),
        sa.Column("client_secret_set_by", sa.String(length=100), nullable=True),
        sa.Column("connection_proven", sa.DateTime(timezone=True), nullable=True),
        sa.Column("schedule_active_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("schedule_last_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("schedule_published", sa.DateTime(timezone=True), nullable=True),
        sa.Column("schedule_paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("schedule_paused_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("schedule_pause_reason", sa.Text(), nullable=True),
        sa.Column("schedule_paused_by", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("key", name=op.f("uq_tenants_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "delta_links",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("mapping_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("saved", sa.DateTime(timezone=True), nullable=False),
        belongs_to("delta_links", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_delta_links")),
    )
    op.create_table(
        "unresolved_users",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("entra_id", sa.String(length=100), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        belongs_to("unresolved_users", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("tenant_id", "entra_id", name=op.f("pk_unresolved_users")),
    )
    op.create_index(
        "ix_unresolved_users_tried_at",
        "unresolved_users",
        ["tenant_id", "tried_at", "entra_id"],
        unique=False,
    )
    create_decision_tables()
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("users", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempt", sa.Integer(), nullable=False),
        sa.Column("listing_complete", sa.Boolean(), nullable=False),
        sa.Column("read_all_users", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("directory_size", sa.Integer(), nullable=True),
        sa.Column("settings_override", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("guard_overridden", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reverts_run_id", sa.Integer(), nullable=True),
        sa.Column("recheck_all", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_quick", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cleaned_up", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        belongs_to("runs", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_tenant_id", "runs", ["tenant_id"], unique=False)
    create_partial_index(
        "uq_runs_open",
        "runs",
        ["tenant_id"],
        "status IN ('reading', 'updating') AND settings_override IS NULL AND NOT is_quick",
        unique=True,
    )
    op.create_table(
        "guard_counts",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("identity_changed", sa.Integer(), nullable=False),
        sa.Column("not_found", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("left_scope", sa.Integer(), nullable=False),
        belongs_to("guard_counts", "run_id", "runs"),
        sa.PrimaryKeyConstraint("run_id", "shard", name=op.f("pk_guard_counts")),
    )
    op.create_table(
        "pages",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("link_hash", sa.String(length=64), nullable=True),
        sa.Column("users", sa.Integer(), nullable=True),
        sa.Column("done", sa.Boolean(), nullable=False),
        belongs_to("pages", "run_id", "runs"),
        sa.PrimaryKeyConstraint("run_id", "attempt", "number", name=op.f("pk_pages")),
        sa.UniqueConstraint("run_id", "attempt", "link_hash", name=op.f("uq_pages_run_id_attempt_link_hash")),
    )
    op.create_table(
        "pruned_counts",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("users", sa.Integer(), nullable=False),
        sa.Column("skipped_attributes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        belongs_to("pruned_counts", "run_id", "runs"),
        sa.PrimaryKeyConstraint("run_id", "outcome", "reason", name=op.f("pk_pruned_counts")),
    )
    op.create_table(
        "read_plans",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("mapping_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("start_link", sa.Text(), nullable=True),
        sa.Column("list_from_attempt", sa.Integer(), nullable=True),
        sa.Column("end_link", sa.Text(), nullable=True),
        sa.Column("keeps_delta_link", sa.Boolean(), nullable=False),
        belongs_to("read_plans", "run_id", "runs"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_read_plans")),
    )
    op.create_table(
        "receipts",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("entra_id", sa.String(length=100), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("stage", sa.String(length=20), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("not_found_reason", sa.String(length=40), nullable=True),
        sa.Column("holder_entra_id", sa.String(length=100), nullable=True),
        sa.Column("contested_skolon_id", sa.String(length=255), nullable=True),
        sa.Column("holder_tenant", sa.String(length=63), nullable=True),
        sa.Column("candidate_skolon_ids", sa.JSON(), nullable=True),
        sa.Column("contested_attribute", sa.String(length=20), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=True),
        sa.Column("skolon_id", sa.String(length=255), nullable=True),
        sa.Column("skolon_version", sa.String(length=255), nullable=True),
        sa.Column("changed", sa.JSON(), nullable=True),
        sa.Column("changes", sa.Text(), nullable=True),
        sa.Column("before_image", sa.Text(), nullable=True),
        sa.Column("eppn_digest", sa.String(length=32), nullable=True),
        sa.Column("ssn_digest", sa.String(length=32), nullable=True),
        sa.Column("mail_digest", sa.String(length=32), nullable=True),
        sa.Column("eppn_has_number", sa.Boolean(), nullable=True),
        sa.Column("email_match", sa.String(length=20), nullable=True),
        sa.Column("idp_identifier_match", sa.String(length=20), nullable=True),
        sa.Column("skipped_attributes", sa.JSON(), nullable=True),
        sa.Column("unwritten_attributes", sa.JSON(), nullable=True),
        sa.Column("identity_kept", sa.JSON(), nullable=True),
        sa.Column("altered_attributes", sa.JSON(), nullable=True),
        sa.Column("value_sources", sa.Text(), nullable=True),
        sa.Column("kept_blanks", sa.Text(), nullable=True),
        sa.Column("forecast_outcome", sa.String(length=20), nullable=True),
        sa.Column("forecast_reason", sa.String(length=40), nullable=True),
        sa.Column("forecast_changes", sa.Text(), nullable=True),
        sa.Column("mapping_comparison", sa.Text(), nullable=True),
        sa.Column("source_facts", sa.Text(), nullable=True),
        sa.Column("verified_fingerprint", sa.String(length=32), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_scope", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("read_again", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("forgotten_link_users", sa.JSON(), nullable=True),
        sa.Column("operation_id", sa.Integer(), nullable=True),
        sa.Column("replaying", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("discard_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"], name=op.f("fk_receipts_operation_id")),
        belongs_to("receipts", "run_id", "runs"),
        belongs_to("receipts", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("run_id", "entra_id", name=op.f("pk_receipts")),
    )
    create_partial_index(
        "ix_receipts_failed", "receipts", ["tenant_id", "reason", "entra_id"], "outcome = 'dead_lettered'"
    )
    create_partial_index("ix_receipts_operation_id", "receipts", ["operation_id"], "operation_id IS NOT NULL")
    create_partial_index("ix_receipts_discard_id", "receipts", ["discard_id"], "discard_id IS NOT NULL")
    create_partial_index("ix_receipts_replaying", "receipts", ["tenant_id"], "replaying")
    create_partial_index("ix_receipts_pending", "receipts", ["run_id"], "outcome = 'pending'")
    op.create_index("ix_receipts_user", "receipts", ["tenant_id", "entra_id", "run_id"], unique=False)
    create_partial_index(
        "uq_receipts_claim", "receipts", ["run_id", "skolon_id"], "skolon_id IS NOT NULL", unique=True
    )
    op.create_table(
        "run_keys",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        belongs_to("run_keys", "run_id", "runs"),
        sa.PrimaryKeyConstraint("run_id", "key_id", name=op.f("pk_run_keys")),
    )
    op.create_table(
        "run_warnings",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("users", sa.Integer(), nullable=True),
        belongs_to("run_warnings", "run_id", "runs"),
        sa.PrimaryKeyConstraint("run_id", "kind", name=op.f("pk_run_warnings")),
    )
    op.create_table(
        "triggers",
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        belongs_to("triggers", "run_id", "runs"),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_triggers")),
    )
    op.create_index("ix_triggers_run_id", "triggers", ["run_id"], unique=False)
    op.create_table(
        "waits",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("entra_id", sa.String(length=100), nullable=False),
        sa.Column("service", sa.String(length=20), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=True),
        belongs_to("waits", "run_id", "runs"),
        sa.PrimaryKeyConstraint("run_id", "entra_id", name=op.f("pk_waits")),
    )
    create_hub_tables()
    create_dead_letter_tables()
    create_mapping_tables()
    create_notification_tables()
