"""Explains why a run was halted, and how to fix it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.outcomes import Cause
from schemas.reports.remedy import Owner, remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.reports.remedy import Remedy

HALT_REMEDIES: Final[Mapping[Cause, Remedy]] = MappingProxyType(
    {
        Cause.ENTRA_CREDENTIALS: remedy(
            Owner.ADMINISTRATOR,
            (
                "Entra godtar inte kommunens uppgifter, så ingen kunde läsas.",
                "Rätta katalog-id, klient-id eller klienthemlighet (dess Value) med 'tenants set', och återuppta körningen.",
            ),
            (
                "Entra refuses the tenant's credentials, so no user could be read.",
                "Correct directory id, client id or client secret (its Value) with 'tenants set', and resume the run.",
            ),
        ),
        Cause.ENTRA_PERMISSION: remedy(
            Owner.ENTRA,
            (
                "Appen får inte läsa användare i Entra.",
                "Ge appen behörigheten User.Read.All (program) med administratörens medgivande, och återuppta körningen.",
            ),
            (
                "The app may not read users in Entra.",
                "Give the app the permission User.Read.All (application) with admin consent, and resume the run.",
            ),
        ),
        Cause.SKOLON_CREDENTIALS: remedy(
            Owner.OPERATOR,
            (
                "Skolon godtar inte synkens uppgifter eller adress.",
                "Rätta Skolons adress, token eller klient i miljön, eller kommunens organisation, och återuppta körningen.",
            ),
            (
                "Skolon refuses the sync's credentials or address.",
                "Correct Skolon's address, token or client in the environment, or the organisation, and resume the run.",
            ),
        ),
        Cause.SKOLON_PERMISSION: remedy(
            Owner.SKOLON,
            (
                "Synken får inte läsa eller ändra användare i Skolon.",
                "Be Skolon ge uppgifterna den rätten, och återuppta körningen.",
            ),
            (
                "The sync may not read or change users in Skolon.",
                "Ask Skolon to give the credentials that right, and resume the run.",
            ),
        ),
        Cause.SKOLON_SEARCH: remedy(
            Owner.OPERATOR,
            (
                "Skolons server söker inte så att svaren går att lita på.",
                "Kör update-sync tenants check, och ge Skolon det som detaljen säger; återuppta när det är rättat.",
            ),
            (
                "Skolon's server does not search in a way that can be relied on.",
                "Run update-sync tenants check, and give Skolon what the detail says; resume the run when it is fixed.",
            ),
        ),
        Cause.SKOLON_UPDATE: remedy(
            Owner.OPERATOR,
            (
                "Skolons server tar inte emot ändringar.",
                "Ge Skolon det som detaljen säger; återuppta körningen när det är rättat.",
            ),
            (
                "Skolon's server does not take changes.",
                "Give Skolon what the detail says, and resume the run when it is fixed.",
            ),
        ),
        Cause.GRAPH_QUERY: remedy(
            Owner.OPERATOR,
            (
                "Microsoft Graph avvisade frågan efter användare.",
                "Se efter att Graphs adress i miljön är rätt; är den det, rapportera detaljen som ett fel i synken.",
            ),
            (
                "Microsoft Graph refused the query for users.",
                "Check Graph's address in the environment; if it is correct, report the detail as a bug.",
            ),
        ),
        Cause.PAGE_LOOP: remedy(
            Owner.ENTRA,
            (
                "Graphs lista över användare går i cirkel.",
                "Återuppta körningen senare; händer det igen, ge Microsofts support det id som detaljen nämner.",
            ),
            (
                "Graph's list of users does not end.",
                "Resume the run later; if it happens again, give Microsoft's support the id in the detail.",
            ),
        ),
        Cause.PAGE_TOKEN: remedy(
            Owner.ENTRA,
            (
                "Graph glömde gång på gång hur långt listan var läst.",
                "Återuppta körningen senare, helst när katalogen inte ändras så mycket.",
            ),
            (
                "Graph repeatedly lost the position in the list.",
                "Resume the run later, preferably when the directory changes less.",
            ),
        ),
        Cause.SUSPICIOUS_LIST: remedy(
            Owner.OPERATOR,
            (
                "Listan var tom, eller så hittades långt färre i Skolon än vid den senaste fullständiga körningen.",
                (
                    "Se efter om Skolon, organisationen och matchningsnycklarna är rätt. Avbryt körningen och starta "
                    "en ny, eller låt den passera: runs resume RUN --override-guard."
                ),
            ),
            (
                "The list was empty, or far fewer people were found in Skolon than in the last full run.",
                (
                    "Check Skolon, the organisation and the match keys. Cancel the run and start a new one, or let "
                    "it pass: runs resume RUN --override-guard."
                ),
            ),
        ),
        Cause.MISSING_KEY: remedy(
            Owner.OPERATOR,
            (
                "Ett krypterat värde kan inte läsas: dess nyckel används inte längre.",
                "Ge alla processer den nya nyckeln och efter den den tidigare, starta om dem och återuppta.",
            ),
            (
                "An encrypted value cannot be decrypted: its key is no longer in use.",
                "Give every process the new key and the former one after it, restart them, and resume the run.",
            ),
        ),
        Cause.GUARD_EXCEEDED: remedy(
            Owner.ADMINISTRATOR,
            (
                "Körningen skulle ändra, misslyckas för eller utelämna fler än vad gränsen tillåter.",
                (
                    "Granska vad den vill göra. Är det rätt, återuppta körningen. Är det fel, rätta först mappningen "
                    "eller urvalet, avbryt eller ångra sedan körningen, och starta därefter en ny."
                ),
            ),
            (
                "The run would change, fail for, or leave out more people than the limit allows.",
                (
                    "Check what it would do. If that is right, resume the run. If it is wrong, first correct the "
                    "mapping or the scope, then cancel or undo the run, then start a new one."
                ),
            ),
        ),
        Cause.GAVE_UP: remedy(
            Owner.OPERATOR,
            (
                "En sida av listan kunde inte läsas inom den tid som det är tillåtet att vänta.",
                "Se till att Microsoft Graph kan nås, och återuppta körningen.",
            ),
            (
                "A page of the list could not be read in the time that a message may wait.",
                "Check that Microsoft Graph can be reached, and resume the run.",
            ),
        ),
        Cause.BUG: remedy(
            Owner.OPERATOR,
            (
                "Något gick fel vid läsningen som synken inte är beredd på.",
                "Rapportera detaljen till dem som utvecklar synken, och återuppta körningen när det är rättat.",
            ),
            (
                "An unexpected error occurred while users were read.",
                "Report the detail to the developers of the sync, and resume the run when it is fixed.",
            ),
        ),
    }
)
