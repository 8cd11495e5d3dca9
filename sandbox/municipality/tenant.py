"""The sandbox's tenant: the settings that the municipality's expected outcomes count on."""

from __future__ import annotations

from typing import Any

from sandbox.municipality.made_up_user import PROTECTED_SOURCE, PROTECTED_VALUE, SSN_SOURCE


def tenant_settings(
    *,
    entra_tenant_id: str,
    client_id: str,
    client_secret: str,
    organisation: str,
    name: str = "Exempelkommun",
) -> dict[str, Any]:
    """Return the object that ``tenants add KEY --from FILE`` takes; what it does not name has its default."""
    return {
        "name": name,
        "entra_tenant_id": entra_tenant_id,
        "client_id": client_id,
        "client_secret": client_secret,
        "organisation": organisation,
        "sources": {
            "user_name": ["userPrincipalName", "mail", "otherMails"],
            "email": ["mail", "otherMails"],
            "idp_identifier": ["userPrincipalName", "mail", "otherMails", "onPremisesImmutableId"],
            "eppn": ["mail", "otherMails", "userPrincipalName"],
            "ssn": [SSN_SOURCE],
        },
        "ssn_country": "SE",
        "scope": {
            "enabled_only": True,
            "members_only": True,
            "exclude": [{"source": PROTECTED_SOURCE, "equals": PROTECTED_VALUE}],
        },
    }
