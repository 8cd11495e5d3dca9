"""Users as servers of Swedish schools lay them out (SS 12000 over SCIM); shares no code with the product."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from schemas.users.scim import SCHOOL_EXTENSION, SKOLON_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Mapping


def school_user(user: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user in that form: `userName` is the EPPN, and there are no phones and no addresses.

    `userRelations` is none of the sync's business, and has to stay.
    """
    kept = copy.deepcopy(
        {name: user[name] for name in ("id", "externalId", "active", "emails") if name in user}
    )
    own = user.get(SKOLON_EXTENSION, {})
    school: dict[str, Any] = {"userRelations": ["kept"]}
    if own.get("ssn"):
        school["civicNo"] = own["ssn"]
    kept["userName"] = own.get("eppn") or f"{user['id']}@skola.example"
    kept["name"] = dict(user.get("name", {}))
    return {**kept, SCHOOL_EXTENSION: school}
