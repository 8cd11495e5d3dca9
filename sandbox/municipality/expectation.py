"""What Skolon must hold after a run, worked out from the source guide's table a second time.

Nothing of the sync is used here, on purpose: where the two disagree, one of them is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.municipality.made_up_user import SKOLON_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.municipality.municipality import Municipality

#: The fourteen attributes by their names in the tenant's settings; None is blank.
Attributes = dict[str, str | None]

#: Where the attributes come from that no tenant can configure.
_FIXED = {
    "external_id": ["id"],
    "first_name": ["givenName"],
    "last_name": ["surname"],
    "city": ["city"],
    "address": ["streetAddress"],
    "zip_code": ["postalCode"],
    "home_phone": ["mobilePhone"],
    "mobile_phone": ["mobilePhone"],
}
_CONFIGURED = ("user_name", "email", "idp_identifier", "eppn", "ssn")
#: A birthday of this year means that there is none.
_NO_YEAR = "0001"


def attributes_of(skolon: dict[str, Any]) -> Attributes:
    """Read the fourteen attributes out of a Skolon user in SCIM JSON."""
    name = skolon.get("name") or {}
    address = _entry(skolon, "addresses", "home")
    own = skolon.get(SKOLON_SCHEMA) or {}
    return {
        "external_id": skolon.get("externalId"),
        "user_name": skolon.get("userName"),
        "email": _entry(skolon, "emails", "work").get("value"),
        "idp_identifier": own.get("idpIdentifier"),
        "first_name": name.get("givenName"),
        "last_name": name.get("familyName"),
        "city": address.get("locality"),
        "address": address.get("streetAddress"),
        "zip_code": address.get("postalCode"),
        "birth_date": own.get("birthDate"),
        "home_phone": _entry(skolon, "phoneNumbers", "home").get("value"),
        "mobile_phone": _entry(skolon, "phoneNumbers", "mobile").get("value"),
        "eppn": own.get("eppn"),
        "ssn": own.get("ssn"),
    }


def other_values(skolon: dict[str, Any]) -> dict[str, Any]:
    """Return what a Skolon user holds that is none of the sync's business: it must stay as it is."""
    ours = {"emails": {"work"}, "phoneNumbers": {"home", "mobile"}, "addresses": {"home"}}
    return {"id": skolon.get("id"), "active": skolon.get("active")} | {
        name: [entry for entry in skolon.get(name) or [] if entry.get("type") not in types]
        for name, types in ours.items()
    }


def after_sync(entra: dict[str, Any], before: Attributes, tenant: dict[str, Any]) -> Attributes:
    """Return what the Skolon user must hold once this Entra user has been synced to it.

    ``tenant`` is the settings' object; of it, ``sources``, ``erase_blank`` and ``birthdays`` count.
    """
    sources = _FIXED | {name: tenant["sources"].get(name, []) for name in _CONFIGURED}
    found = {name: _first(entra, wanted) for name, wanted in sources.items()}
    found["birth_date"] = _birth_date(entra) if tenant.get("birthdays", True) else None
    after = dict(before)
    for name, value in found.items():
        if value is not None:
            after[name] = value
        elif name in tenant.get("erase_blank", ()):
            after[name] = None
    former = before["eppn"]
    if former is not None and after["eppn"] is not None and former.lower() == after["eppn"].lower():
        after["eppn"] = former
    return after


def expected_users(municipality: Municipality, tenant: dict[str, Any]) -> dict[str, list[Attributes]]:
    """Return, for each of Skolon's users by id, the states that it may be in after a run.

    There is one state for each user but those that two users claim: a run that has only one of
    the two may leave either one's.
    """
    before = {user["id"]: attributes_of(user) for user in municipality.skolon_users()}
    expected: dict[str, list[Attributes]] = {}
    for person in municipality:
        if person.claims is not None:
            held = before[person.claims]
            kept = {name: held[name] for name in person.unwritten}
            state = after_sync(person.entra, held, tenant) | kept
            expected.setdefault(person.claims, []).append(state)
    return {user_id: expected.get(user_id, [held]) for user_id, held in before.items()}


def _entry(skolon: dict[str, Any], name: str, kind: str) -> dict[str, Any]:
    for entry in skolon.get(name) or []:
        if entry.get("type") == kind:
            found: dict[str, Any] = entry
            return found
    return {}


def _first(entra: dict[str, Any], sources: Iterable[str]) -> str | None:
    for source in sources:
        if source.startswith("extensionAttribute"):
            held = (entra.get("onPremisesExtensionAttributes") or {}).get(source)
        else:
            held = entra.get(source)
        for value in held if isinstance(held, list) else [held]:
            if value is not None and value.strip():
                text: str = value.strip()
                return text
    return None


def _birth_date(entra: dict[str, Any]) -> str | None:
    day: str = (entra.get("birthday") or "")[: len("YYYY-MM-DD")]
    return None if not day or day.startswith(_NO_YEAR) else day
