"""The cases that an administrator practises on: addresses that two users have had, or want.

They take the places of common users, so that no other user's case changes with them.
"""

from __future__ import annotations

from datetime import timedelta

from sandbox.municipality.cases import Case, CaseUser, User
from sandbox.municipality.made_up_user import DOMAIN, LOGIN_SOURCE
from sandbox.municipality.seeded_random import seeded_guid

#: How much older the former owner of an address is, in days: no birth date is mistaken for the other.
_OLDER = timedelta(days=1500)


def _recycled_address(user: CaseUser) -> list[User]:
    # Skolon knows the address as that of a user who has left; the new one is unknown there.
    del user.extension["ssn"]
    user.extension.update(
        {
            "idpIdentifier": f"avflyttad{user.number:05d}@{DOMAIN}",
            "birthDate": f"{user.facts.born - _OLDER:%Y-%m-%d}",
        }
    )
    user.skolon.update(
        {
            "id": seeded_guid(user.seed, "skolon", "leaver", user.number),
            "externalId": f"avflyttad-{user.number}",
            "userName": f"avflyttad{user.number:05d}@{DOMAIN}",
            "name": {"givenName": f"Tidigare-{user.number}", "familyName": f"Avflyttad-{user.number}"},
        }
    )
    return [user.skolon]


def _address_of_two(user: CaseUser) -> str:
    """Return the address that the user with this number of either case has in Entra."""
    return f"expeditionen.{user.number:05d}@{DOMAIN}"


def _has_shared_mail(user: CaseUser) -> list[User]:
    address = _address_of_two(user)
    user.entra["mail"] = address
    user.skolon["emails"][0]["value"] = address
    user.extension["eppn"] = address
    return [user.skolon]


def _wants_shared_mail(user: CaseUser) -> list[User]:
    # The e-mail address may be shared and is written. The EPPN belongs to the other user.
    user.entra["mail"] = _address_of_two(user)
    return [user.skolon]


def _has_login(user: CaseUser) -> list[User]:
    name, _, _ = user.facts.user_principal_name.partition("@")
    user.entra["onPremisesExtensionAttributes"][LOGIN_SOURCE] = f"{name}@inloggning.{DOMAIN}"
    return [user.skolon]


#: As many users of each case as of each edge case.
MATCH_CASES = (
    Case(
        name="recycled_address",
        outcome="dead_lettered",
        reason="suspicious_match",
        apply=_recycled_address,
    ),
    Case(name="has_shared_mail", outcome="unchanged", apply=_has_shared_mail),
    Case(
        name="wants_shared_mail",
        outcome="dead_lettered",
        reason="value_taken",
        unwritten=("eppn",),
        apply=_wants_shared_mail,
    ),
    Case(name="login_in_extension_attribute", outcome="unchanged", apply=_has_login),
)
