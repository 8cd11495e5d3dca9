"""How an organisation's server is to be used, as its tenants say: its layout of users, and what it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SkolonProfile(StrEnum):
    """How an organisation's server lays out its users; the places are in clients/skolon/profiles.py."""

    #: Our assumption about Skolon.
    ASSUMED = "assumed"
    #: Swedish schools (SS 12000 over SCIM).
    SS12000 = "ss12000"


class SkolonLack(StrEnum):
    """What a server cannot do, so that the sync does it in another way."""

    #: It does not search: all users are listed, and an index of them is kept for a while.
    FILTERS = "filters"
    #: It takes no PATCH: a user is read, and sent as a whole (PUT).
    PATCH = "patch"


@dataclass(frozen=True, kw_only=True)
class SkolonTarget:
    """How an organisation's server is to be used."""

    profile: SkolonProfile = SkolonProfile.ASSUMED
    lacks: frozenset[SkolonLack] = frozenset()
