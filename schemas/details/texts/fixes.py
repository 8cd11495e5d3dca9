"""How to fix what the check of a tenant's credentials found."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.details.kinds import DetailKind
from schemas.details.template import Template

if TYPE_CHECKING:
    from collections.abc import Mapping

FIX_TEXTS: Final[Mapping[DetailKind, Template]] = MappingProxyType(
    {
        DetailKind.FIX_AWAY: Template(
            "försök igen senare; om det fortsätter, kontrollera nätverket, proxyn och adresserna",
            "try again later; if it keeps failing, check the network, the proxy and the addresses",
        ),
        DetailKind.FIX_TLS: Template(
            "om certifikatet kommer från en egen utfärdare eller en proxy, ange utfärdarens fil i UPDATE_SYNC_CA_BUNDLE; kontrollera annars adressen",
            "if an authority of your own, or a proxy's, has issued the certificate, name its file in UPDATE_SYNC_CA_BUNDLE; otherwise check the address",
        ),
        DetailKind.FIX_CREDENTIALS: Template(
            "Entra admin center > Appregistreringar > appen > Certifikat och hemligheter; sedan: update-sync tenants set {tenant} --client-secret. Katalog-id (tenant id) och klient-id står på appens översiktssida",
            "Entra admin centre > App registrations > the app > Certificates & secrets; then: update-sync tenants set {tenant} --client-secret. Directory (tenant) id and client id are on the app's overview page",
        ),
        DetailKind.FIX_PERMISSION: Template(
            "Entra admin center > Appregistreringar > appen > API-behörigheter: lägg till Microsoft Graph, programbehörigheten User.Read.All, och bevilja administratörens medgivande",
            "Entra admin centre > App registrations > the app > API permissions: add Microsoft Graph, application permission User.Read.All, and grant admin consent",
        ),
        DetailKind.FIX_GRAPH_ADDRESS: Template(
            "kontrollera UPDATE_SYNC_GRAPH_URL; är den rätt, rapportera det som ett fel",
            "check UPDATE_SYNC_GRAPH_URL; if it is right, report this as a bug",
        ),
        DetailKind.FIX_SKOLON_CREDENTIALS: Template(
            "kontrollera UPDATE_SYNC_SKOLON_SCIM_URL, …_SKOLON_TOKEN eller …_SKOLON_CLIENT_ID och …_SECRET, och kommunens organisation",
            "check UPDATE_SYNC_SKOLON_SCIM_URL, …_SKOLON_TOKEN or …_SKOLON_CLIENT_ID and …_SECRET, and the tenant's organisation",
        ),
        DetailKind.FIX_SKOLON_SEARCH: Template(
            "skicka det som står här till Skolon: synken behöver kunna söka efter ett värde (RFC 7644 avsnitt 3.4.2.2)",
            "send this message to Skolon: the sync has to be able to search for one value (RFC 7644 section 3.4.2.2)",
        ),
        DetailKind.FIX_SKOLON_PERMISSION: Template(
            "be Skolon ge inloggningsuppgifterna behörighet att läsa och ändra användarna",
            "ask Skolon to give the credentials the right to read and change the users",
        ),
        DetailKind.FIX_REPORT: Template(
            "rapportera det till dem som utvecklar synken", "report it to the developers of the sync"
        ),
        DetailKind.FIX_SECRET: Template(
            "Entra admin center > Appregistreringar > appen > Certifikat och hemligheter: kopiera Value för en ny hemlighet (den visas bara en gång)",
            "Entra admin centre > App registrations > the app > Certificates & secrets: copy the Value of a new secret (it is shown only once)",
        ),
        DetailKind.FIX_SECRET_DATE: Template(
            "Entra admin center > Appregistreringar > appen > Certifikat och hemligheter: skapa en ny, och ange den med dess datum",
            "Entra admin centre > App registrations > the app > Certificates & secrets: make a new one, and set it with its date",
        ),
        DetailKind.FIX_BIRTHDAYS: Template(
            "om födelsedatum inte ska synkas: update-sync tenants set {tenant} --no-birthdays",
            "if birth dates are not to be synced: update-sync tenants set {tenant} --no-birthdays",
        ),
        DetailKind.FIX_GET: Template(
            "be Skolon ta emot POST /Users/.search (RFC 7644 avsnitt 3.4.3), och att tills vidare inte skriva adresserna i sina servrars och proxyers loggar",
            "ask Skolon to take POST /Users/.search (RFC 7644 section 3.4.3), and until then to keep URLs out of the logs of its servers and proxies",
        ),
        DetailKind.FIX_OR: Template(
            "inget behöver göras; körningar går fortare om Skolon tar emot `or` (RFC 7644 avsnitt 3.4.2.2)",
            "nothing has to be done; runs are faster if Skolon takes `or` (RFC 7644 section 3.4.2.2)",
        ),
        DetailKind.FIX_PAGES: Template(
            "inget behöver göras: där sidor upprepar eller utelämnar användare söks varje värde för sig. Körningar går fortare om Skolon sorterar alla sidor i en sökning på samma sätt (RFC 7644 avsnitt 3.4.2.4)",
            "nothing has to be done: where pages repeat or leave out users, each value is searched alone. Runs are faster if Skolon sorts all pages of a search alike (RFC 7644 section 3.4.2.4)",
        ),
        DetailKind.FIX_UPDATES: Template(
            "fråga Skolon om det (RFC 7644 avsnitt 3.5.2 och 3.14); när det fungerar: update-sync tenants check {tenant} --forget",
            "ask Skolon about it (RFC 7644 sections 3.5.2 and 3.14); when it does: update-sync tenants check {tenant} --forget",
        ),
        DetailKind.FIX_KEYS: Template(
            "be Skolon göra det möjligt att söka användare med det, eller ta bort det ur matchningsnycklarna: update-sync tenants set {tenant} --match-keys",
            "ask Skolon to let users be searched by it, or leave it out of the match keys: update-sync tenants set {tenant} --match-keys",
        ),
        DetailKind.FIX_PATCH: Template(
            "be Skolon ta emot PATCH (RFC 7644 avsnitt 3.5.2), eller låt hela användare skickas med PUT: update-sync tenants set {tenant} --skolon-lacks patch",
            "ask Skolon to take PATCH (RFC 7644 section 3.5.2), or have whole users sent by PUT: update-sync tenants set {tenant} --skolon-lacks patch",
        ),
        DetailKind.FIX_ATTRIBUTES: Template(
            "fråga Skolon om det; 'runs show' nämner det som synken inte kan skriva",
            "ask Skolon about it; 'runs show' names what the sync cannot write",
        ),
        DetailKind.SECRET_IS_GUID: Template(
            "den ser ut som en GUID och är alltså hemlighetens id (Secret ID): det är hemlighetens Value som behövs",
            "it looks like a GUID, so it is the Secret ID: the secret's Value is needed",
        ),
        DetailKind.SECRET_HAS_SPACE: Template(
            "den innehåller mellanslag, och en hemlighets Value har inga",
            "it has white space in it, and a secret's Value has none",
        ),
    }
)
