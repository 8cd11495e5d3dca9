"""The tables of what members do with dead letters in the background."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from store.tables.columns import ENCRYPTED, metadata, timestamp

_OPEN = text("status IN ('requested', 'running')")

# Forecasts, replays and discards that were asked for in the Data Hub (schemas/dead_letters/task.py).
dead_letter_tasks = Table(
    "dead_letter_tasks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    # Of the action that asked for it: asked for again, it is the same task.
    Column("action_key", String(100), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("status", String(10), nullable=False),
    Column("control", String(10), nullable=False),
    Column("selection", JSON, nullable=False),
    Column("users", Integer, nullable=False),
    # Why users are set aside, as a member has written it.
    Column("note", Text, info=ENCRYPTED),
    # No foreign keys: the task outlives them.
    Column("member_id", Integer),
    Column("token_id", Integer),
    # How often it was taken up, and until when the process that has it is believed to be alive.
    Column("attempt", Integer, nullable=False),
    timestamp("lease_until", nullable=True),
    Column("counts", JSON, nullable=False),
    Column("cause", String(40)),
    Column("detail", Text),
    timestamp("requested_at"),
    timestamp("started", nullable=True),
    timestamp("finished", nullable=True),
    UniqueConstraint("tenant_id", "action_key"),
    # Processes ask each second or two whether there is one: there hardly ever is.
    Index("ix_dead_letter_tasks_open", "kind", "id", postgresql_where=_OPEN, sqlite_where=_OPEN),
    # A page's address names it: an id is never given again.
    sqlite_autoincrement=True,
)

# What a forecast has found of each user.
dead_letter_task_users = Table(
    "dead_letter_task_users",
    metadata,
    Column("task_id", Integer, ForeignKey("dead_letter_tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("entra_id", String(100), primary_key=True),
    Column("outcome", String(20)),
    Column("reason", String(40)),
    Column("obstacle", String(20)),
)

# Groups of users that fail, by the reason, which are no problem until a moment. A row stays when it is over:
# the group then says that it came back.
set_aside_groups = Table(
    "set_aside_groups",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("reason", String(40), primary_key=True),
    timestamp("until"),
    timestamp("set_at"),
    # Why, as a person has written it.
    Column("note", Text, info=ENCRYPTED),
    # Who: a member or a token of the Data Hub, which may be gone, or a user of a machine.
    Column("member_id", Integer),
    Column("token_id", Integer),
    Column("operator", String(100)),
)
