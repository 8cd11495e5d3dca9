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
            "gick ut {date}, enligt det datum som är angivet",
            "entered as expiring on {date}, which has passed",
        ),
        DetailKind.SECRET_EXPIRES_SOON: Template(
            "går ut {date}, om {days:# dag|# dagar}",
            "expires on {date}, in {days:# day|# days}",
        ),
        DetailKind.SECRET_VALID: Template("giltig till {date}", "valid until {date}"),
        DetailKind.USERS_READABLE: Template(
            "{users:# användare|# användare} kan läsas, med alla uppgifter som mappningen behöver",
            "{users} users can be read, with all that the mapping needs",
        ),
        DetailKind.NEEDS_TOKEN: Template("prövades inte: det finns ingen token", "needs a token"),
        DetailKind.CREDENTIALS_ACCEPTED: Template(
            "Entra godtar klient-id och klienthemlighet",
            "Entra accepts the client id and secret",
        ),
        DetailKind.USERS_NOT_READABLE: Template("användarna kunde inte läsas", "users could not be read"),
        DetailKind.BIRTHDAYS_NOT_WANTED: Template(
            "ska inte synkas, eller så finns det inga användare",
            "not wanted, or there are no users",
        ),
        DetailKind.BIRTHDAYS_READABLE: Template("kan läsas", "can be read"),
        DetailKind.BIRTHDAYS_UNREADABLE: Template(
            "kan inte läsas ({problem}); födelsedatum i Skolon ändras inte",
            "cannot be read ({problem}); birth dates stay as they are",
        ),
        DetailKind.NOT_TRIED: Template("kunde inte prövas: {problem}", "could not be tried: {problem}"),
        DetailKind.USERS_NOT_SEARCHABLE: Template(
            "användarna kunde inte sökas",
            "users could not be searched",
        ),
        DetailKind.USERS_NOT_LISTED: Template(
            "Skolon ger ingen lista över användarna, så sökningar kunde inte prövas: {problem}",
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
            "i stället för att söka läses alla användare, eftersom kommunens inställningar säger att servern inte kan söka",
            "all users are listed for that, because the tenant says that the server has no filters",
        ),
        DetailKind.SEARCHES_BY_POST: Template(
            "sökningar görs med POST /.search",
            "searches by POST /.search",
        ),
        DetailKind.SEARCHES_BY_GET: Template(
            "sökningar görs med GET: filtren, som innehåller e-postadresser och personnummer, blir en del av adresserna",
            "searches by GET: filters, which hold e-mail addresses and personal numbers, stand in URLs",
        ),
        DetailKind.KEY_NOT_FOUND: Template("{key}: {why}", "{key}: {why}"),
        DetailKind.NOT_FOUND_BY_KEY: Template(
            "en användare som har ett värde hittas inte med det",
            "a user that has it is not found by it",
        ),
        DetailKind.FOUND_BY: Template("användare hittas med {keys:name}", "users are found by {keys}"),
        DetailKind.KEYS_WITHOUT_VALUE: Template(
            "saknas hos alla användare som lästes: {keys:name}",
            "none of the users that were read has {keys}",
        ),
        DetailKind.TOO_FEW_KEYS: Template(
            "ingen användare har två av matchningsnycklarna",
            "no user has two of the match keys",
        ),
        DetailKind.NOT_ALL_FOUND: Template(
            "några av användarna hittas inte", "not all of the users are found"
        ),
        DetailKind.ONE_VALUE_AT_A_TIME: Template(
            "Skolon tar emot ett värde åt gången, så varje värde söks för sig och körningar tar längre tid",
            "Skolon takes one value at a time: each value is searched alone, so runs take longer",
        ),
        DetailKind.FOUND_TOGETHER: Template(
            "en enda sökning hittar användare med {keys:name}",
            "one search finds users by {keys}",
        ),
        DetailKind.VALUES_AT_A_TIME: Template(
            "Skolon tar emot {limit} värden åt gången",
            "Skolon takes {limit} values at a time",
        ),
        DetailKind.SEARCH_REFUSED: Template(
            "Skolon avvisar sökningen ({answer})",
            "Skolon refuses the search ({answer})",
        ),
        DetailKind.PAGES_UNRELIABLE: Template(
            "sidorna upprepar användare eller utelämnar några",
            "pages repeat users, or leave users out",
        ),
        DetailKind.ONE_PAGE: Template("alla användare ryms på en sida", "all users are on one page"),
        DetailKind.PAGES_ADD_UP: Template(
            "sidorna innehåller varje användare en gång", "the pages have each user once"
        ),
        DetailKind.PAGES_BY_CURSOR: Template(
            "de hämtas med en markör (RFC 9865)",
            "they are asked for by a cursor (RFC 9865)",
        ),
        DetailKind.LISTED_BUT_UNREADABLE: Template(
            "en användare i Skolons lista finns inte när den läses med sitt id",
            "a user that Skolon lists is not there when it is read by its id",
        ),
        DetailKind.READABLE_BY_ID: Template(
            "en användare kan läsas med sitt id",
            "a user can be read by its id",
        ),
        DetailKind.NOT_DESCRIBED: Template(
            "ingenting: servern har varken ServiceProviderConfig eller Schemas, vilket är tillåtet",
            "nothing: it has no ServiceProviderConfig and no Schemas, which is allowed",
        ),
        DetailKind.TAKES_NO_PATCH: Template(
            "servern tar inte emot PATCH, så ingen användare kan uppdateras",
            "it takes no PATCH, so no user can be updated",
        ),
        DetailKind.LACKS_ATTRIBUTES: Template("servern saknar {attributes:name}", "it has no {attributes}"),
        DetailKind.READ_ONLY_ATTRIBUTES: Template(
            "servern låter inget program ändra {attributes:name}",
            "it lets no client change {attributes}",
        ),
        DetailKind.HIDDEN_ATTRIBUTES: Template(
            "servern visar aldrig {attributes:name}",
            "it never shows {attributes}",
        ),
        DetailKind.TAKES_PATCH: Template("servern tar emot PATCH", "it takes PATCH"),
        DetailKind.NOTHING_AGAINST_UPDATES: Template(
            "inget talar mot uppdateringar",
            "nothing against updates",
        ),
        DetailKind.HAS_ATTRIBUTES: Template(
            "{fact} och har alla attribut som synkas",
            "{fact}, and has all attributes of the sync",
        ),
        DetailKind.REFUSES_VERSIONS: Template(
            "Skolon godtar inte de versioner som det självt lämnar ut, så en ändring som ett annat program gör mellan läsning och skrivning upptäcks inte",
            "Skolon refuses the versions that it gives, so changes of another program between reading and writing are not noticed",
        ),
        DetailKind.CHANGES_NOT_LET: Template(
            "Skolon låter inget program ändra {attributes:name} (mutability)",
            "Skolon lets no client change {attributes} (mutability)",
        ),
        DetailKind.NO_FORM_TAKEN: Template(
            "Skolon tar inte emot {attributes:name} i någon form av PATCH",
            "Skolon takes {attributes} in no form of PATCH",
        ),
        DetailKind.OTHER_FORMS: Template(
            "Skolon tar inte emot alla ändringar (PATCH) med sökvägar; synken skickar dem som {forms}",
            "Skolon does not take every PATCH by paths; the sync sends it as {forms}",
        ),
        DetailKind.FOUND_OUT_AT: Template("{time}: {names}", "{time}: {names}"),
    }
)
