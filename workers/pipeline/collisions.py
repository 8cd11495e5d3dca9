"""Two Entra users on one Skolon user: what becomes of the second."""

from __future__ import annotations

from schemas.errors import PermanentError
from schemas.outcomes import Reason, Stage
from schemas.runs.collision import Collision


def collision(skolon_id: str, holder: str, other: str) -> PermanentError:
    """Return what becomes of the second Entra user that claims a Skolon user."""
    return PermanentError(
        Reason.COLLISION,
        Stage.MATCH,
        str(Collision(holder=holder, other=other, skolon_id=skolon_id)),
    )
