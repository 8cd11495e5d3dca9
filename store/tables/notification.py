"""The tables of notifications: settings, what was told, and the deliveries."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, text

from store.tables.columns import ENCRYPTED, metadata, timestamp

_WAITING = text("status = 'waiting'")

# Who is told, of what and when. The audience is a tenant, by its key, or blank: Skolon's operators, who are
# told of all tenants. Addresses say who a person is, and an address of a webhook may let its reader send.
notification_settings = Table(
    "notification_settings",
    metadata,
    Column("audience", String(63), primary_key=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE")),
    Column("recipients", Text, nullable=False, info=ENCRYPTED),
    Column("webhook_url", Text, info=ENCRYPTED),
    Column("webhook_secret", Text, info=ENCRYPTED),
    timestamp("webhook_secret_set", nullable=True),
    Column("most_failed", Integer, nullable=False),
    Column("unconfirmed_days", Integer),
    Column("quiet_from", String(5)),
    Column("quiet_to", String(5)),
    Column("language", String(2), nullable=False),
    Column("repair_day", String(9)),
    Column("repair_recipients", Text, nullable=False, info=ENCRYPTED),
    # The due time of the last lists that were sent.
    timestamp("repair_sent", nullable=True),
    timestamp("updated"),
)

# What an audience was told of a tenant and is not well again, by kind, with the causes that it knows of.
told_problems = Table(
    "told_problems",
    metadata,
    Column(
        "audience",
        String(63),
        ForeignKey("notification_settings.audience", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("causes", JSON, nullable=False),
    Column("problems", JSON, nullable=False),
    timestamp("told_at"),
)

# What was told, with the problems as they were then (schemas/notifications/delivery.py).
notifications = Table(
    "notifications",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("uid", String(32), nullable=False, unique=True),
    Column(
        "audience",
        String(63),
        ForeignKey("notification_settings.audience", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE")),
    Column("event", String(20), nullable=False),
    Column("kind", String(20)),
    Column("owner", String(20)),
    Column("facts", JSON, nullable=False),
    timestamp("created"),
    Index("ix_notifications_audience", "audience", "id"),
    sqlite_autoincrement=True,
)

notification_deliveries = Table(
    "notification_deliveries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("notification_id", Integer, ForeignKey("notifications.id", ondelete="CASCADE"), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("recipient", Text, info=ENCRYPTED),
    Column("status", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("answer", String(40)),
    # When the next attempt is due, or when the last answer came.
    timestamp("at"),
    Index("ix_notification_deliveries_notification_id", "notification_id"),
    # A process asks each minute whether there is one: there hardly ever is.
    Index("ix_notification_deliveries_waiting", "at", postgresql_where=_WAITING, sqlite_where=_WAITING),
    sqlite_autoincrement=True,
)
