"""The hard cases, of which everybody wants to know that they end where they belong."""

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


def _no_mail(person: CaseUser) -> list[User]:
    # The e-mail address has nothing left to come from and stays; the EPPN falls back on the UPN.
    person.entra.update({"mail": None, "otherMails": []})
    del person.extension["eppn"]
    return [person.skolon]


def _only_other_mails(person: CaseUser) -> list[User]:
    person.entra.update(
        {
            "mail": None,
            "otherMails": ["", f" {person.facts.mail} ", f"privat.{person.facts.mail}"],
        }
    )
    del person.skolon["emails"]
    return [person.skolon]


def _one_eppn_two_in_entra(person: CaseUser) -> list[User]:
    # Both claim the same Skolon user, whom a student register made, and neither is known there by id.
    pair = person.number // 2
    shared = f"delad.{pair:05d}@elev.{DOMAIN}"
    person.entra["mail"] = shared
    if person.number % 2:
        return []
    person.skolon.update(
        {
            "id": shared_skolon_id(person.seed, person.number),
            "externalId": f"delad-{pair}",
            "userName": f"delad{pair:05d}@{DOMAIN}",
            "emails": [{"value": shared, "type": "work", "primary": True}],
        }
    )
    person.extension["eppn"] = shared
    return [person.skolon]


def shared_skolon_id(seed: int, number: int) -> str:
    """Return the id of the Skolon user that the pair of this person claims."""
    return seeded_guid(seed, "skolon", "shared", number // 2)


def _one_eppn_two_in_skolon(person: CaseUser) -> list[User]:
    return [
        person.skolon
        | {
            "id": seeded_guid(person.seed, "skolon", "double", person.number, source),
            "externalId": f"{source}-{person.facts.index}",
            "userName": f"{source}{person.facts.index:05d}@{DOMAIN}",
        }
        for source in ("elevregister", "betygssystem")
    ]


def _bad_personal_number(person: CaseUser) -> list[User]:
    person.entra["onPremisesExtensionAttributes"][SSN_SOURCE] = with_wrong_check_digit(
        person.facts.personal_number
    )
    return married(person)


def _temporary_number(person: CaseUser) -> list[User]:
    number = temporary_number(person.facts.born, person.number + 1)
    person.entra["onPremisesExtensionAttributes"][SSN_SOURCE] = number
    del person.extension["ssn"]
    return [person.skolon]


def _coordination_number(person: CaseUser) -> list[User]:
    number = coordination_number(person.facts.born, FIRST_SERIAL + person.facts.index % SERIALS)
    person.entra["onPremisesExtensionAttributes"][SSN_SOURCE] = number
    del person.extension["ssn"]
    return [person.skolon]


def _protected_identity(person: CaseUser) -> list[User]:
    # Skolon knows the person under another name; the real one must never get there.
    person.entra["onPremisesExtensionAttributes"][PROTECTED_SOURCE] = PROTECTED_VALUE
    alias = f"skyddad{person.facts.index:05d}@{DOMAIN}"
    person.skolon.update(
        {
            "userName": alias,
            "name": {"givenName": "Skyddad", "familyName": "Identitet"},
            "emails": [{"value": alias, "type": "work", "primary": True}],
            SKOLON_SCHEMA: {"eppn": alias, "idpIdentifier": person.facts.user_principal_name},
        }
    )
    del person.skolon["phoneNumbers"], person.skolon["addresses"]
    return [person.skolon]


def _disabled(person: CaseUser) -> list[User]:
    person.entra["accountEnabled"] = False
    return married(person)


def _guest(person: CaseUser) -> list[User]:
    person.entra["userType"] = "Guest"
    person.entra["userPrincipalName"] = f"gast{person.facts.index}_annan.example#EXT#@{DOMAIN}"
    return married(person)


def _nordic_letters(person: CaseUser) -> list[User]:
    return _renamed(person, NORDIC_GIVEN_NAME, NORDIC_SURNAME)


def _long_names(person: CaseUser) -> list[User]:
    return _renamed(person, LONG_GIVEN_NAME, LONG_SURNAME)


def _renamed(person: CaseUser, given_name: str, surname: str) -> list[User]:
    person.entra.update(
        {
            "givenName": given_name,
            "surname": surname,
            "displayName": f"{given_name} {surname}",
        }
    )
    # What a source does that knows neither long names nor more than 26 letters.
    person.skolon["name"] = {"givenName": mailbox(given_name)[:40], "familyName": mailbox(surname)[:40]}
    return [person.skolon]


#: The first of a pair that comes keeps the Skolon user; which one that is, chance decides.
#: The outcome here is that of the one who is first in the directory.
PAIR = Case(name="one_eppn_two_in_entra", outcome="updated", apply=_one_eppn_two_in_entra, people=2)

#: The hard cases, about one in a hundred people each.
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
        name="bad_personal_number", outcome="dead_lettered", reason="invalid_user", apply=_bad_personal_number
    ),
    Case(name="temporary_number", outcome="updated", apply=_temporary_number),
    Case(name="coordination_number", outcome="updated", apply=_coordination_number),
    Case(name="protected_identity", outcome="out_of_scope", apply=_protected_identity),
    Case(name="disabled", outcome="out_of_scope", apply=_disabled),
    Case(name="guest", outcome="out_of_scope", apply=_guest),
    Case(name="nordic_letters", outcome="updated", apply=_nordic_letters),
    Case(name="long_names", outcome="updated", apply=_long_names),
)
