"""Skips the request to Skolon for a user whose last receipt verified the same values recently."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.outcomes import Outcome
from schemas.runs.sync_result import SyncResult
from schemas.runs.verification import Verification, verification_fingerprints
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.crypto.blind_index import BlindIndex
    from schemas.messages.messages import UserSync
    from schemas.users.attributes import Attribute
    from store.receipts.verifications import Verifications
    from store.tenants.tenants import TenantRecord


class VerificationCache:
    """Uses a user's last receipt as the outcome, as long as the tenant's settings allow."""

    def __init__(
        self, *, verifications: Verifications, index: BlindIndex, message: UserSync, record: TenantRecord
    ) -> None:
        self._verifications = verifications
        self._index = index
        self._message = message
        self._tenant = record.tenant
        self._decisions = record.decisions
        self._fingerprints: list[str] = []

    def lookup(self, mapped: Mapping[Attribute, str | None]) -> SyncResult | None:
        """Return `unchanged` if the last receipt verified the same values recently enough.

        A skip does not extend the period: its receipt keeps the time of the last comparison with Skolon.
        """
        days = self._tenant.trust_receipts_days
        if not days:
            return None
        user = self._message.user
        linked = self._decisions.linked_skolon_id(user)
        self._fingerprints = verification_fingerprints(user, mapped, self._tenant, self._index, linked=linked)
        last = self._verifications.last(self._message.run, user)
        if last is None or not last.is_valid(dt.datetime.now(dt.UTC), days, self._fingerprints):
            return None
        if self._decisions.excludes(last.skolon_id, user):
            return None
        return SyncResult(
            outcome=Outcome.UNCHANGED,
            skolon_id=last.skolon_id,
            skolon_version=last.skolon_version,
            sign_in=last.sign_in,
            kept_blanks=last.kept_blanks,
            detail=Detail(DetailKind.VERIFIED_RECENTLY, time=timestamp(last.verified_at)),
            # The fingerprint of any key was equal, so the values are the same: store that of the newest key.
            verification=Verification(fingerprint=self._fingerprints[0], verified_at=last.verified_at),
        )

    def verification(self) -> Verification | None:
        """Return the verification of the values that `lookup` got, for a user that was compared just now."""
        return Verification(fingerprint=self._fingerprints[0]) if self._fingerprints else None
