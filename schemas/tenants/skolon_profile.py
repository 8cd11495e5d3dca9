"""The kinds of servers whose layout of users is known."""

from __future__ import annotations

from enum import StrEnum


class SkolonProfile(StrEnum):
    """How an organisation's server lays out its users; the places are in clients/skolon/profiles.py."""

    #: Our assumption about Skolon.
    ASSUMED = "assumed"
    #: Swedish schools (SS 12000 over SCIM).
    SS12000 = "ss12000"
