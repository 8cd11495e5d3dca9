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
                "Microsoft Graph räknar till ett annat antal personer än vad listan innehöll.",
                "Gör en fullständig körning till; skiljer det sig igen, fråga Microsofts support om listan.",
            ),
            (
                "Microsoft Graph's count differs from the number of people on its list.",
                "Start another full run; if they still differ, ask Microsoft's support about the list.",
            ),
        ),
        WarningKind.BIRTHDAYS_REFUSED: remedy(
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
        WarningKind.IDENTITY_KEPT: remedy(
            Owner.ENTRA,
            (
                "En källa i Entra är tom som förut hade personens adress. Värdet i Skolon är kvar.",
                (
                    "Fyll i källan igen, eller låt nästa källa ersätta värdet: tenants set TENANT "
                    "--replace-from-later-sources ATTRIBUTE."
                ),
            ),
            (
                "A source in Entra is blank that held the person's address before. Skolon keeps the value.",
                (
                    "Fill the source again, or let the next source replace the value: tenants set TENANT "
                    "--replace-from-later-sources ATTRIBUTE."
                ),
            ),
        ),
        WarningKind.VALUES_ALTERED: remedy(
            Owner.SKOLON,
            (
                "Skolon visar inte ett värde så som det skrevs. Det skrivs inte igen vid varje körning.",
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
        WarningKind.PAGE_LOST: remedy(
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
