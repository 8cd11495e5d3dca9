"""Skips the request to Skolon for a user whose last receipt verified the same values recently."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from schemas.outcomes import Outcome
from schemas.runs.sync_result import SyncResult
from schemas.runs.verification import Verification, verification_fingerprints
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.crypto.blind_index import BlindIndex
    from schemas.messages.messages import UserSync
    from schemas.tenants.tenant import Tenant
    from schemas.users.attributes import Attribute
    from store.receipts.verifications import Verifications


class VerificationCache:
    """Uses a user's last receipt as the outcome, as long as the tenant's settings allow."""

    def __init__(
        self, *, verifications: Verifications, index: BlindIndex, message: UserSync, tenant: Tenant
    ) -> None:
        self._verifications = verifications
        self._index = index
        self._message = message
        self._tenant = tenant
        self._fingerprints: list[str] = []

    def lookup(self, mapped: Mapping[Attribute, str | None]) -> SyncResult | None:
        """Return `unchanged` if the last receipt verified the same values recently enough.

        A skip does not extend the period: its receipt keeps the time of the last comparison with Skolon.
        """
        days = self._tenant.trust_receipts_days
        if not days:
            return None
        self._fingerprints = verification_fingerprints(self._message.user, mapped, self._tenant, self._index)
        last = self._verifications.last(self._message.run, self._message.user)
        if last is None or not last.is_valid(dt.datetime.now(dt.UTC), days, self._fingerprints):
            return None
        return SyncResult(
            outcome=Outcome.UNCHANGED,
            skolon_id=last.skolon_id,
            skolon_version=last.skolon_version,
            detail=f"trusted: Skolon was last asked at {timestamp(last.verified_at)}",
            # The fingerprint of any key was equal, so the values are the same: store that of the newest key.
            verification=Verification(fingerprint=self._fingerprints[0], verified_at=last.verified_at),
        )

    def verification(self) -> Verification | None:
        """Return the verification of the values that `lookup` got, for a user that was compared just now."""
        return Verification(fingerprint=self._fingerprints[0]) if self._fingerprints else None
