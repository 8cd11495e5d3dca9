"""Explains every dead-letter reason, halt cause and run warning: what happened, and how to fix it.

In Swedish, for administrators of a municipality's directory, and in English; without any user's values.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.outcomes import Cause, Reason
from schemas.runs.run import WarningKind

if TYPE_CHECKING:
    from collections.abc import Mapping


class Language(StrEnum):
    """The languages there are (ISO 639-1)."""

    SWEDISH = "sv"
    ENGLISH = "en"


class Owner(StrEnum):
    """Who can fix it."""

    ENTRA = "entra"
    SKOLON = "skolon"
    DATA_HUB = "data_hub"
    OPERATOR = "operator"


@dataclass(frozen=True, kw_only=True)
class RemedyText:
    """What happened, and how to fix it, in one language."""

    what_happened: str
    fix: str


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """Who must act, and the texts in each language."""

    owner: Owner
    texts: Mapping[Language, RemedyText]


def remedy_for(what: Reason | Cause | WarningKind) -> Remedy:
    """Return the remedy for a dead letter's reason, a halt's cause or a run's warning."""
    match what:
        case Reason():
            return _REASONS[what]
        case Cause():
            return _CAUSES[what]
        case WarningKind():
            return _WARNINGS[what]


def _of(turn: Owner, swedish: tuple[str, str], english: tuple[str, str]) -> Remedy:
    texts = {
        Language.SWEDISH: RemedyText(what_happened=swedish[0], fix=swedish[1]),
        Language.ENGLISH: RemedyText(what_happened=english[0], fix=english[1]),
    }
    return Remedy(owner=turn, texts=MappingProxyType(texts))


_REASONS: Final[Mapping[Reason, Remedy]] = MappingProxyType(
    {
        Reason.INVALID_USER: _of(
            Owner.ENTRA,
            (
                "Ett värde hos personen i Entra bryter mot attributets regel. Inget har ändrats i Skolon.",
                "Rätta det fält som detaljen nämner i Entra, eller välj en annan källa för attributet.",
            ),
            (
                "A value of the person in Entra breaks its attribute's rule. Nothing was changed in Skolon.",
                "Correct the field named in the detail in Entra, or choose another source for the attribute.",
            ),
        ),
        Reason.AMBIGUOUS_MATCH: _of(
            Owner.SKOLON,
            (
                "Flera användare i Skolon har samma värde i den nyckel som personen söks med.",
                "Slå ihop eller rätta de Skolon-användare som detaljen nämner.",
            ),
            (
                "Several Skolon users have the same value of the key by which the person is searched.",
                "Merge or correct the Skolon users named in the detail.",
            ),
        ),
        Reason.COLLISION: _of(
            Owner.ENTRA,
            (
                "Två personer i Entra gör anspråk på samma Skolon-användare. Den första har behållit den.",
                "Ge de två personer som detaljen nämner olika EPPN, användarnamn och e-post i Entra.",
            ),
            (
                "Two people in Entra claim the same Skolon user. The first one has kept it.",
                "Give the two people named in the detail different EPPNs, user names and e-mail addresses in Entra.",
            ),
        ),
        Reason.REJECTED_BY_SKOLON: _of(
            Owner.SKOLON,
            (
                "Skolon tog inte emot ändringen av användaren.",
                "Se Skolons svar i detaljen; rätta värdet i Entra, eller fråga Skolon om orsaken.",
            ),
            (
                "Skolon refused the change of the user.",
                "See Skolon's answer in the detail; correct the value in Entra, or ask Skolon why.",
            ),
        ),
        Reason.CONFLICT: _of(
            Owner.SKOLON,
            (
                "Någon annan ändrade användaren i Skolon varje gång som den skulle uppdateras.",
                "Se efter vilken annan källa som skriver till användaren, och spela sedan upp meddelandet igen.",
            ),
            (
                "Another source changed the user in Skolon each time it was to be updated.",
                "Find the other source that writes to the user, and then replay the message.",
            ),
        ),
        Reason.GAVE_UP: _of(
            Owner.OPERATOR,
            (
                "Det som behövdes var borta längre än vad som är tillåtet att vänta.",
                "Se till att det system som detaljen nämner är tillbaka, och spela sedan upp meddelandet igen.",
            ),
            (
                "A system was unavailable for longer than a message may wait.",
                "Check that the system named in the detail is back, and then replay the message.",
            ),
        ),
        Reason.CRASHED_WORKER: _of(
            Owner.OPERATOR,
            (
                "Den process som arbetade med personen dog, gång på gång.",
                "Läs processens logg och minnesgräns, rätta felet, och spela sedan upp meddelandet igen.",
            ),
            (
                "The process died repeatedly while it handled this person.",
                "Check the process's log and memory limit, fix the fault, and then replay the message.",
            ),
        ),
        Reason.UNDECODABLE: _of(
            Owner.OPERATOR,
            (
                "Meddelandet är inget som synken förstår.",
                "Ta reda på vem som skickar till kön, och rätta avsändaren enligt beskrivningen av meddelanden.",
            ),
            (
                "The sync cannot read the message.",
                "Find out which client publishes to the queue, and correct it by the description of messages.",
            ),
        ),
        Reason.INVALID_TRIGGER: _of(
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
        Reason.UNKNOWN_TENANT: _of(
            Owner.DATA_HUB,
            (
                "Det finns ingen kommun med den nyckeln.",
                "Lägg till kommunen i Data Hub, eller rätta nyckeln hos avsändaren.",
            ),
            (
                "There is no tenant with that key.",
                "Add the tenant in the Data Hub, or correct the key at the sender.",
            ),
        ),
        Reason.FORGED_MESSAGE: _of(
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
        Reason.BUG: _of(
            Owner.OPERATOR,
            (
                "Något gick fel som synken inte är beredd på.",
                "Rapportera detaljen till dem som utvecklar synken, och spela upp meddelandet igen när det är rättat.",
            ),
            (
                "An unexpected error occurred.",
                "Report the detail to the developers of the sync, and replay the message when it is fixed.",
            ),
        ),
    }
)

_CAUSES: Final[Mapping[Cause, Remedy]] = MappingProxyType(
    {
        Cause.ENTRA_CREDENTIALS: _of(
            Owner.DATA_HUB,
            (
                "Entra godtar inte kommunens uppgifter, så ingen kunde läsas.",
                "Rätta katalog-id, klient-id eller klienthemlighet (dess Value) i Data Hub, och återuppta körningen.",
            ),
            (
                "Entra refuses the tenant's credentials, so no user could be read.",
                "Correct directory id, client id or client secret (its Value) in the Data Hub, and resume the run.",
            ),
        ),
        Cause.ENTRA_PERMISSION: _of(
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
        Cause.SKOLON_CREDENTIALS: _of(
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
        Cause.SKOLON_PERMISSION: _of(
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
        Cause.GRAPH_QUERY: _of(
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
        Cause.PAGE_LOOP: _of(
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
        Cause.PAGE_TOKEN: _of(
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
        Cause.SEALED_VALUE: _of(
            Owner.OPERATOR,
            (
                "Ett krypterat värde kan inte läsas: dess nyckel används inte längre.",
                "Lägg den tidigare nyckeln efter den nya i UPDATE_SYNC_SECRET_KEYS, och återuppta körningen.",
            ),
            (
                "An encrypted value cannot be decrypted: its key is no longer in use.",
                "Add the former key after the new one in UPDATE_SYNC_SECRET_KEYS, and resume the run.",
            ),
        ),
        Cause.GUARD_EXCEEDED: _of(
            Owner.DATA_HUB,
            (
                "Körningen skulle ändra fler än vad gränsen tillåter.",
                "Granska vad den vill ändra; rätta mappningen, eller godkänn och återuppta körningen.",
            ),
            (
                "The run would change more people than the limit allows.",
                "Check what it would change; correct the mapping, or override the guard and resume the run.",
            ),
        ),
        Cause.GAVE_UP: _of(
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
        Cause.BUG: _of(
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

_WARNINGS: Final[Mapping[WarningKind, Remedy]] = MappingProxyType(
    {
        WarningKind.COUNT_DIFFERS: _of(
            Owner.ENTRA,
            (
                "Microsoft Graph räknar till ett annat antal personer än vad listan innehöll.",
                "Gör en fullständig körning till; skiljer det sig igen, fråga Microsofts support om listan.",
            ),
            (
                "Microsoft Graph's count differs from the number of people on its list.",
                "Start another full run; if they still differ, ask Microsoft's support about the list.",
            ),
        ),
        WarningKind.BIRTHDAYS_REFUSED: _of(
            Owner.ENTRA,
            (
                "Microsoft Graph lämnar inte ut någons födelsedag. Födelsedatum i Skolon är oförändrade.",
                "Ge appen rätt att läsa födelsedagar, eller stäng av dem: tenants set TENANT --no-birthdays.",
            ),
            (
                "Microsoft Graph gives no birthdays. Birth dates in Skolon stay unchanged.",
                "Let the app read birthdays, or switch them off: tenants set TENANT --no-birthdays.",
            ),
        ),
        WarningKind.MESSAGES_LOST: _of(
            Owner.OPERATOR,
            (
                "Användare som väntade hade inget meddelande kvar i RabbitMQ. De har publicerats på nytt.",
                (
                    "Inget för körningens skull. Töm inga köer medan körningar pågår, och ta bort policyer i "
                    "RabbitMQ som kastar meddelanden."
                ),
            ),
            (
                "Messages of pending users were lost in RabbitMQ. They have been published again.",
                (
                    "The run needs nothing. Purge no queue while runs are open, and remove policies of "
                    "RabbitMQ that drop messages."
                ),
            ),
        ),
        WarningKind.PAGE_LOST: _of(
            Owner.OPERATOR,
            (
                "Nästa sida av listan hade inget meddelande kvar i RabbitMQ. Listan läses från början igen.",
                (
                    "Inget för körningens skull. Töm inga köer medan körningar pågår, och ta bort policyer i "
                    "RabbitMQ som kastar meddelanden."
                ),
            ),
            (
                "The message for the next page of the list was lost in RabbitMQ. The list is read again.",
                (
                    "The run needs nothing. Purge no queue while runs are open, and remove policies of "
                    "RabbitMQ that drop messages."
                ),
            ),
        ),
    }
)
