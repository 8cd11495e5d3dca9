"""Two Entra users that claim one Skolon user."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Collision:
    """The Entra user that keeps a Skolon user; the other one is the user whose message failed.

    `holder_tenant` is the key of the tenant whose user keeps it, None if both are of one tenant.
    """

    holder_entra_id: str
    skolon_id: str
    holder_tenant: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """Return the JSON object."""
        return {
            "skolon_user": self.skolon_id,
            "holder": self.holder_entra_id,
            "holder_tenant": self.holder_tenant,
        }
