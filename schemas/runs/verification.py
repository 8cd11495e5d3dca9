"""Verifications: Skolon was asked and is in sync with these values, at this time."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas.tenants.mapping_fingerprint import mapping_fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.crypto.blind_index import BlindIndex
    from schemas.runs.sign_in import SignInMatch
    from schemas.tenants.tenant import Tenant
    from schemas.users.attributes import Attribute

#: Separates these digests from those of single values.
_REALM: Final = "confirmed"

#: By how much the clocks of two machines may differ: a time further ahead is wrong, and not trusted.
_AHEAD: Final = dt.timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """A keyed digest of all compared values; `verified_at` is when Skolon was asked (None: now)."""

    fingerprint: str
    verified_at: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class VerifiedReceipt:
    """A user's last receipt of a run that writes, if it says that Skolon was asked and is in sync."""

    fingerprint: str
    verified_at: dt.datetime
    skolon_id: str
    skolon_version: str | None
    sign_in: SignInMatch | None = None
    kept_blanks: tuple[Attribute, ...] | None = None

    def is_valid(self, now: dt.datetime, days: int, fingerprints: list[str]) -> bool:
        """Say whether it covers the same values (by any key's fingerprint) and is at most `days` old."""
        return (
            -_AHEAD <= now - self.verified_at <= dt.timedelta(days=days) and self.fingerprint in fingerprints
        )


def verification_fingerprints(
    user_id: str,
    mapped: Mapping[Attribute, str | None],
    tenant: Tenant,
    index: BlindIndex,
    *,
    linked: str | None,
) -> list[str]:
    """Return the digests, by each key, of a user's mapped values and the settings that decide on them.

    `linked` is the Skolon user that an administrator has linked. The first digest is the one to store. Pages
    of Entra have no birth dates, so no digest covers one.
    """
    values = json.dumps({str(name): value for name, value in mapped.items()}, sort_keys=True)
    return index.digests(_REALM, tenant.key, user_id, mapping_fingerprint(tenant), linked or "", values)
