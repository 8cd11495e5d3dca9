"""What is told of a run: its list of users, the guard, warnings, replays."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.details.kinds import DetailKind
from schemas.details.template import Template

if TYPE_CHECKING:
    from collections.abc import Mapping

RUN_TEXTS: Final[Mapping[DetailKind, Template]] = MappingProxyType(
    {
        DetailKind.PAGES_IN_CIRCLE: Template(
            "Microsoft Graphs sida {page} leder tillbaka till sida {earlier}; listan skulle aldrig ta slut",
            "Graph's page {page} leads back to page {earlier}; the list would never end",
        ),
        DetailKind.PAGES_ALMOST_EMPTY: Template(
            "{pages} sidor hade bara {users} användare, och det finns en sida till; listan skulle aldrig ta slut",
            "{pages} pages had {users} users, and there is a next page; the list would never end",
        ),
        DetailKind.MORE_USERS_THAN_COUNTED: Template(
            "{users} användare har lästs fast Microsoft Graph räknar till {counted}, och det finns en sida till; listan skulle aldrig ta slut",
            "{users} users came, Graph counts {counted}, and there is a next page; the list would never end",
        ),
        DetailKind.MORE_USERS_THAN_POSSIBLE: Template(
            "{users} användare har lästs fast det högst borde vara {limit}, och det finns en sida till; listan skulle aldrig ta slut",
            "{users} users came, more than {limit} are not waited for, and there is a next page; the list would never end",
        ),
        DetailKind.PAGE_TOKEN_FORGOTTEN: Template(
            "Microsoft Graph tappade bort hur långt listan var läst, varje gång som den lästes från början",
            "Graph forgot the page's token each time the list was begun again",
        ),
        DetailKind.PAGES_LOST: Template(
            "meddelandena om listans sidor försvann varje gång som listan lästes från början ({problem})",
            "the messages for its pages were lost each time the list was begun again ({problem})",
        ),
        DetailKind.PAGE_NOT_READ: Template(
            "en sida lästes inte: {problem}",
            "a page was not read: {problem}",
        ),
        DetailKind.PAGE_NOT_READ_AFTER: Template(
            "en sida lästes inte efter {attempts:# försök|# försök}: {problem}",
            "a page was not read after {attempts:# attempt|# attempts}: {problem}",
        ),
        DetailKind.EMPTY_LIST: Template(
            "Microsoft Graphs lista innehåller ingen användare",
            "Graph lists no user of the directory",
        ),
        DetailKind.EMPTY_LIST_BUT_COUNTED: Template(
            "Microsoft Graphs lista innehåller ingen användare, men det angivna antalet är {counted}",
            "Graph lists no user of the directory, but counts {counted}",
        ),
        DetailKind.NOT_FOUND_SURGE: Template(
            "{missing} av {sought} användare som den senaste fullständiga körningen hittade i Skolon hittas inte nu",
            "{missing} of {sought} users that the last full run had found were not found in Skolon",
        ),
        DetailKind.GUARD_EXCEEDED: Template(
            "{count} av {size} användare {limit:guard}; gränsen (guard.{limit}) är {most} användare och {share} %",
            "{count} of {size} users {limit:guard}; the limit (guard.{limit}) is {most:# user|# users} and {share}%",
        ),
        DetailKind.GUARD_EXCEEDED_OF_SYNCED: Template(
            "{count} av {size} synkade användare {limit:guard}; gränsen (guard.{limit}) är {most} användare och {share} %",
            "{count} of {size} synced users {limit:guard}; the limit (guard.{limit}) is {most:# user|# users} and {share}%",
        ),
        DetailKind.MOST_FREQUENT_RULE: Template(
            "oftast på grund av {rule} ({users} av de {all} användare som urvalet har utelämnat hittills)",
            "most often {rule} ({users} of the {all} users that the scope leaves out so far)",
        ),
        DetailKind.MOST_FREQUENT_FAILURE: Template(
            "oftast {reason} ({users} av de {all} som har misslyckats hittills)",
            "most often {reason} ({users} of the {all} failures so far)",
        ),
        DetailKind.MOST_FREQUENT_FAILURE_OF: Template(
            "oftast {reason} ({attributes:name}), {users} av de {all} som har misslyckats hittills",
            "most often {reason} ({attributes:title}), {users} of the {all} failures so far",
        ),
        DetailKind.FAILED_AGAIN: Template(
            "{failed} av de senaste {published} misslyckades igen, mer än {limit} % ({reasons})",
            "{failed} of the last {published} failed again, more than {limit}% ({reasons})",
        ),
        DetailKind.OF_REASON: Template("{reason}: {problem}", "{reason}: {problem}"),
        DetailKind.STILL_PENDING: Template(
            "inte klara efter {seconds} s: {users}",
            "still pending after {seconds} s: {users}",
        ),
        DetailKind.CANCELLED_BY_OPERATOR: Template(
            "avbröts av den som startade det",
            "cancelled by its operator",
        ),
        DetailKind.SERVICE_PROBLEM: Template("{service}: {problem}", "{service}: {problem}"),
        DetailKind.NOT_ASKED: Template(
            "{service} svarade inte som det ska ({problem}). Försök igen om en stund. Fortsätter det, kontrollera nätverket, proxyn och adresserna",
            "{service} did not answer as it should ({problem}). Try again later; if it keeps failing, check the network, the proxy and the addresses",
        ),
        DetailKind.NO_DELTA_LINK: Template(
            "alla användare läses, eftersom det inte finns någon sparad startpunkt (delta link) för dessa inställningar",
            "all users are read: no delta link is kept for these settings",
        ),
        DetailKind.DELTA_LINK_REFUSED: Template(
            "alla användare läses, eftersom Microsoft Graph inte längre godtar den sparade startpunkten (delta link) ({answer})",
            "all users are read: Graph no longer takes the stored delta link ({answer})",
        ),
        DetailKind.COUNT_HIGHER: Template(
            "Microsoft Graph räknade till {counted} användare, men {read} lästes: {missing} saknas kanske i listan",
            "Graph counted {counted} people, {read} were read: {missing} may be missing from its list",
        ),
        DetailKind.COUNT_LOWER: Template(
            "Microsoft Graph räknade till {counted} användare, men {read} lästes: antalet släpar kanske efter",
            "Graph counted {counted} people, {read} were read: its count may lag behind",
        ),
        DetailKind.PAGE_MESSAGE_LOST: Template(
            "meddelandet om en sida försvann; listan läses från början igen",
            "the message for a page was lost; the list was begun again",
        ),
        DetailKind.MESSAGES_LOST: Template(
            "{users:# användare som väntade hade inget meddelande kvar; det publicerades på nytt|# användare som väntade hade inga meddelanden kvar; de publicerades på nytt}",
            "{users:# pending user|# pending users} had no message any more: published again",
        ),
        DetailKind.IDENTITY_KEPT: Template(
            "{users:# användare|# användare} behåller ett värde, eftersom en tidigare källa i Entra är tom",
            "{users:# user keeps|# users keep} an identity value, because an earlier source in Entra is blank",
        ),
        DetailKind.NO_VALUES: Template(
            "{attributes:name}: inget värde i Entra för {users} av {all} användare; för dem synkas det inte",
            "{attributes:title}: no value in Entra for {users} of {all} users; it is not synced for them",
        ),
        DetailKind.SHOWN_OTHERWISE: Template(
            "Skolon visar ett värde hos {users:# användare|# användare} på ett annat sätt än det skrevs; det skrivs inte igen",
            "Skolon does not show a value of {users:# user|# users} as it was written; it is not written again",
        ),
    }
)
