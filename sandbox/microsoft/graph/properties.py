"""Which properties a Graph user has, and which of them an answer holds.

Source: Microsoft's metadata of ``microsoft.graph.user`` (v1.0) and its page on
listing users. Navigation properties (``manager``, ``memberOf``, …) need ``$expand`` and
are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.microsoft.http_messages import GraphError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What comes without ``$select``.
DEFAULT = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)

#: Never null: an empty list when there is nothing.
COLLECTIONS = frozenset(
    (
        "assignedLicenses",
        "assignedPlans",
        "businessPhones",
        "identities",
        "imAddresses",
        "interests",
        "licenseAssignmentStates",
        "onPremisesProvisioningErrors",
        "otherMails",
        "pastProjects",
        "provisionedPlans",
        "proxyAddresses",
        "responsibilities",
        "schools",
        "serviceProvisioningErrors",
        "skills",
    )
)

#: Kept in SharePoint, and therefore given for one user at a time only.
SINGLE_USER_ONLY = frozenset(
    (
        "aboutMe",
        "birthday",
        "hireDate",
        "interests",
        "mailboxSettings",
        "mySite",
        "pastProjects",
        "preferredName",
        "responsibilities",
        "schools",
        "skills",
    )
)

#: How Graph spells a date that is not set.
NEVER = "0001-01-01T00:00:00Z"

_MOMENTS = frozenset(("birthday", "hireDate"))

KNOWN = (
    frozenset(DEFAULT)
    | COLLECTIONS
    | SINGLE_USER_ONLY
    | frozenset(
        (
            "accountEnabled",
            "ageGroup",
            "authorizationInfo",
            "city",
            "companyName",
            "consentProvidedForMinor",
            "country",
            "createdDateTime",
            "creationType",
            "customSecurityAttributes",
            "deletedDateTime",
            "department",
            "employeeHireDate",
            "employeeId",
            "employeeLeaveDateTime",
            "employeeOrgData",
            "employeeType",
            "externalUserState",
            "externalUserStateChangeDateTime",
            "faxNumber",
            "identityParentId",
            "isManagementRestricted",
            "isResourceAccount",
            "lastPasswordChangeDateTime",
            "legalAgeGroupClassification",
            "mailNickname",
            "onPremisesDistinguishedName",
            "onPremisesDomainName",
            "onPremisesExtensionAttributes",
            "onPremisesImmutableId",
            "onPremisesLastSyncDateTime",
            "onPremisesSamAccountName",
            "onPremisesSecurityIdentifier",
            "onPremisesSyncEnabled",
            "onPremisesUserPrincipalName",
            "passwordPolicies",
            "passwordProfile",
            "postalCode",
            "preferredDataLocation",
            "securityIdentifier",
            "showInAddressList",
            "signInActivity",
            "signInSessionsValidFromDateTime",
            "state",
            "streetAddress",
            "usageLocation",
            "userType",
        )
    )
)


def parse_select(text: str | None) -> tuple[str, ...] | None:
    """Return the names that a ``$select`` asks for, or None when there is none.

    Raises GraphError 400 for a name that a user does not have.
    """
    names = tuple(dict.fromkeys(name.strip() for name in (text or "").split(",") if name.strip()))
    for name in names:
        if name not in KNOWN:
            raise GraphError(
                400,
                "BadRequest",
                "Parsing OData Select and Expand failed: Could not find a property named "
                f"'{name}' on type 'microsoft.graph.user'.",
            )
    return names or None


def project(user: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return those properties of a user, with what stands for "nothing" where it has none.

    What the user does have is given as it is, even where Graph would never have it:
    that is how a test puts a wrong type or a null list on a page. A user that has no
    ``id`` gets none.
    """
    return {
        name: user[name] if name in user else _blank(name) for name in names if name in user or name != "id"
    }


def _blank(name: str) -> Any:
    if name in _MOMENTS:
        return NEVER
    return [] if name in COLLECTIONS else None
