"""The tables of reading Entra: the pages of a run, and how it reads them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint, or_

from store.tables.columns import metadata

pages = Table(
    "pages",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    # SHA-256 of the link that led here; the first page has none.
    Column("link_hash", String(64)),
    Column("users", Integer),
    Column("done", Boolean, nullable=False),
    UniqueConstraint("run_id", "attempt", "link_hash"),
)

# How each run of all users reads Entra, and the delta link that it leaves behind once it is complete.
read_plans = Table(
    "read_plans",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    # The fingerprint of what is selected, mapped and looked at.
    Column("mapping_fingerprint", String(64), nullable=False),
    # The link from which a delta goes on; without one all users are read.
    Column("start_link", Text),
    # The attempt from which on the whole list is read, because Graph no longer takes that link.
    Column("list_from_attempt", Integer),
    Column("end_link", Text),
    Column("keeps_delta_link", Boolean, nullable=False),
)

#: A run reads the whole list, in the end if not from its beginning.
READS_WHOLE_LIST: Final = or_(read_plans.c.start_link.is_(None), read_plans.c.list_from_attempt.is_not(None))
