"""Two Entra users that claim one Skolon user."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Collision:
    """The Entra user that keeps a Skolon user; the other one is the user whose message failed."""

    holder_entra_id: str
    skolon_id: str

    def as_json(self) -> dict[str, str]:
        """Return the JSON object."""
        return {"skolon_user": self.skolon_id, "holder": self.holder_entra_id}
