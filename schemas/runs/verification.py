"""That a person was found right in Skolon by really asking: what it was compared with, and when."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas.tenants.mapping_settings import mapping_fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.crypto.blind_index import BlindIndex
    from schemas.tenants.tenant import Tenant
    from schemas.users.attributes import Attribute

#: What tells these traces from those of single values.
_REALM: Final = "confirmed"

#: How far a clock may have gone ahead.
_AHEAD: Final = dt.timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """A keyed trace of all that was compared; `verified_at` is when Skolon was asked (None: now)."""

    fingerprint: str
    verified_at: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class VerifiedReceipt:
    """A person's last receipt of a run that writes, if it says that Skolon was asked and is right."""

    fingerprint: str
    verified_at: dt.datetime
    skolon_id: str
    skolon_version: str | None

    def is_valid(self, now: dt.datetime, days: int, fingerprints: list[str]) -> bool:
        """Say whether it is about the same values (by any key's fingerprint) and not too old."""
        return (
            -_AHEAD <= now - self.verified_at <= dt.timedelta(days=days) and self.fingerprint in fingerprints
        )


def verification_fingerprints(
    user_id: str, mapped: Mapping[Attribute, str | None], tenant: Tenant, index: BlindIndex
) -> list[str]:
    """Return the traces, by each key, of what a page of Entra gives of a user and all that decides on it.

    The first is the one to keep. A birth date is not on a page, and so in none.
    """
    values = json.dumps({str(name): value for name, value in mapped.items()}, sort_keys=True)
    return index.digests(_REALM, tenant.key, user_id, mapping_fingerprint(tenant), values)
