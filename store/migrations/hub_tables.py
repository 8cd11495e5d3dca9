"""The tables of the Data Hub, as the migration makes them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.migrations.foreign_keys import belongs_to


def create_hub_tables() -> None:
    """Create the tables of the Data Hub; those of tenants are there."""
    op.create_table(
        "hub_members",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("entra_directory", sa.String(length=36), nullable=True),
        sa.Column("entra_object", sa.String(length=36), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_in", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_members")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_hub_members_entra", "hub_members", ["entra_directory", "entra_object"], unique=True)
    op.create_table(
        "hub_former_members",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_former_members")),
    )
    op.create_table(
        "hub_member_tenants",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        belongs_to("hub_member_tenants", "member_id", "hub_members"),
        belongs_to("hub_member_tenants", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("member_id", "tenant_id", name=op.f("pk_hub_member_tenants")),
    )
    op.create_table(
        "hub_invitations",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("browser_hash", sa.String(length=64), nullable=True),
        belongs_to("hub_invitations", "member_id", "hub_members"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_hub_invitations")),
    )
    op.create_table(
        "hub_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        belongs_to("hub_sessions", "member_id", "hub_members"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_hub_sessions")),
    )
    op.create_index("ix_hub_sessions_member_id", "hub_sessions", ["member_id"], unique=False)
    op.create_table(
        "hub_audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("by_member_id", sa.Integer(), nullable=True),
        sa.Column("address_digest", sa.String(length=32), nullable=True),
        sa.Column("tenant", sa.String(length=63), nullable=True),
        sa.Column("entra_id", sa.String(length=100), nullable=True),
        sa.Column("skolon_id", sa.String(length=255), nullable=True),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.Column("users", sa.Integer(), nullable=True),
        sa.Column("event_id", sa.String(length=200), nullable=True),
        sa.Column("membership", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("mapping", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_hub_audit_address_digest", "hub_audit", ["address_digest", "kind", "at"], unique=False
    )
    op.create_table(
        "hub_audit_tenants",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("audit_id", sa.Integer(), nullable=False),
        belongs_to("hub_audit_tenants", "tenant_id", "tenants"),
        belongs_to("hub_audit_tenants", "audit_id", "hub_audit"),
        sa.PrimaryKeyConstraint("tenant_id", "audit_id", name=op.f("pk_hub_audit_tenants")),
    )
    op.create_table(
        "hub_api_tokens",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("may_act", sa.Boolean(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used", sa.DateTime(timezone=True), nullable=True),
        belongs_to("hub_api_tokens", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_hub_api_tokens_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_hub_api_tokens_tenant_id", "hub_api_tokens", ["tenant_id"], unique=False)
    op.create_table(
        "hub_actions",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("action_key", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("audit_id", sa.Integer(), nullable=False),
        sa.Column("begun", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        belongs_to("hub_actions", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("tenant_id", "action_key", name=op.f("pk_hub_actions")),
    )
