"""Members of the Data Hub: users of its pages, each with a role."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from schemas.errors import UsageError
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt


class Role(StrEnum):
    """What a member may do."""

    #: Sees and acts for all tenants.
    OPERATOR = "operator"
    #: Sees and acts for the member's own tenants.
    ADMINISTRATOR = "administrator"
    #: Sees the member's own tenants.
    READER = "reader"


class NameTakenError(UsageError):
    """A member who is there has the name."""


class LastOperatorError(UsageError):
    """A change would leave no operator who has ever signed in."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member. `tenants` has the keys of the member's own tenants; an operator needs none.

    `name` is how the member is called on the pages, in no log. `signed_in` is when the member last signed
    in (aware), None before the first time. `has_entra_account` says that an account of Entra signs the member
    in, with the role that Entra gives.
    """

    id: int
    name: str
    role: Role
    tenants: tuple[str, ...] = ()
    signed_in: dt.datetime | None = None
    has_entra_account: bool = False

    def sees(self, tenant: str) -> bool:
        """Whether the member may look at a tenant."""
        return self.role is Role.OPERATOR or tenant in self.tenants

    def administers(self, tenant: str) -> bool:
        """Whether the member may act for a tenant."""
        return self.sees(tenant) and self.role is not Role.READER

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "member": str(self.id),
            "name": self.name,
            "role": str(self.role),
            "tenants": list(self.tenants),
            "signed_in": self.signed_in and timestamp(self.signed_in),
        }


def comparable_name(name: str) -> str:
    """Return what names of one member have in common: neither case, nor form of Unicode, nor spaces count."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
