"""Explains what a run warns of, and how to fix it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.reports.remedy import Owner, remedy
from schemas.runs.run import WarningKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.reports.remedy import Remedy

WARNING_REMEDIES: Final[Mapping[WarningKind, Remedy]] = MappingProxyType(
    {
        WarningKind.COUNT_DIFFERS: remedy(
            Owner.ENTRA,
            (
                "Microsoft Graph räknar till ett annat antal användare än listan innehöll.",
                "Gör en fullständig körning till. Skiljer antalen sig igen, fråga Microsofts support om listan.",
            ),
            (
                "Microsoft Graph's count differs from the number of users on its list.",
                "Start another full run; if they still differ, ask Microsoft's support about the list.",
            ),
        ),
        WarningKind.BIRTHDAYS_REFUSED: remedy(
            Owner.ENTRA,
            (
                "Microsoft Graph lämnar inte ut några födelsedagar. Födelsedatum i Skolon ändras inte.",
                "Ge appen rätt att läsa födelsedagar, eller stäng av dem: tenants set TENANT --no-birthdays.",
            ),
            (
                "Microsoft Graph gives no birthdays. Birth dates in Skolon stay unchanged.",
                "Let the app read birthdays, or switch them off: tenants set TENANT --no-birthdays.",
            ),
        ),
        WarningKind.IDENTITY_KEPT: remedy(
            Owner.ENTRA,
            (
                "Den källa i Entra som förut innehöll användarens adress är tom. Värdet i Skolon är kvar.",
                (
                    "Fyll i källan igen, eller låt nästa källa ersätta värdet: tenants set TENANT "
                    "--replace-from-later-sources ATTRIBUTE."
                ),
            ),
            (
                "The source in Entra that held the user's address before is blank. Skolon keeps the value.",
                (
                    "Fill the source again, or let the next source replace the value: tenants set TENANT "
                    "--replace-from-later-sources ATTRIBUTE."
                ),
            ),
        ),
        WarningKind.NO_VALUES: remedy(
            Owner.ADMINISTRATOR,
            (
                (
                    "De flesta användare saknar i Entra ett värde som synken ska hämta. Det som Skolon har ändras "
                    "inte och kontrolleras inte."
                ),
                (
                    "Troligen är en källa fel: jämför med tenants show TENANT, prova en annan med tenants preview "
                    "TENANT --set ATTRIBUTE=SOURCE, ställ in den med tenants set, och gör en fullständig körning. "
                    "Ska attributet inte synkas, ställ in det utan källa: --source ATTRIBUTE=."
                ),
            ),
            (
                (
                    "Most users lack in Entra a value that the sync is to fetch. What Skolon has is neither "
                    "changed nor checked."
                ),
                (
                    "A source is probably wrong: look at tenants show TENANT, try another one with tenants preview "
                    "TENANT --set ATTRIBUTE=SOURCE, set it with tenants set, and trigger a full run. If the "
                    "attribute is not to be synced, set it without a source: --source ATTRIBUTE=."
                ),
            ),
        ),
        WarningKind.VALUES_ALTERED: remedy(
            Owner.SKOLON,
            (
                "Skolon visar ett värde på ett annat sätt än det skrevs. Det skrivs inte igen vid varje körning.",
                "Fråga Skolon om attributet får ändras och i vilken form, och rätta värdet i Entra.",
            ),
            (
                "Skolon does not show a value as it was written. It is not written again in each run.",
                "Ask Skolon whether and in which form the attribute may be changed; correct the value in Entra.",
            ),
        ),
        WarningKind.MESSAGES_LOST: remedy(
            Owner.OPERATOR,
            (
                "Användare som väntade hade inget meddelande kvar i RabbitMQ. De har publicerats på nytt.",
                (
                    "Körningen behöver ingen åtgärd. Töm inga köer medan körningar pågår, och ta bort policyer i "
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
        WarningKind.PAGE_LOST: remedy(
            Owner.OPERATOR,
            (
                "Meddelandet om listans nästa sida försvann i RabbitMQ. Listan läses från början igen.",
                (
                    "Körningen behöver ingen åtgärd. Töm inga köer medan körningar pågår, och ta bort policyer i "
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
