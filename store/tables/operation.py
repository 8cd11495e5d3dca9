"""The table of operations: what operators did."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text

from store.tables.columns import metadata, timestamp

# What operators do with dead letters, and decide about matches: who did what, when, to how many.
operations = Table(
    "operations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(10), nullable=False),
    Column("operator", String(100)),
    # Which dead letters were chosen: the options of the command.
    Column("selection", JSON, nullable=False),
    Column("original_payload", Boolean, nullable=False),
    Column("status", String(20), nullable=False),
    Column("counts", JSON, nullable=False),
    Column("detail", Text),
    timestamp("started"),
    timestamp("finished", nullable=True),
    # The task of the Data Hub that it is a part of. No foreign key: a task goes with its tenant.
    Column("task_id", Integer),
    Index("ix_operations_task_id", "task_id"),
    # A number is never given again: messages on their way name it.
    sqlite_autoincrement=True,
)
