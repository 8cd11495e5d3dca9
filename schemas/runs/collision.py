"""Two users that claim one Skolon user, or one value that belongs to one user at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.users.attributes import Attribute


@dataclass(frozen=True, kw_only=True)
class Collision:
    """The Entra user that keeps a Skolon user; the other one is the user whose message failed.

    `holder_tenant` is the key of the tenant whose user keeps it, None if both are of one tenant. With an
    `attribute` it is about that attribute's value, which the Skolon user has. Then the Entra user may be
    missing.
    """

    holder_entra_id: str | None
    skolon_id: str
    holder_tenant: str | None = None
    attribute: Attribute | None = None

    def as_json(self) -> dict[str, str | None]:
        """Return the JSON object."""
        about = {} if self.attribute is None else {"attribute": str(self.attribute)}
        return {
            "skolon_user": self.skolon_id,
            "holder": self.holder_entra_id,
            "holder_tenant": self.holder_tenant,
            **about,
        }
