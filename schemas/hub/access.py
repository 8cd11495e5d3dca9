"""Who may ask for a route of the Data Hub."""

from __future__ import annotations

from enum import Enum, auto


class Access(Enum):
    """Who may ask for a route. A member without a right gets the answer to an address that is not there."""

    #: Also a browser that is not signed in.
    PUBLIC = auto()
    #: Every member; the page shows what the member may see.
    MEMBER = auto()
    #: Members who may look at the tenant that the address names.
    TENANT_READER = auto()
    #: Members who may act for the tenant that the address names.
    TENANT_ADMINISTRATOR = auto()
    #: Operators, and members who may act for a tenant of theirs.
    ADMINISTRATOR = auto()
    #: Operators.
    OPERATOR = auto()
    #: Programs with a token, which the route itself holds to the token's tenant; no session counts.
    API_TOKEN = auto()
    #: Programs with such a token that may act.
    API_ACTION = auto()
