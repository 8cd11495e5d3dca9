"""Why a run was halted."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.details.kinds import DetailKind
from schemas.details.template import Template

if TYPE_CHECKING:
    from collections.abc import Mapping

HALT_TEXTS: Final[Mapping[DetailKind, Template]] = MappingProxyType(
    {
        DetailKind.SKOLON_ADDRESS: Template(
            "Skolon: {problem}; kontrollera kommunens organisation och UPDATE_SYNC_SKOLON_SCIM_URL",
            "Skolon: {problem}; check the tenant's organisation and UPDATE_SYNC_SKOLON_SCIM_URL",
        ),
        DetailKind.SKOLON_TOKEN_REFUSED: Template(
            "Skolon godtar inte token (HTTP 401); kontrollera UPDATE_SYNC_SKOLON_TOKEN, eller klient-id och klienthemlighet",
            "Skolon does not take the token (HTTP 401); check UPDATE_SYNC_SKOLON_TOKEN, or client id and secret",
        ),
        DetailKind.SKOLON_READ_FORBIDDEN: Template(
            "Skolon låter inte synken läsa användare i den här organisationen (HTTP 403); inloggningsuppgifterna behöver behörighet till det",
            "Skolon does not let us read users of this organisation (HTTP 403); the credentials need the right to",
        ),
        DetailKind.SKOLON_CHANGE_FORBIDDEN: Template(
            "Skolon låter inte synken ändra användare i den här organisationen (HTTP 403); inloggningsuppgifterna behöver behörighet till det",
            "Skolon does not let us change users of this organisation (HTTP 403); the credentials need the right to",
        ),
        DetailKind.SKOLON_KNOWS_NO_USERS: Template(
            "Skolon har inga användare på den här adressen (HTTP 404); kontrollera kommunens organisation och UPDATE_SYNC_SKOLON_SCIM_URL",
            "Skolon knows no users at this address (HTTP 404); check the tenant's organisation and UPDATE_SYNC_SKOLON_SCIM_URL",
        ),
        DetailKind.ADDRESS_IN_SETTING: Template("{setting}: {problem}", "{setting}: {problem}"),
        DetailKind.TOKEN_ENDPOINT: Template(
            "adressen där token hämtas: {problem}", "token endpoint: {problem}"
        ),
        DetailKind.NO_TOKEN: Template("HTTP {status} utan token", "HTTP {status} without a token"),
        DetailKind.SKOLON_CLIENT_REFUSED: Template(
            "Skolons tokentjänst godtar inte klient-id och klienthemlighet (HTTP {status}); kontrollera UPDATE_SYNC_SKOLON_CLIENT_ID, …_CLIENT_SECRET och …_TOKEN_URL",
            "Skolon's token endpoint refuses the client id and secret (HTTP {status}); check UPDATE_SYNC_SKOLON_CLIENT_ID, …_CLIENT_SECRET and …_TOKEN_URL",
        ),
        DetailKind.LIST_UNUSABLE: Template(
            "Skolons lista över alla användare går inte att använda: {why}",
            "Skolon's list of all users is of no use: {why}",
        ),
        DetailKind.MANY_UNREADABLE: Template(
            "fler än {limit} av användarna i den går inte att tolka",
            "more than {limit} of its users are unreadable",
        ),
        DetailKind.PAGES_DO_NOT_ADD_UP: Template(
            "antalen stämmer inte överens ({seen})", "it does not add up: {seen}"
        ),
        DetailKind.PAGES_SEEN: Template(
            "{found} olika användare på sidorna, {counted} enligt det angivna antalet",
            "{found} different users on its pages, {counted} by its count",
        ),
        DetailKind.LIST_TOO_LONG: Template(
            "den har fler än {limit} användare",
            "it has more than {limit} users",
        ),
        DetailKind.SEARCH_DOES_NOT_ADD_UP: Template(
            "antalen i Skolons svar på en sökning efter ett värde stämmer inte överens ({seen})",
            "Skolon's answer to a search for one value does not add up: {seen}",
        ),
        DetailKind.EVERY_SEARCH_REFUSED: Template(
            "Skolon avvisar alla sökningar i den här organisationen ({answer})",
            "Skolon refuses every search of this organisation ({answer})",
        ),
        DetailKind.SEARCH_BY_KEY_REFUSED: Template(
            "Skolon avvisar alla sökningar med {attribute:name} i den här organisationen ({answer})",
            "Skolon refuses every search by {attribute:title} of this organisation ({answer})",
        ),
        DetailKind.FILTER_IGNORED: Template(
            "Skolon tar ingen hänsyn till filtret i en sökning: användare som inte har värdet hittas ändå",
            "Skolon ignores the filter of a search: it finds users that have not the value",
        ),
        DetailKind.KEY_FINDS_NO_USER: Template(
            "Skolon hittar inte användare med {attribute:name}: {users:# användare|# användare} som har ett värde hittades inte med det. Nyckeln kan tas bort ur kommunens matchningsnycklar",
            "Skolon does not find users by {attribute:title}: {users} that have it are not found by it. It can be left out of the tenant's match keys",
        ),
        DetailKind.USER_PERHAPS_CREATED: Template(
            "Skolon har svarat 201 på en PUT av användaren {skolon_user}: kanske skapades en användare som just hade tagits bort. Leta efter den i Skolon, och ta bort `patch` ur inställningen skolon_lacks",
            "Skolon has answered a PUT of user {skolon_user} with 201: it may have created a user that was just deleted; look for it in Skolon, and take `patch` out of skolon_lacks",
        ),
        DetailKind.UPDATES_IGNORED: Template(
            "Skolon svarar att ändringar lyckas, men inget ändras: {users} användare i följd är som förut. Fråga Skolon om inloggningsuppgifterna har behörighet att ändra användare i den här organisationen",
            "Skolon answers updates with success and changes nothing: {users} users in a row are as they were; ask Skolon whether the credentials may change users of this organisation",
        ),
        DetailKind.GRAPH_TOKEN_REFUSED: Template(
            "Microsoft Graph godtar inte kommunens token ({answer})",
            "Graph does not take the tenant's token ({answer})",
        ),
        DetailKind.GRAPH_PERMISSION_MISSING: Template(
            "appen saknar User.Read.All (av typen Program), eller så har ingen administratör i katalogen gett sitt medgivande ({answer})",
            "The application lacks User.Read.All (of the kind Application), or an administrator of the directory has not granted consent to it ({answer})",
        ),
        DetailKind.GRAPH_QUERY_REFUSED: Template(
            "Microsoft Graph avvisar anropet ({answer})",
            "Graph refuses the query ({answer})",
        ),
        DetailKind.NEXT_LINK_ELSEWHERE: Template(
            "Microsoft Graphs länk till nästa sida leder någon annanstans",
            "Graph's link to the next page leads somewhere else",
        ),
        DetailKind.FOREIGN_TOKEN_ENDPOINT: Template(
            "OpenID-konfigurationen hos {expected} anger adressen {found} för token; den ska ligga hos {expected}. Inget skickades dit. Om ert moln loggar in där, ange den i UPDATE_SYNC_ENTRA_AUTHORITY",
            "The OpenID configuration of {expected} names a token endpoint at {found}; it should be at {expected}. Nothing was sent there. If your cloud signs in there, set UPDATE_SYNC_ENTRA_AUTHORITY to it",
        ),
        DetailKind.LINK_OF_OTHER_GRAPH: Template(
            "den sparade länken leder till en annan adress för Microsoft Graph än UPDATE_SYNC_GRAPH_URL",
            "the kept link leads to another Graph than UPDATE_SYNC_GRAPH_URL",
        ),
        DetailKind.ODD_ADDRESS: Template("en adress som inte går att tolka", "an address that is none"),
        DetailKind.SENSELESS_ANSWER: Template(
            "ett svar som inte går att förstå",
            "an answer that makes no sense",
        ),
        DetailKind.TOKEN_ENDPOINT_BUSY: Template(
            "tokentjänsten svarar {error}",
            "the token endpoint says {error}",
        ),
        DetailKind.TOKEN_REFUSED: Template("{hint} ({facts:list})", "{hint} ({facts:list})"),
        DetailKind.TOKEN_REFUSED_FOR_SECRET_ID: Template(
            "{hint}. Det som angavs ser ut som en GUID, och är alltså hemlighetens id (Secret ID): det är hemlighetens Value som behövs. ({facts:list})",
            "{hint}. What was given looks like a GUID, so it is the Secret ID: the secret's Value is needed. ({facts:list})",
        ),
        DetailKind.TRACE_ID: Template("spårnings-id {id}", "trace id {id}"),
        DetailKind.NO_ERROR_NAMED: Template("inget fel angivet", "no error named"),
        DetailKind.WRONG_SECRET: Template(
            "Klienthemligheten är fel. Ofta har hemlighetens id (Secret ID) klistrats in i stället för dess Value. Value visas bara när en hemlighet skapas, så skapa en ny om den är borta",
            "The client secret is wrong. Often the Secret ID has been pasted in place of the Value; the Value is shown only when a secret is made, so make a new one if it is lost",
        ),
        DetailKind.WRONG_CERTIFICATE: Template(
            "Entra känner inte igen certifikatet: ladda upp det (utan nyckel) till appen under Certifikat och hemligheter, eller ange det som finns där",
            "Entra does not know the certificate: upload it (without its key) to the app under Certificates & secrets, or give the one that is there",
        ),
        DetailKind.EXPIRED_SECRET: Template(
            "Klienthemligheten har gått ut: skapa en ny i Entra och ange den här",
            "The client secret has expired: make a new one in Entra and set it here",
        ),
        DetailKind.UNKNOWN_APPLICATION: Template(
            "Appen (klient-id) är inte känd i den katalogen: kontrollera klient-id, katalog-id, och att appen har fått medgivande där",
            "The application (client id) is not known in that directory: check the client id, the directory (tenant) id, and that the application has been consented to there",
        ),
        DetailKind.NO_SUCH_DIRECTORY: Template(
            "Det finns ingen sådan katalog: kontrollera katalog-id (tenant id)",
            "There is no such directory: check the directory (tenant) id",
        ),
        DetailKind.SECRET_MISSING: Template("Klienthemligheten saknas", "The client secret is missing"),
        DetailKind.APPLICATION_DISABLED: Template(
            "Appen är inaktiverad i den katalogen",
            "The application is disabled in that directory",
        ),
        DetailKind.BLOCKED_BY_POLICY: Template(
            "En princip för villkorsstyrd åtkomst i katalogen blockerar appen",
            "A conditional access policy of the directory blocks the application",
        ),
        DetailKind.CLIENT_REFUSED: Template(
            "Entra godtar inte klient-id och klienthemlighet",
            "Entra does not take the client id and secret",
        ),
        DetailKind.SIGN_IN_FORBIDDEN: Template(
            "Appen får inte logga in i den katalogen",
            "The application may not sign in to that directory",
        ),
        DetailKind.UNKNOWN_SCOPE: Template(
            "Entra känner inte till den behörighet som begärs: kontrollera UPDATE_SYNC_GRAPH_URL",
            "Entra does not know the scope that is asked for: check UPDATE_SYNC_GRAPH_URL",
        ),
        DetailKind.UNKNOWN_GRAPH: Template(
            "Entra känner inte till den Graph-adress som begärs: kontrollera UPDATE_SYNC_GRAPH_URL",
            "Entra does not know the Graph that is asked for: check UPDATE_SYNC_GRAPH_URL",
        ),
        DetailKind.APPLICATION_REFUSED: Template(
            "Katalogen nekar appen",
            "The directory refuses the application",
        ),
        DetailKind.POLICIES_REFUSE: Template(
            "Katalogens principer nekar appen",
            "The directory's policies refuse the application",
        ),
        DetailKind.TOKEN_NOT_GIVEN: Template(
            "Entra lämnar inte ut någon token",
            "Entra refuses to give a token",
        ),
        DetailKind.NO_KEY_FITS: Template(
            "ett krypterat värde går inte att läsa: ingen av nycklarna i UPDATE_SYNC_SECRET_KEYS passar. Ange den tidigare nyckeln efter den nya",
            "An encrypted value cannot be read: none of the keys in UPDATE_SYNC_SECRET_KEYS fits. Put the former key after the new one",
        ),
    }
)
