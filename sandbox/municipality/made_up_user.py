"""One user: the facts, and how Entra and Skolon hold them when everything is right."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.municipality.names import mailbox
from sandbox.municipality.numbers import FIRST_SERIAL, SERIALS, personal_number
from sandbox.municipality.seeded_random import seeded_guid, seeded_random

if TYPE_CHECKING:
    from sandbox.municipality.names import Names

DOMAIN = "exempelkommun.example"
USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
SKOLON_SCHEMA = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User"

#: The attributes that carry the personal number, the school, a login name of some users' own, and the mark
#: of a protected identity.
SSN_SOURCE = "extensionAttribute1"
SCHOOL_SOURCE = "extensionAttribute2"
LOGIN_SOURCE = "extensionAttribute3"
PROTECTED_SOURCE = "extensionAttribute15"
PROTECTED_VALUE = "skyddad"

_STAFF_SHARE = 0.12
_PUPILS_PER_SCHOOL = 400
#: One in so many users has never had a birthday in Entra.
_NO_BIRTHDAY = 7
#: The numbers that the Swedish Post and Telecom Authority keeps free for fiction: 070-174 06 05 to 99.
_FIRST_PHONE, _PHONES = 5, 95

# First day of birth, and how many days there are; the stride shares no factor with the days,
# so a number comes back only after days * 20 users.
_PUPILS_BORN, _PUPIL_DAYS, _PUPIL_STRIDE = date(2007, 1, 1), 4700, 7
_STAFF_BORN, _STAFF_DAYS, _STAFF_STRIDE = date(1960, 1, 1), 14003, 11


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is true of one user."""

    index: int
    entra_id: str
    skolon_id: str
    given_name: str
    surname: str
    user_principal_name: str
    mail: str
    street: str
    town: str
    postal_code: str
    phone: str
    born: date
    personal_number: str
    school: str
    staff: bool
    #: False when the birthday was never set in Entra.
    birthday_known: bool


def make_facts(seed: int, index: int, names: Names, size: int) -> Facts:
    """Make up the user with this number, of a municipality with ``size`` users."""
    chance = seeded_random(seed, index)
    staff = chance.random() < _STAFF_SHARE
    given_name, surname = chance.choice(names.given), chance.choice(names.family)
    if staff:
        born = _STAFF_BORN + timedelta(days=index // SERIALS * _STAFF_STRIDE % _STAFF_DAYS)
    else:
        born = _PUPILS_BORN + timedelta(days=index // SERIALS * _PUPIL_STRIDE % _PUPIL_DAYS)
    short = f"{mailbox(given_name)[:3]}{mailbox(surname)[:3]}"
    part = "" if staff else "elev."
    return Facts(
        index=index,
        entra_id=seeded_guid(seed, "entra", index),
        skolon_id=seeded_guid(seed, "skolon", index),
        given_name=given_name,
        surname=surname,
        user_principal_name=f"{short}{index:05d}@{DOMAIN}",
        mail=f"{mailbox(f'{given_name} {surname}')}.{index:05d}@{part}{DOMAIN}",
        street=f"{chance.choice(names.streets)} {chance.randint(1, 80)}",
        town=chance.choice(names.towns),
        postal_code=f"{chance.randint(10000, 98499)}",
        phone=f"070-174 06 {_FIRST_PHONE + index % _PHONES:02d}",
        born=born,
        personal_number=personal_number(born, FIRST_SERIAL + index % SERIALS),
        school=f"Exempelskolan {1 + chance.randrange(1 + size // _PUPILS_PER_SCHOOL)}",
        staff=staff,
        birthday_known=index % _NO_BIRTHDAY != 0,
    )


def birthday(day: date) -> str:
    """Return a day as Graph writes a birthday."""
    return f"{day:%Y-%m-%d}T00:00:00Z"


def entra_user(facts: Facts) -> dict[str, Any]:
    """Return the user as Graph would, with every property that the sync may ask for."""
    extension: dict[str, str | None] = {f"extensionAttribute{number}": None for number in range(1, 16)}
    extension[SSN_SOURCE] = facts.personal_number
    extension[SCHOOL_SOURCE] = facts.school
    user: dict[str, Any] = {
        "id": facts.entra_id,
        "userPrincipalName": facts.user_principal_name,
        "mail": facts.mail,
        "otherMails": [],
        "onPremisesImmutableId": base64.b64encode(uuid.UUID(facts.entra_id).bytes).decode(),
        "givenName": facts.given_name,
        "surname": facts.surname,
        "displayName": f"{facts.given_name} {facts.surname}",
        "jobTitle": "Lärare" if facts.staff else "Elev",
        "city": facts.town,
        "streetAddress": facts.street,
        "postalCode": facts.postal_code,
        "mobilePhone": facts.phone,
        "onPremisesExtensionAttributes": extension,
        "accountEnabled": True,
        "userType": "Member",
    }
    if facts.birthday_known:
        user["birthday"] = birthday(facts.born)
    return user


def skolon_user(facts: Facts) -> dict[str, Any]:
    """Return the user as Skolon has it when it needs no change, as SCIM JSON."""
    return {
        "schemas": [USER_SCHEMA, SKOLON_SCHEMA],
        "id": facts.skolon_id,
        "externalId": facts.entra_id,
        "userName": facts.user_principal_name,
        "name": {"givenName": facts.given_name, "familyName": facts.surname},
        "active": True,
        "emails": [{"value": facts.mail, "type": "work", "primary": True}],
        "phoneNumbers": [{"value": facts.phone, "type": "home"}, {"value": facts.phone, "type": "mobile"}],
        "addresses": [
            {
                "streetAddress": facts.street,
                "locality": facts.town,
                "postalCode": facts.postal_code,
                "type": "home",
            }
        ],
        SKOLON_SCHEMA: {
            "eppn": facts.mail,
            "idpIdentifier": facts.user_principal_name,
            "ssn": facts.personal_number,
            "birthDate": f"{facts.born:%Y-%m-%d}",
        },
    }
