"""The tables of notifications, as the migration makes them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.migrations.foreign_keys import belongs_to
from store.migrations.partial_indexes import create_partial_index


def create_notification_tables() -> None:
    """Create the tables; that of tenants is there."""
    op.create_table(
        "notification_settings",
        sa.Column("audience", sa.String(length=63), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=True),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=True),
        sa.Column("webhook_secret", sa.Text(), nullable=True),
        sa.Column("webhook_secret_set", sa.DateTime(timezone=True), nullable=True),
        sa.Column("most_failed", sa.Integer(), nullable=False),
        sa.Column("unconfirmed_days", sa.Integer(), nullable=True),
        sa.Column("quiet_from", sa.String(length=5), nullable=True),
        sa.Column("quiet_to", sa.String(length=5), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("repair_day", sa.String(length=9), nullable=True),
        sa.Column("repair_recipients", sa.Text(), nullable=False),
        sa.Column("repair_sent", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        belongs_to("notification_settings", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("audience", name=op.f("pk_notification_settings")),
    )
    op.create_table(
        "told_problems",
        sa.Column("audience", sa.String(length=63), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("causes", sa.JSON(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        _of_audience("told_problems"),
        belongs_to("told_problems", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("audience", "tenant_id", "kind", name=op.f("pk_told_problems")),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("audience", sa.String(length=63), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=True),
        sa.Column("event", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=True),
        sa.Column("owner", sa.String(length=20), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        _of_audience("notifications"),
        belongs_to("notifications", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("uid", name=op.f("uq_notifications_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notifications_audience", "notifications", ["audience", "id"], unique=False)
    op.create_table(
        "notification_deliveries",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("notification_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(length=40), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        belongs_to("notification_deliveries", "notification_id", "notifications"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_deliveries")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_notification_deliveries_notification_id",
        "notification_deliveries",
        ["notification_id"],
        unique=False,
    )
    create_partial_index(
        "ix_notification_deliveries_waiting", "notification_deliveries", ["at"], "status = 'waiting'"
    )


def _of_audience(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["audience"],
        ["notification_settings.audience"],
        name=op.f(f"fk_{table}_audience"),
        ondelete="CASCADE",
    )
