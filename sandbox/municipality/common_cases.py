"""The cases of ordinary people: what differs, and what only seems to."""

from __future__ import annotations

from datetime import timedelta

from sandbox.municipality.cases import Case, CaseUser, User
from sandbox.municipality.made_up_user import birthday


def _unchanged(person: CaseUser) -> list[User]:
    return [person.skolon]


# ---- right in spite of appearances


def _eppn_in_capitals(person: CaseUser) -> list[User]:
    person.extension["eppn"] = person.facts.mail.upper()
    return [person.skolon]


def _blank_in_entra(person: CaseUser) -> list[User]:
    person.entra.update({"city": None, "mobilePhone": "", "streetAddress": "   "})
    return [person.skolon]


def _birthday_not_set(person: CaseUser) -> list[User]:
    person.entra["birthday"] = "0001-01-01T00:00:00Z"
    return [person.skolon]


def _white_space(person: CaseUser) -> list[User]:
    person.entra["givenName"] = f" {person.facts.given_name}\t"
    person.entra["postalCode"] = f"{person.facts.postal_code} "
    return [person.skolon]


# ---- in need of a change


def married(person: CaseUser) -> list[User]:
    """Have Skolon hold a former surname."""
    person.skolon["name"]["familyName"] = f"{person.facts.surname}-Ogift"
    return [person.skolon]


def _new_phone(person: CaseUser) -> list[User]:
    for number in person.skolon["phoneNumbers"]:
        number["value"] = "070-174 06 00"
    return [person.skolon]


def _moved(person: CaseUser) -> list[User]:
    person.skolon["addresses"][0] |= {"streetAddress": "Gamla vägen 1", "postalCode": "99999"}
    return [person.skolon]


def _new_mail(person: CaseUser) -> list[User]:
    former = f"tidigare.{person.facts.mail}"
    person.skolon["emails"][0]["value"] = former
    person.extension["eppn"] = former
    return [person.skolon]


def _other_external_id(person: CaseUser) -> list[User]:
    person.skolon["externalId"] = f"elevregister-{person.facts.index}"
    return [person.skolon]


def _no_email_entry(person: CaseUser) -> list[User]:
    del person.skolon["emails"]
    return [person.skolon]


def _no_address_entry(person: CaseUser) -> list[User]:
    del person.skolon["addresses"]
    return [person.skolon]


def _entries_of_others(person: CaseUser) -> list[User]:
    _new_phone(person)
    person.skolon["emails"].append({"value": f"hemma.{person.facts.mail}", "type": "home"})
    person.skolon["phoneNumbers"].insert(0, {"value": "08-465 004 04", "type": "work"})
    person.skolon["addresses"].append(
        {"streetAddress": "Skolgatan 3", "locality": "Exempelstad", "postalCode": "12345", "type": "work"}
    )
    return [person.skolon]


def _birthday_new(person: CaseUser) -> list[User]:
    person.entra["birthday"] = birthday(person.facts.born)
    del person.extension["birthDate"]
    return [person.skolon]


def _birthday_corrected(person: CaseUser) -> list[User]:
    person.entra["birthday"] = birthday(person.facts.born)
    person.extension["birthDate"] = f"{person.facts.born + timedelta(days=1):%Y-%m-%d}"
    return [person.skolon]


UNCHANGED_CASE = Case(name="right", outcome="unchanged", apply=_unchanged)

#: Ordinary people about whom something differs, or seems to.
COMMON_CASES = (
    Case(name="new_surname", outcome="updated", apply=married),
    Case(name="new_mobile_phone", outcome="updated", apply=_new_phone),
    Case(name="moved", outcome="updated", apply=_moved),
    Case(name="new_mail", outcome="updated", apply=_new_mail),
    Case(name="other_external_id", outcome="updated", apply=_other_external_id),
    Case(name="no_email_entry", outcome="updated", apply=_no_email_entry),
    Case(name="no_address_entry", outcome="updated", apply=_no_address_entry),
    Case(name="entries_of_others", outcome="updated", apply=_entries_of_others),
    Case(name="birthday_new", outcome="updated", apply=_birthday_new),
    Case(name="birthday_corrected", outcome="updated", apply=_birthday_corrected),
    Case(name="birthday_not_set", outcome="unchanged", apply=_birthday_not_set),
    Case(name="blank_in_entra", outcome="unchanged", apply=_blank_in_entra),
    Case(name="eppn_in_capitals", outcome="unchanged", apply=_eppn_in_capitals),
    Case(name="white_space", outcome="unchanged", apply=_white_space),
)
