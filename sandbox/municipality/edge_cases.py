"""The edge cases: users that must not be synced as they are, and users that are hard to match."""

from __future__ import annotations

from sandbox.municipality.cases import Case, CaseUser, User
from sandbox.municipality.common_cases import married
from sandbox.municipality.made_up_user import (
    DOMAIN,
    PROTECTED_SOURCE,
    PROTECTED_VALUE,
    SKOLON_SCHEMA,
    SSN_SOURCE,
)
from sandbox.municipality.names import (
    LONG_GIVEN_NAME,
    LONG_SURNAME,
    NORDIC_GIVEN_NAME,
    NORDIC_SURNAME,
    mailbox,
)
from sandbox.municipality.numbers import (
    FIRST_SERIAL,
    SERIALS,
    coordination_number,
    temporary_number,
    with_wrong_check_digit,
)
from sandbox.municipality.seeded_random import seeded_guid


def _not_in_skolon(_person: CaseUser) -> list[User]:
    return []


def _no_mail(user: CaseUser) -> list[User]:
    # The e-mail address has nothing left to come from and stays; the EPPN falls back on the UPN.
    user.entra.update({"mail": None, "otherMails": []})
    del user.extension["eppn"]
    return [user.skolon]


def _only_other_mails(user: CaseUser) -> list[User]:
    user.entra.update(
        {
            "mail": None,
            "otherMails": ["", f" {user.facts.mail} ", f"privat.{user.facts.mail}"],
        }
    )
    del user.skolon["emails"]
    return [user.skolon]


def _one_eppn_two_in_entra(user: CaseUser) -> list[User]:
    # Two accounts of one person claim the same Skolon user, which a student register made; neither is known
    # there by id, and nothing tells the two apart.
    pair = user.number // 2
    shared = f"delad.{pair:05d}@elev.{DOMAIN}"
    given_name, surname = "Kim", f"Delad-{pair}"
    name = f"{given_name} {surname}"
    user.entra.update({"mail": shared, "givenName": given_name, "surname": surname, "displayName": name})
    user.entra.pop("birthday", None)
    user.entra["onPremisesExtensionAttributes"][SSN_SOURCE] = None
    if user.number % 2:
        return []
    user.skolon.update(
        {
            "id": shared_skolon_id(user.seed, user.number),
            "externalId": f"delad-{pair}",
            "userName": f"delad{pair:05d}@{DOMAIN}",
            "name": {"givenName": given_name, "familyName": surname},
            "emails": [{"value": shared, "type": "work", "primary": True}],
        }
    )
    user.extension["eppn"] = shared
    for unknown in ("ssn", "birthDate"):
        user.extension.pop(unknown, None)
    return [user.skolon]


def shared_skolon_id(seed: int, number: int) -> str:
    """Return the id of the Skolon user that the pair of this user claims."""
    return seeded_guid(seed, "skolon", "shared", number // 2)


def _one_eppn_two_in_skolon(user: CaseUser) -> list[User]:
    return [
        user.skolon
        | {
            "id": seeded_guid(user.seed, "skolon", "double", user.number, source),
            "externalId": f"{source}-{user.facts.index}",
            "userName": f"{source}{user.facts.index:05d}@{DOMAIN}",
        }
        for source in ("elevregister", "betygssystem")
    ]


def _bad_personal_number(user: CaseUser) -> list[User]:
    user.entra["onPremisesExtensionAttributes"][SSN_SOURCE] = with_wrong_check_digit(
        user.facts.personal_number
    )
    return married(user)


def _temporary_number(user: CaseUser) -> list[User]:
    number = temporary_number(user.facts.born, user.number + 1)
    user.entra["onPremisesExtensionAttributes"][SSN_SOURCE] = number
    del user.extension["ssn"]
    return [user.skolon]


def _coordination_number(user: CaseUser) -> list[User]:
    number = coordination_number(user.facts.born, FIRST_SERIAL + user.facts.index % SERIALS)
    user.entra["onPremisesExtensionAttributes"][SSN_SOURCE] = number
    del user.extension["ssn"]
    return [user.skolon]


def _protected_identity(user: CaseUser) -> list[User]:
    # Skolon knows the user under another name; the real one must never get there.
    user.entra["onPremisesExtensionAttributes"][PROTECTED_SOURCE] = PROTECTED_VALUE
    alias = f"skyddad{user.facts.index:05d}@{DOMAIN}"
    user.skolon.update(
        {
            "userName": alias,
            "name": {"givenName": "Skyddad", "familyName": "Identitet"},
            "emails": [{"value": alias, "type": "work", "primary": True}],
            SKOLON_SCHEMA: {"eppn": alias, "idpIdentifier": user.facts.user_principal_name},
        }
    )
    del user.skolon["phoneNumbers"], user.skolon["addresses"]
    return [user.skolon]


def _disabled(user: CaseUser) -> list[User]:
    user.entra["accountEnabled"] = False
    return married(user)


def _guest(user: CaseUser) -> list[User]:
    user.entra["userType"] = "Guest"
    user.entra["userPrincipalName"] = f"gast{user.facts.index}_annan.example#EXT#@{DOMAIN}"
    return married(user)


def _nordic_letters(user: CaseUser) -> list[User]:
    return _renamed(user, NORDIC_GIVEN_NAME, NORDIC_SURNAME)


def _long_names(user: CaseUser) -> list[User]:
    return _renamed(user, LONG_GIVEN_NAME, LONG_SURNAME)


def _renamed(user: CaseUser, given_name: str, surname: str) -> list[User]:
    user.entra.update(
        {
            "givenName": given_name,
            "surname": surname,
            "displayName": f"{given_name} {surname}",
        }
    )
    # What a source does that knows neither long names nor more than 26 letters.
    user.skolon["name"] = {"givenName": mailbox(given_name)[:40], "familyName": mailbox(surname)[:40]}
    return [user.skolon]


#: Of a pair the one with the smaller Entra id keeps the Skolon user, and has this outcome.
PAIR = Case(name="one_eppn_two_in_entra", outcome="updated", apply=_one_eppn_two_in_entra, people=2)

#: The edge cases, about one user in a hundred each.
EDGE_CASES = (
    Case(name="not_in_skolon", outcome="not_found", apply=_not_in_skolon),
    Case(name="no_mail", outcome="updated", apply=_no_mail),
    Case(name="only_other_mails", outcome="updated", apply=_only_other_mails),
    PAIR,
    Case(
        name="one_eppn_two_in_skolon",
        outcome="dead_lettered",
        reason="ambiguous_match",
        apply=_one_eppn_two_in_skolon,
    ),
    Case(
        name="bad_personal_number",
        outcome="dead_lettered",
        reason="invalid_user",
        unwritten=("ssn",),
        apply=_bad_personal_number,
    ),
    Case(name="temporary_number", outcome="updated", apply=_temporary_number),
    Case(name="coordination_number", outcome="updated", apply=_coordination_number),
    Case(name="protected_identity", outcome="out_of_scope", apply=_protected_identity),
    Case(name="disabled", outcome="out_of_scope", apply=_disabled),
    Case(name="guest", outcome="out_of_scope", apply=_guest),
    Case(name="nordic_letters", outcome="updated", apply=_nordic_letters),
    Case(name="long_names", outcome="updated", apply=_long_names),
)
