"""What the check of a tenant's credentials found, and how to fix it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.details.kinds import DetailKind
from schemas.details.template import Template

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECK_TEXTS: Final[Mapping[DetailKind, Template]] = MappingProxyType(
    {
        DetailKind.SECRET_LOOKS_RIGHT: Template(
            "ser ut som en hemlighets Value",
            "looks like a secret's Value",
        ),
        DetailKind.SECRET_DATE_PASSED: Template(
            "angiven som giltig till {date}, vilket har passerat",
            "entered as expiring on {date}, which has passed",
        ),
        DetailKind.SECRET_EXPIRES_SOON: Template(
            "går ut {date}, om {days:# dag|# dagar}",
            "expires on {date}, in {days:# day|# days}",
        ),
        DetailKind.SECRET_VALID: Template("giltig till {date}", "valid until {date}"),
        DetailKind.USERS_READABLE: Template(
            "{users:# användare|# användare} kan läsas, med allt som mappningen behöver",
            "{users} users can be read, with all that the mapping needs",
        ),
        DetailKind.NEEDS_TOKEN: Template("kräver en token", "needs a token"),
        DetailKind.CREDENTIALS_ACCEPTED: Template(
            "Entra godtar klient-id och klienthemlighet",
            "Entra accepts the client id and secret",
        ),
        DetailKind.USERS_NOT_READABLE: Template("användarna kunde inte läsas", "users could not be read"),
        DetailKind.BIRTHDAYS_NOT_WANTED: Template(
            "önskas inte, eller så finns det inga användare",
            "not wanted, or there are no users",
        ),
        DetailKind.BIRTHDAYS_READABLE: Template("kan läsas", "can be read"),
        DetailKind.BIRTHDAYS_UNREADABLE: Template(
            "kan inte läsas ({problem}); födelsedatum lämnas som de är",
            "cannot be read ({problem}); birth dates stay as they are",
        ),
        DetailKind.NOT_TRIED: Template("kunde inte prövas: {problem}", "could not be tried: {problem}"),
        DetailKind.USERS_NOT_SEARCHABLE: Template(
            "användarna kunde inte sökas",
            "users could not be searched",
        ),
        DetailKind.USERS_NOT_LISTED: Template(
            "Skolon räknar inte upp användarna, så sökningar kunde inte prövas: {problem}",
            "Skolon does not list users, so searches could not be proven: {problem}",
        ),
        DetailKind.NO_USER_READABLE: Template(
            "organisationen har ingen användare som kan läsas, så sökningar kunde inte prövas",
            "the organisation has no user that can be read, so searches could not be proven",
        ),
        DetailKind.USERS_SEARCHABLE: Template(
            "organisationens användare kan sökas",
            "the organisation's users can be searched",
        ),
        DetailKind.LISTED_INSTEAD_OF_SEARCHED: Template(
            "alla användare räknas upp för det, eftersom kommunens inställningar säger att servern saknar filter",
            "all users are listed for that, because the tenant says that the server has no filters",
        ),
        DetailKind.SEARCHES_BY_POST: Template(
            "sökningar görs med POST /.search",
            "searches by POST /.search",
        ),
        DetailKind.SEARCHES_BY_GET: Template(
            "sökningar görs med GET: filtren, som innehåller e-postadresser och personnummer, står i adresserna",
            "searches by GET: filters, which hold e-mail addresses and personal numbers, stand in URLs",
        ),
        DetailKind.KEY_NOT_FOUND: Template("{key}: {why}", "{key}: {why}"),
        DetailKind.NOT_FOUND_BY_KEY: Template(
            "en användare som har värdet hittas inte med det",
            "a user that has it is not found by it",
        ),
        DetailKind.FOUND_BY: Template("användare hittas på {keys:title}", "users are found by {keys}"),
        DetailKind.KEYS_WITHOUT_VALUE: Template(
            "ingen av de användare som lästes har {keys:title}",
            "none of the users that were read has {keys}",
        ),
        DetailKind.TOO_FEW_KEYS: Template(
            "ingen användare har två av matchningsnycklarna",
            "no user has two of the match keys",
        ),
        DetailKind.NOT_ALL_FOUND: Template("alla användare hittas inte", "not all of the users are found"),
        DetailKind.ONE_VALUE_AT_A_TIME: Template(
            "Skolon tar emot ett värde åt gången: varje värde söks för sig, så körningar tar längre tid",
            "Skolon takes one value at a time: each value is searched alone, so runs take longer",
        ),
        DetailKind.FOUND_TOGETHER: Template(
            "en sökning hittar användare på {keys:title}",
            "one search finds users by {keys}",
        ),
        DetailKind.VALUES_AT_A_TIME: Template(
            "Skolon tar emot {limit} värden åt gången",
            "Skolon takes {limit} values at a time",
        ),
        DetailKind.SEARCH_REFUSED: Template(
            "Skolon nekar sökningen ({answer})",
            "Skolon refuses the search ({answer})",
        ),
        DetailKind.PAGES_UNRELIABLE: Template(
            "sidorna upprepar användare eller utelämnar några",
            "pages repeat users, or leave users out",
        ),
        DetailKind.ONE_PAGE: Template("alla användare ryms på en sida", "all users are on one page"),
        DetailKind.PAGES_ADD_UP: Template("sidorna går ihop", "pages add up"),
        DetailKind.PAGES_BY_CURSOR: Template(
            "de hämtas med en markör (RFC 9865)",
            "they are asked for by a cursor (RFC 9865)",
        ),
        DetailKind.LISTED_BUT_UNREADABLE: Template(
            "en användare som Skolon räknar upp finns inte när den läses på sitt id",
            "a user that Skolon lists is not there when it is read by its id",
        ),
        DetailKind.READABLE_BY_ID: Template(
            "en användare kan läsas på sitt id",
            "a user can be read by its id",
        ),
        DetailKind.NOT_DESCRIBED: Template(
            "inget: den har varken ServiceProviderConfig eller Schemas, vilket är tillåtet",
            "nothing: it has no ServiceProviderConfig and no Schemas, which is allowed",
        ),
        DetailKind.TAKES_NO_PATCH: Template(
            "den tar inte emot PATCH, så ingen användare kan uppdateras",
            "it takes no PATCH, so no user can be updated",
        ),
        DetailKind.LACKS_ATTRIBUTES: Template("den saknar {attributes:title}", "it has no {attributes}"),
        DetailKind.READ_ONLY_ATTRIBUTES: Template(
            "den låter inget program ändra {attributes:title}",
            "it lets no client change {attributes}",
        ),
        DetailKind.HIDDEN_ATTRIBUTES: Template(
            "den visar aldrig {attributes:title}",
            "it never shows {attributes}",
        ),
        DetailKind.TAKES_PATCH: Template("den tar emot PATCH", "it takes PATCH"),
        DetailKind.NOTHING_AGAINST_UPDATES: Template(
            "inget talar mot uppdateringar",
            "nothing against updates",
        ),
        DetailKind.HAS_ATTRIBUTES: Template(
            "{fact}, och har alla attribut som synkas",
            "{fact}, and has all attributes of the sync",
        ),
        DetailKind.REFUSES_VERSIONS: Template(
            "Skolon nekar de versioner som det själv lämnar ut, så ändringar som ett annat program gör mellan läsning och skrivning märks inte",
            "Skolon refuses the versions that it gives, so changes of another program between reading and writing are not noticed",
        ),
        DetailKind.CHANGES_NOT_LET: Template(
            "Skolon låter inget program ändra {attributes:title} (mutability)",
            "Skolon lets no client change {attributes} (mutability)",
        ),
        DetailKind.NO_FORM_TAKEN: Template(
            "Skolon tar inte emot {attributes:title} i någon form av PATCH",
            "Skolon takes {attributes} in no form of PATCH",
        ),
        DetailKind.OTHER_FORMS: Template(
            "Skolon tar inte emot varje PATCH med sökvägar; synken skickar den som {forms}",
            "Skolon does not take every PATCH by paths; the sync sends it as {forms}",
        ),
        DetailKind.FOUND_OUT_AT: Template("{time}: {names}", "{time}: {names}"),
    }
)
