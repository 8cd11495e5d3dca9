"""The cases of common users: what differs, and what only seems to."""

from __future__ import annotations

from datetime import timedelta

from sandbox.municipality.cases import Case, CaseUser, User
from sandbox.municipality.made_up_user import birthday


def _unchanged(user: CaseUser) -> list[User]:
    return [user.skolon]


# ---- right in spite of appearances


def _eppn_in_capitals(user: CaseUser) -> list[User]:
    user.extension["eppn"] = user.facts.mail.upper()
    return [user.skolon]


def _blank_in_entra(user: CaseUser) -> list[User]:
    user.entra.update({"city": None, "mobilePhone": "", "streetAddress": "   "})
    return [user.skolon]


def _birthday_not_set(user: CaseUser) -> list[User]:
    user.entra["birthday"] = "0001-01-01T00:00:00Z"
    return [user.skolon]


def _white_space(user: CaseUser) -> list[User]:
    user.entra["givenName"] = f" {user.facts.given_name}\t"
    user.entra["postalCode"] = f"{user.facts.postal_code} "
    return [user.skolon]


# ---- in need of a change


def married(user: CaseUser) -> list[User]:
    """Have Skolon hold a former surname."""
    user.skolon["name"]["familyName"] = f"{user.facts.surname}-Ogift"
    return [user.skolon]


def _new_phone(user: CaseUser) -> list[User]:
    for number in user.skolon["phoneNumbers"]:
        number["value"] = "070-174 06 00"
    return [user.skolon]


def _moved(user: CaseUser) -> list[User]:
    user.skolon["addresses"][0] |= {"streetAddress": "Gamla vägen 1", "postalCode": "99999"}
    return [user.skolon]


def _new_mail(user: CaseUser) -> list[User]:
    former = f"tidigare.{user.facts.mail}"
    user.skolon["emails"][0]["value"] = former
    user.extension["eppn"] = former
    return [user.skolon]


def _other_external_id(user: CaseUser) -> list[User]:
    user.skolon["externalId"] = f"elevregister-{user.facts.index}"
    return [user.skolon]


def _no_email_entry(user: CaseUser) -> list[User]:
    del user.skolon["emails"]
    return [user.skolon]


def _no_address_entry(user: CaseUser) -> list[User]:
    del user.skolon["addresses"]
    return [user.skolon]


def _entries_of_others(user: CaseUser) -> list[User]:
    _new_phone(user)
    user.skolon["emails"].append({"value": f"hemma.{user.facts.mail}", "type": "home"})
    user.skolon["phoneNumbers"].insert(0, {"value": "08-465 004 04", "type": "work"})
    user.skolon["addresses"].append(
        {"streetAddress": "Skolgatan 3", "locality": "Exempelstad", "postalCode": "12345", "type": "work"}
    )
    return [user.skolon]


def _birthday_new(user: CaseUser) -> list[User]:
    user.entra["birthday"] = birthday(user.facts.born)
    del user.extension["birthDate"]
    return [user.skolon]


def _birthday_corrected(user: CaseUser) -> list[User]:
    user.entra["birthday"] = birthday(user.facts.born)
    user.extension["birthDate"] = f"{user.facts.born + timedelta(days=1):%Y-%m-%d}"
    return [user.skolon]


UNCHANGED_CASE = Case(name="right", outcome="unchanged", apply=_unchanged)

#: Common users with a difference, real or apparent.
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
