"""Explains why a message is a dead letter, and how to fix it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.dead_letter_reasons import Reason
from schemas.reports.remedy import Owner, remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.reports.remedy import Remedy

DEAD_LETTER_REMEDIES: Final[Mapping[Reason, Remedy]] = MappingProxyType(
    {
        Reason.INVALID_USER: remedy(
            Owner.ENTRA,
            (
                "Ett av användarens värden i Entra bryter mot attributets regel. Det skrivs inte, men de andra värdena skrivs.",
                "Rätta i Entra det fält som detaljen nämner, eller välj en annan källa för attributet.",
            ),
            (
                "A value of the user in Entra breaks its attribute's rule. It is not written; the other values are.",
                "Correct the field named in the detail in Entra, or choose another source for the attribute.",
            ),
        ),
        Reason.AMBIGUOUS_MATCH: remedy(
            Owner.ADMINISTRATOR,
            (
                "Flera användare i Skolon har det värde som användaren söks med.",
                "Slå ihop eller rätta de Skolon-användare som detaljen nämner, eller välj en med 'matches link'.",
            ),
            (
                "Several Skolon users have the value by which the user is searched.",
                "Merge or correct the Skolon users named in the detail, or choose one with 'matches link'.",
            ),
        ),
        Reason.SUSPICIOUS_MATCH: remedy(
            Owner.ADMINISTRATOR,
            (
                "Den Skolon-användare som hittades är kanske en annan person. Inget har ändrats i Skolon.",
                "Jämför dem med 'matches show'. Är det samma person: 'matches link'. Annars: 'matches ignore'.",
            ),
            (
                "The Skolon user that was found may be another person. Nothing was changed in Skolon.",
                "Compare them with 'matches show'. The same person: 'matches link'; otherwise: 'matches ignore'.",
            ),
        ),
        Reason.COLLISION: remedy(
            Owner.ADMINISTRATOR,
            (
                "Två användare i Entra leder till samma Skolon-användare. Den första har behållit den.",
                "Ge dem olika EPPN, användarnamn och e-post i Entra, eller avgör saken med 'matches ignore' och 'link'.",
            ),
            (
                "Two users in Entra lead to the same Skolon user. The first one has kept it.",
                "Give them different EPPNs, user names and e-mail in Entra, or decide with 'matches ignore' and 'link'.",
            ),
        ),
        Reason.VALUE_TAKEN: remedy(
            Owner.SKOLON,
            (
                "En annan Skolon-användare har ett värde som användaren ska få. De andra värdena har skrivits.",
                "Nämner detaljen också en användare i Entra, ge var och en ett eget värde i Entra. Annars: rätta den andra Skolon-användaren i Skolon.",
            ),
            (
                "Another Skolon user has a value that the user should get. The other values are written.",
                "If the detail names a user in Entra too, give each of the two a value of their own in Entra. Otherwise correct the other Skolon user in Skolon.",
            ),
        ),
        Reason.UNDO_FAILED: remedy(
            Owner.ADMINISTRATOR,
            (
                "En körning har inte kunnat ångras helt för användaren. Synken skriver inget för användaren förrän saken är avgjord.",
                "Se med 'matches show' vad som hindrade. Rätta det i Skolon och ångra samma körning igen med 'runs undo', eller avgör saken med 'matches link', 'ignore' eller 'forget'.",
            ),
            (
                "A run could not be undone completely for the user. The sync writes nothing for the user before that is settled.",
                "See with 'matches show' what was in the way. Correct it in Skolon and undo the same run again with 'runs undo', or decide with 'matches link', 'ignore' or 'forget'.",
            ),
        ),
        Reason.REJECTED_BY_SKOLON: remedy(
            Owner.SKOLON,
            (
                "Skolon tog inte emot ett värde eller hela ändringen. De värden som Skolon tog emot har skrivits.",
                "Detaljen nämner attributet och Skolons svar. Rätta värdet i Entra, eller fråga Skolon om orsaken.",
            ),
            (
                "Skolon refused a value, or the change of the user. The other values are written.",
                "See the attribute and Skolon's answer in the detail; correct the value in Entra, or ask Skolon why.",
            ),
        ),
        Reason.CONFLICT: remedy(
            Owner.SKOLON,
            (
                "Ett annat system ändrade användaren i Skolon varje gång som den skulle uppdateras.",
                "Ta reda på vilket annat system som ändrar användaren, och försök sedan igen med 'dead-letters replay'.",
            ),
            (
                "Another system changed the user in Skolon each time it was to be updated.",
                "Find the other system that changes the user, and then replay the message.",
            ),
        ),
        Reason.GAVE_UP: remedy(
            Owner.OPERATOR,
            (
                "Ett system som behövdes gick inte att nå, under längre tid än synken får vänta.",
                "Se till att det system som detaljen nämner går att nå, och försök sedan igen med 'dead-letters replay'.",
            ),
            (
                "A system was unavailable for longer than the sync may wait.",
                "Check that the system named in the detail is back, and then replay the message.",
            ),
        ),
        Reason.CRASHED_WORKER: remedy(
            Owner.OPERATOR,
            (
                "Arbetsprocessen kraschade varje gång den arbetade med användaren.",
                "Kontrollera processens logg och minnesgräns, rätta felet, och försök sedan igen med 'dead-letters replay'.",
            ),
            (
                "The process crashed each time it worked on the user.",
                "Check the process's log and memory limit, fix the fault, and then replay the message.",
            ),
        ),
        Reason.UNDECODABLE: remedy(
            Owner.OPERATOR,
            (
                "Synken kan inte tolka meddelandet.",
                "Ta reda på vilket program som skickar till kön, och rätta det enligt docs/asyncapi.yaml.",
            ),
            (
                "The sync cannot read the message.",
                "Find out which client publishes to the queue, and correct it as docs/asyncapi.yaml says.",
            ),
        ),
        Reason.INVALID_TRIGGER: remedy(
            Owner.OPERATOR,
            (
                "Begäran om en körning är inte rätt ifylld.",
                "Rätta de fält som detaljen nämner hos avsändaren, och skicka begäran på nytt.",
            ),
            (
                "The request for a run is not valid.",
                "Correct the fields named in the detail at the sender, and send the request again.",
            ),
        ),
        Reason.UNKNOWN_TENANT: remedy(
            Owner.OPERATOR,
            (
                "Det finns ingen kommun med den nyckeln.",
                "Lägg till kommunen med 'tenants add', eller rätta nyckeln hos avsändaren.",
            ),
            (
                "There is no tenant with that key.",
                "Add the tenant with 'tenants add', or correct the key at the sender.",
            ),
        ),
        Reason.GUARD_UNANSWERED: remedy(
            Owner.ADMINISTRATOR,
            (
                "En körning som spärren har stoppat väntar på svar, så ingen ny körning startades.",
                "Återuppta eller avbryt den stoppade körningen, och försök sedan igen med 'dead-letters replay'.",
            ),
            (
                "A run that the guard has halted waits for an answer, so no new run was started.",
                "Resume or cancel the halted run, then replay the request.",
            ),
        ),
        Reason.FORGED_MESSAGE: remedy(
            Owner.OPERATOR,
            (
                "Meddelandet är inte skapat av synken, eller har ändrats på vägen. Inget har gjorts på grund av det.",
                "Ta reda på vem som får skriva till RabbitMQ-köerna, se docs/rabbitmq.md, och kasta sedan meddelandet.",
            ),
            (
                "The message was not made by the sync, or was changed on its way. Nothing was done because of it.",
                "Find out which clients may write to RabbitMQ's queues, see docs/rabbitmq.md, and then discard the message.",
            ),
        ),
        Reason.BUG: remedy(
            Owner.OPERATOR,
            (
                "Ett oväntat fel inträffade.",
                "Rapportera detaljen till dem som utvecklar synken. Kör 'dead-letters replay' när felet är rättat.",
            ),
            (
                "An unexpected error occurred.",
                "Report the detail to the developers of the sync, and replay the message when it is fixed.",
            ),
        ),
    }
)

#: By the reason: what to do if so many users fail for it that the settings are at fault.
SOURCE_REMEDIES: Final[Mapping[Reason, Remedy]] = MappingProxyType(
    {
        Reason.INVALID_USER: remedy(
            Owner.ADMINISTRATOR,
            (
                "De flesta användarna har ett värde som bryter mot attributets regel. Troligen är en källa i inställningarna fel. De andra värdena skrivs.",
                "Se källorna med 'tenants show', prova en annan med 'tenants preview --set', och ändra med 'tenants set --source'.",
            ),
            (
                "Most users have a value that breaks its attribute's rule: a source in the settings is probably wrong. The other values are written.",
                "See the sources with 'tenants show', try another one with 'tenants preview --set', and change it with 'tenants set --source'.",
            ),
        ),
    }
)
