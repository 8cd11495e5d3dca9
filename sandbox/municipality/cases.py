"""The cases that people belong to: what is odd about each, and what must become of it.

A case bends a person for whom everything was right. It gets the person's facts, the
Entra user and the Skolon user, changes them in place, and returns the Skolon users that
are there before the sync.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.municipality.draws import guid
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
    misspelt,
    temporary_number,
)
from sandbox.municipality.people import (
    DOMAIN,
    PROTECTED_SOURCE,
    PROTECTED_VALUE,
    SKOLON_SCHEMA,
    SSN_SOURCE,
    Facts,
    birthday,
)

User = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Bent:
    """A person who is about to be bent: ``number`` counts the people of one case from nought."""

    facts: Facts
    entra: User
    skolon: User
    number: int
    seed: int

    @property
    def extension(self) -> User:
        """Skolon's own attributes."""
        extension: User = self.skolon[SKOLON_SCHEMA]
        return extension


Bend = Callable[[Bent], list[User]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case: its name, what a first and a second run make of it, and why when it fails."""

    name: str
    outcome: str
    bend: Bend
    reason: str | None = None
    #: How many people make up one instance of the case.
    people: int = 1

    @property
    def outcome_again(self) -> str:
        """What a second run makes of it: what was updated is right by then, the rest is as before."""
        return "unchanged" if self.outcome == "updated" else self.outcome


def _right(person: Bent) -> list[User]:
    return [person.skolon]


# ---- right in spite of appearances


def _eppn_in_capitals(person: Bent) -> list[User]:
    person.extension["eppn"] = person.facts.mail.upper()
    return [person.skolon]


def _blank_in_entra(person: Bent) -> list[User]:
    person.entra.update({"city": None, "mobilePhone": "", "streetAddress": "   "})
    return [person.skolon]


def _birthday_not_set(person: Bent) -> list[User]:
    person.entra["birthday"] = "0001-01-01T00:00:00Z"
    return [person.skolon]


def _white_space(person: Bent) -> list[User]:
    person.entra["givenName"] = f" {person.facts.given_name}\t"
    person.entra["postalCode"] = f"{person.facts.postal_code} "
    return [person.skolon]


# ---- in need of a change


def _married(person: Bent) -> list[User]:
    person.skolon["name"]["familyName"] = f"{person.facts.surname}-Ogift"
    return [person.skolon]


def _new_phone(person: Bent) -> list[User]:
    for number in person.skolon["phoneNumbers"]:
        number["value"] = "070-174 06 00"
    return [person.skolon]


def _moved(person: Bent) -> list[User]:
    person.skolon["addresses"][0] |= {"streetAddress": "Gamla vägen 1", "postalCode": "99999"}
    return [person.skolon]


def _new_mail(person: Bent) -> list[User]:
    former = f"tidigare.{person.facts.mail}"
    person.skolon["emails"][0]["value"] = former
    person.extension["eppn"] = former
    return [person.skolon]


def _other_external_id(person: Bent) -> list[User]:
    person.skolon["externalId"] = f"elevregister-{person.facts.index}"
    return [person.skolon]


def _no_email_entry(person: Bent) -> list[User]:
    del person.skolon["emails"]
    return [person.skolon]


def _no_address_entry(person: Bent) -> list[User]:
    del person.skolon["addresses"]
    return [person.skolon]


def _entries_of_others(person: Bent) -> list[User]:
    _new_phone(person)
    person.skolon["emails"].append({"value": f"hemma.{person.facts.mail}", "type": "home"})
    person.skolon["phoneNumbers"].insert(0, {"value": "08-465 004 04", "type": "work"})
    person.skolon["addresses"].append(
        {"streetAddress": "Skolgatan 3", "locality": "Exempelstad", "postalCode": "12345", "type": "work"}
    )
    return [person.skolon]


def _birthday_new(person: Bent) -> list[User]:
    person.entra["birthday"] = birthday(person.facts.born)
    del person.extension["birthDate"]
    return [person.skolon]


def _birthday_corrected(person: Bent) -> list[User]:
    person.entra["birthday"] = birthday(person.facts.born)
    person.extension["birthDate"] = f"{person.facts.born + timedelta(days=1):%Y-%m-%d}"
    return [person.skolon]


# ---- hard ones


def _not_in_skolon(_person: Bent) -> list[User]:
    return []


def _no_mail(person: Bent) -> list[User]:
    # The e-mail address has nothing left to come from and stays; the EPPN falls back on the UPN.
    person.entra.update({"mail": None, "otherMails": []})
    del person.extension["eppn"]
    return [person.skolon]


def _only_other_mails(person: Bent) -> list[User]:
    person.entra.update(
        {
            "mail": None,
            "otherMails": ["", f" {person.facts.mail} ", f"privat.{person.facts.mail}"],
        }
    )
    del person.skolon["emails"]
    return [person.skolon]


def _one_eppn_two_in_entra(person: Bent) -> list[User]:
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
    return guid(seed, "skolon", "shared", number // 2)


def _one_eppn_two_in_skolon(person: Bent) -> list[User]:
    return [
        person.skolon
        | {
            "id": guid(person.seed, "skolon", "double", person.number, source),
            "externalId": f"{source}-{person.facts.index}",
            "userName": f"{source}{person.facts.index:05d}@{DOMAIN}",
        }
        for source in ("elevregister", "betygssystem")
    ]


def _bad_personal_number(person: Bent) -> list[User]:
    person.entra["onPremisesExtensionAttributes"][SSN_SOURCE] = misspelt(person.facts.personal_number)
    return _married(person)


def _temporary_number(person: Bent) -> list[User]:
    number = temporary_number(person.facts.born, person.number + 1)
    person.entra["onPremisesExtensionAttributes"][SSN_SOURCE] = number
    del person.extension["ssn"]
    return [person.skolon]


def _coordination_number(person: Bent) -> list[User]:
    number = coordination_number(person.facts.born, FIRST_SERIAL + person.facts.index % SERIALS)
    person.entra["onPremisesExtensionAttributes"][SSN_SOURCE] = number
    del person.extension["ssn"]
    return [person.skolon]


def _protected_identity(person: Bent) -> list[User]:
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


def _disabled(person: Bent) -> list[User]:
    person.entra["accountEnabled"] = False
    return _married(person)


def _guest(person: Bent) -> list[User]:
    person.entra["userType"] = "Guest"
    person.entra["userPrincipalName"] = f"gast{person.facts.index}_annan.example#EXT#@{DOMAIN}"
    return _married(person)


def _nordic_letters(person: Bent) -> list[User]:
    return _renamed(person, NORDIC_GIVEN_NAME, NORDIC_SURNAME)


def _long_names(person: Bent) -> list[User]:
    return _renamed(person, LONG_GIVEN_NAME, LONG_SURNAME)


def _renamed(person: Bent, given_name: str, surname: str) -> list[User]:
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


RIGHT = Case(name="right", outcome="unchanged", bend=_right)

#: Ordinary people about whom something differs, or seems to.
DIFFERENT = (
    Case(name="new_surname", outcome="updated", bend=_married),
    Case(name="new_mobile_phone", outcome="updated", bend=_new_phone),
    Case(name="moved", outcome="updated", bend=_moved),
    Case(name="new_mail", outcome="updated", bend=_new_mail),
    Case(name="other_external_id", outcome="updated", bend=_other_external_id),
    Case(name="no_email_entry", outcome="updated", bend=_no_email_entry),
    Case(name="no_address_entry", outcome="updated", bend=_no_address_entry),
    Case(name="entries_of_others", outcome="updated", bend=_entries_of_others),
    Case(name="birthday_new", outcome="updated", bend=_birthday_new),
    Case(name="birthday_corrected", outcome="updated", bend=_birthday_corrected),
    Case(name="birthday_not_set", outcome="unchanged", bend=_birthday_not_set),
    Case(name="blank_in_entra", outcome="unchanged", bend=_blank_in_entra),
    Case(name="eppn_in_capitals", outcome="unchanged", bend=_eppn_in_capitals),
    Case(name="white_space", outcome="unchanged", bend=_white_space),
)

#: The first of a pair that comes keeps the Skolon user; which one that is, chance decides.
#: The outcome here is that of the one who is first in the directory.
PAIR = Case(name="one_eppn_two_in_entra", outcome="updated", bend=_one_eppn_two_in_entra, people=2)

#: The hard cases, about one in a hundred people each.
HARD = (
    Case(name="not_in_skolon", outcome="not_found", bend=_not_in_skolon),
    Case(name="no_mail", outcome="updated", bend=_no_mail),
    Case(name="only_other_mails", outcome="updated", bend=_only_other_mails),
    PAIR,
    Case(
        name="one_eppn_two_in_skolon",
        outcome="dead_lettered",
        reason="ambiguous_match",
        bend=_one_eppn_two_in_skolon,
    ),
    Case(
        name="bad_personal_number", outcome="dead_lettered", reason="invalid_user", bend=_bad_personal_number
    ),
    Case(name="temporary_number", outcome="updated", bend=_temporary_number),
    Case(name="coordination_number", outcome="updated", bend=_coordination_number),
    Case(name="protected_identity", outcome="out_of_scope", bend=_protected_identity),
    Case(name="disabled", outcome="out_of_scope", bend=_disabled),
    Case(name="guest", outcome="out_of_scope", bend=_guest),
    Case(name="nordic_letters", outcome="updated", bend=_nordic_letters),
    Case(name="long_names", outcome="updated", bend=_long_names),
)
