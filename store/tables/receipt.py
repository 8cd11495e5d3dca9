"""The table of receipts: what became of each user of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, or_, text

from schemas.outcomes import Outcome
from store.tables.columns import ENCRYPTED, metadata, timestamp

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, FromClause

_PENDING: Final = text("outcome = 'pending'")
_CLAIMED: Final = text("skolon_id IS NOT NULL")
_REPLAYED: Final = text("operation_id IS NOT NULL")
_FAILED: Final = text("outcome = 'dead_lettered'")
_DISCARDED: Final = text("discard_id IS NOT NULL")
_REPLAYING: Final = text("replaying")

receipts = Table(
    "receipts",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("entra_id", String(100), primary_key=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(40)),
    Column("stage", String(20)),
    Column("detail", Text),
    Column("not_found_reason", String(40)),
    # Of a collision: the Entra user that keeps the Skolon user, which may be none of this run. Of a value
    # that is taken: the attribute, the Skolon user that has the value, and this one's Entra user.
    Column("holder_entra_id", String(100)),
    Column("contested_skolon_id", String(255)),
    # The tenant of that Entra user, if it is another one with the same organisation.
    Column("holder_tenant", String(63)),
    # The Skolon users that a match found and did not take, also where a decision excludes them; missing when
    # there are none.
    Column("candidate_skolon_ids", JSON(none_as_null=True)),
    Column("contested_attribute", String(20)),
    Column("attempts", Integer),
    Column("skolon_id", String(255)),
    Column("skolon_version", String(255)),
    Column("changed", JSON),
    # How: each attribute that changed with what was done to it (`schemas/runs/changes.py`).
    Column("changes", Text),
    # Sealed: the values from before, and traces of what was written (schemas/runs/before_image.py).
    Column("before_image", Text, info=ENCRYPTED),
    # Traces of the EPPN, the personal number and Entra's mail (schemas/runs/identity_digests.py), to find
    # equal ones by; and whether the EPPN has a personal number in it.
    Column("eppn_digest", String(32)),
    Column("ssn_digest", String(32)),
    Column("mail_digest", String(32)),
    Column("eppn_has_number", Boolean),
    # How Skolon's values compare with Entra's to the letter (schemas/runs/sign_in.py).
    Column("email_match", String(20)),
    Column("idp_identifier_match", String(20)),
    # Attributes that an undo has not put back, because they changed since; missing when there are none.
    Column("skipped_attributes", JSON),
    # Attributes that a dead letter has not written while the others were; missing when there are none.
    Column("unwritten_attributes", JSON),
    # Attributes that keep their value, because an earlier source of theirs is blank; missing for none.
    Column("identity_kept", JSON),
    # Attributes that Skolon does not show as they were written; missing when there are none.
    Column("altered_attributes", JSON),
    # Which values come from another source than the default's first; missing when nothing was compared.
    # Without a length, here and below: by a varchar's PostgreSQL takes rows for wider and fewer, and reads a
    # table without statistics whole.
    Column("value_sources", Text),
    # Attributes without a value in Entra that keep their value in Skolon, of those with sources that can be
    # chosen, as words; missing when nothing was compared.
    Column("kept_blanks", Text),
    # The outcome that a user would have had that the guard blocked.
    Column("forecast_outcome", String(20)),
    Column("forecast_reason", String(40)),
    Column("forecast_changes", Text),
    # Of a preview: how its settings and the saved ones map the user.
    Column("mapping_comparison", Text),
    # And what the properties of Entra hold, with digests (schemas/runs/totals/source_facts.py).
    Column("source_facts", Text),
    # Keyed digest of the values that were verified (schemas/runs/verification.py), and when Skolon was asked.
    Column("verified_fingerprint", String(32)),
    timestamp("verified_at", nullable=True),
    timestamp("claimed_at", nullable=True),
    timestamp("published_at"),
    timestamp("finished_at", nullable=True),
    # An earlier run had synced the user, and now a rule of the scope leaves the user out.
    Column("left_scope", Boolean, nullable=False, server_default=text("false")),
    # A delta run read the user again, though Graph told of no change.
    Column("read_again", Boolean, nullable=False, server_default=text("false")),
    # The run wrote because of a link that was taken back since: the Entra users whose match the link was
    # about. After an undo they are read again.
    Column("forgotten_link_users", JSON(none_as_null=True)),
    # The replay that was the last to take this user up, and whether its outcome is still awaited.
    Column("operation_id", Integer, ForeignKey("operations.id")),
    Column("replaying", Boolean, nullable=False, server_default=text("false")),
    # The operation by which a member of the Data Hub has set the user aside, with a reason: until a newer run
    # finds that the user still fails, no person has to act.
    Column("discard_id", Integer),
    Index("ix_receipts_user", "tenant_id", "entra_id", "run_id"),
    # A Skolon user is claimed by one Entra user of a run: the second one is a collision.
    Index(
        "uq_receipts_claim",
        "run_id",
        "skolon_id",
        unique=True,
        postgresql_where=_CLAIMED,
        sqlite_where=_CLAIMED,
    ),
    Index("ix_receipts_pending", "run_id", postgresql_where=_PENDING, sqlite_where=_PENDING),
    Index("ix_receipts_operation_id", "operation_id", postgresql_where=_REPLAYED, sqlite_where=_REPLAYED),
    # Hardly ever any: so it costs nothing to find out that there is none.
    Index("ix_receipts_replaying", "tenant_id", postgresql_where=_REPLAYING, sqlite_where=_REPLAYING),
    Index("ix_receipts_discard_id", "discard_id", postgresql_where=_DISCARDED, sqlite_where=_DISCARDED),
    # The users that fail, by reason: few among many.
    Index(
        "ix_receipts_failed",
        "tenant_id",
        "reason",
        "entra_id",
        postgresql_where=_FAILED,
        sqlite_where=_FAILED,
    ),
)


def awaits_outcome(some_receipts: FromClause) -> ColumnElement[bool]:
    """Say whether a receipt awaits an outcome: it has none so far, or its dead letter is being replayed."""
    return or_(some_receipts.c.outcome == Outcome.PENDING, some_receipts.c.replaying)
