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
                "Entra godtar inte kommunens inloggningsuppgifter, så inga användare kunde läsas.",
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
                "Skolon godtar inte synkens inloggningsuppgifter, eller så är adressen fel.",
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
                "Be Skolon ge synkens inloggningsuppgifter den behörigheten, och återuppta körningen.",
            ),
            (
                "The sync may not read or change users in Skolon.",
                "Ask Skolon to give the credentials that right, and resume the run.",
            ),
        ),
        Cause.SKOLON_SEARCH: remedy(
            Owner.OPERATOR,
            (
                "Svaren på sökningar i Skolon går inte att lita på.",
                "Kör update-sync tenants check, och skicka detaljen till Skolon. Återuppta körningen när det är rättat.",
            ),
            (
                "Skolon's server does not search in a way that can be relied on.",
                "Run update-sync tenants check, and send the detail to Skolon; resume the run when it is fixed.",
            ),
        ),
        Cause.SKOLON_UPDATE: remedy(
            Owner.OPERATOR,
            (
                "Skolons server tar inte emot ändringar.",
                "Skicka detaljen till Skolon, och återuppta körningen när det är rättat.",
            ),
            (
                "Skolon's server does not take changes.",
                "Send the detail to Skolon, and resume the run when it is fixed.",
            ),
        ),
        Cause.GRAPH_QUERY: remedy(
            Owner.OPERATOR,
            (
                "Microsoft Graph avvisade frågan efter användare.",
                "Kontrollera UPDATE_SYNC_GRAPH_URL. Är den rätt, rapportera detaljen som ett fel i synken.",
            ),
            (
                "Microsoft Graph refused the query for users.",
                "Check Graph's address in the environment; if it is correct, report the detail as a bug.",
            ),
        ),
        Cause.PAGE_LOOP: remedy(
            Owner.ENTRA,
            (
                "Microsoft Graphs lista över användare tar aldrig slut.",
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
                "Microsoft Graph tappade gång på gång bort hur långt listan var läst.",
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
                    "Kontrollera Skolon, organisationen och matchningsnycklarna. Avbryt körningen och starta "
                    "en ny, eller låt den fortsätta: runs resume RUN --override-guard."
                ),
            ),
            (
                "The list was empty, or far fewer users were found in Skolon than in the last full run.",
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
                "Körningen skulle ändra eller utelämna fler användare, eller misslyckas för fler, än spärren tillåter.",
                (
                    "Se vad körningen skulle göra. Är det rätt, återuppta den. Är det fel, rätta först mappningen "
                    "eller urvalet, avbryt eller ångra sedan körningen, och starta därefter en ny."
                ),
            ),
            (
                "The run would change, fail for, or leave out more users than the guard allows.",
                (
                    "Check what it would do. If that is right, resume the run. If it is wrong, first correct the "
                    "mapping or the scope, then cancel or undo the run, then start a new one."
                ),
            ),
        ),
        Cause.GAVE_UP: remedy(
            Owner.OPERATOR,
            (
                "En sida av listan gick inte att läsa, under längre tid än synken får vänta.",
                "Se till att Microsoft Graph kan nås, och återuppta körningen.",
            ),
            (
                "A page of the list could not be read for longer than the sync may wait.",
                "Check that Microsoft Graph can be reached, and resume the run.",
            ),
        ),
        Cause.BUG: remedy(
            Owner.OPERATOR,
            (
                "Ett oväntat fel inträffade när användarna lästes.",
                "Rapportera detaljen till dem som utvecklar synken, och återuppta körningen när det är rättat.",
            ),
            (
                "An unexpected error occurred while users were read.",
                "Report the detail to the developers of the sync, and resume the run when it is fixed.",
            ),
        ),
    }
)

#: What is different for the halt of an undo, which reads nothing from Entra.
UNDO_HALT_REMEDIES: Final[Mapping[Cause, Remedy]] = MappingProxyType(
    {
        Cause.GUARD_EXCEEDED: remedy(
            Owner.ADMINISTRATOR,
            (
                "Ångringen skulle återställa fler användare, eller misslyckas för fler, än spärren tillåter.",
                (
                    "Se med 'runs show' vad den har gjort och skulle göra. Är det rätt, återuppta den med 'runs "
                    "resume'. Är det fel, avbryt den, eller ångra ångringen med 'runs undo'."
                ),
            ),
            (
                "The undo would restore, or fail for, more users than the guard allows.",
                (
                    "See with 'runs show' what it has done and would do. If that is right, continue it with 'runs "
                    "resume'. If it is wrong, cancel it, or undo the undo with 'runs undo'."
                ),
            ),
        ),
        Cause.GAVE_UP: remedy(
            Owner.OPERATOR,
            (
                "Ångringen kunde inte läsa vilka användare den ska återställa, under längre tid än synken får vänta.",
                "Se till att databasen och RabbitMQ går att nå, och återuppta ångringen.",
            ),
            (
                "The undo could not read which users it is to restore for longer than the sync may wait.",
                "Check that the database and RabbitMQ can be reached, and resume the undo.",
            ),
        ),
        Cause.BUG: remedy(
            Owner.OPERATOR,
            (
                "Ett oväntat fel inträffade under ångringen.",
                "Rapportera detaljen till dem som utvecklar synken, och återuppta ångringen när det är rättat.",
            ),
            (
                "An unexpected error occurred during the undo.",
                "Report the detail to the developers of the sync, and resume the undo when it is fixed.",
            ),
        ),
    }
)
