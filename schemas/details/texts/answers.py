"""What Skolon, Entra and Microsoft Graph answered, or why they did not."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.details.kinds import DetailKind
from schemas.details.template import Template

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER_TEXTS: Final[Mapping[DetailKind, Template]] = MappingProxyType(
    {
        DetailKind.HTTP_STATUS: Template("HTTP {status}", "HTTP {status}"),
        DetailKind.HTTP_STATUS_AND_CODE: Template("HTTP {status} {code}", "HTTP {status} {code}"),
        DetailKind.HTTP_STATUS_BUT: Template("HTTP {status}, men {why}", "HTTP {status}, but {why}"),
        DetailKind.WITH_REQUEST_ID: Template(
            "{answer}, begärans id {request_id}",
            "{answer}, request id {request_id}",
        ),
        DetailKind.NO_JSON_OBJECT: Template("svaret är inte ett JSON-objekt", "no JSON object"),
        DetailKind.NO_NUMBER: Template("svaret är inte ett tal", "no number"),
        DetailKind.NO_LIST: Template("`{field}` är inte en lista", "`{field}` is no list"),
        DetailKind.NO_TEXT: Template("`{field}` är inte en text", "`{field}` is no text"),
        DetailKind.NO_TOTAL: Template("totalResults saknas", "totalResults: missing"),
        DetailKind.OTHER_USER_IN_ANSWER: Template(
            "svaret gäller en annan användare",
            "it holds another user",
        ),
        DetailKind.UNREADABLE_FIELDS: Template("svaret går inte att tolka: {faults}", "{faults}"),
        DetailKind.UNREADABLE_USER: Template(
            "användaren som hittades går inte att tolka: {faults}",
            "the user found is unreadable: {faults}",
        ),
        DetailKind.PAGE_TOO_LARGE: Template(
            "sidan innehåller {users} användare, men högst {limit} är tillåtna",
            "its page holds {users} users, and {limit} are the most",
        ),
        DetailKind.NO_NEXT_LINK: Template(
            "svaret har ingen länk till nästa sida eller till nästa ändringar",
            "it leads neither to a next page nor to the next delta",
        ),
        DetailKind.MISSING_IN_BATCH: Template(
            "svar på just denna fråga saknas i det samlade svaret",
            "the batch holds no answer for this one",
        ),
        DetailKind.TOO_MANY_FOUND: Template(
            "sökningen hittade fler än {limit} användare",
            "the search found more than {limit} users",
        ),
        DetailKind.REQUEST_FAILED: Template("anropet misslyckades", "the request failed"),
        DetailKind.CONNECTION_FAILED: Template(
            "anslutningen gick inte att upprätta, eller så bröts den",
            "no connection, or it broke",
        ),
        DetailKind.PROXY_FAILED: Template(
            "proxyn kan inte nås, eller så avvisar den anropet",
            "the proxy cannot be reached or refuses",
        ),
        DetailKind.TLS_FAILED: Template(
            "TLS misslyckades; är certifikatet betrott? (UPDATE_SYNC_CA_BUNDLE anger fler utfärdare)",
            "TLS failed; is the certificate trusted? (UPDATE_SYNC_CA_BUNDLE names further authorities)",
        ),
        DetailKind.NO_ANSWER_IN_TIME: Template("inget svar kom i tid", "no answer in time"),
        DetailKind.NO_CONNECTION_IN_TIME: Template(
            "ingen anslutning kom till stånd i tid",
            "no connection in time",
        ),
        DetailKind.ANSWER_BROKE_OFF: Template("svaret avbröts", "the answer broke off"),
        DetailKind.ANSWER_NOT_DECOMPRESSED: Template(
            "svaret går inte att packa upp",
            "the answer cannot be decompressed",
        ),
        DetailKind.ANSWER_NO_JSON: Template("svaret är inte JSON", "the answer is no JSON"),
        DetailKind.ANSWER_TOO_LARGE: Template("svaret är för stort", "the answer is too large"),
        DetailKind.ANSWER_IS_ERROR: Template("svaret är ett fel", "the answer is an error"),
        DetailKind.FAILED_REPEATEDLY: Template(
            "anropet misslyckades gång på gång",
            "the request failed repeatedly",
        ),
        DetailKind.ANSWER_IS_REDIRECT: Template(
            "svaret hänvisar till en annan adress",
            "the answer is a redirect",
        ),
        DetailKind.NO_ADDRESS: Template("ingen adress är angiven", "no address is set"),
        DetailKind.ADDRESS_WITHOUT_SCHEME: Template("adressen saknar https://", "the address lacks https://"),
        DetailKind.ADDRESS_WITH_ODD_SCHEME: Template(
            "adressen börjar inte med https:// eller http://",
            "the address is neither https:// nor http://",
        ),
        DetailKind.ADDRESS_INVALID: Template("adressen är ingen giltig URL", "the address is no valid URL"),
        DetailKind.PROXY_ADDRESS_INVALID: Template(
            "proxyns adress är ingen giltig URL",
            "the proxy's address is no valid URL",
        ),
        DetailKind.HEADER_UNSENDABLE: Template(
            "ett HTTP-huvud går inte att skicka", "a header cannot be sent"
        ),
        DetailKind.BODY_NO_JSON: Template(
            "innehållet går inte att skriva som JSON",
            "the body cannot be written as JSON",
        ),
        DetailKind.ANSWER_READ_TWICE: Template("ett svar lästes två gånger", "an answer was read twice"),
        DetailKind.BODY_NOT_SENT_AGAIN: Template(
            "innehållet går inte att skicka en gång till",
            "a body cannot be sent again",
        ),
        DetailKind.NOT_ENCODABLE: Template(
            "ett HTTP-huvud eller en adress går inte att koda",
            "a header or an address cannot be encoded",
        ),
        DetailKind.NETWORK_UNUSABLE: Template(
            "nätverket eller filen med certifikatutfärdare går inte att använda",
            "the network or the file of certificate authorities cannot be used",
        ),
    }
)
