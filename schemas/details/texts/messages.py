"""Why a message, or a request for a run, is refused."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.details.kinds import DetailKind
from schemas.details.template import Template

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGE_TEXTS: Final[Mapping[DetailKind, Template]] = MappingProxyType(
    {
        DetailKind.FIELDS_WITHOUT_NAMES: Template(
            "alla fält i ett meddelande ska ha namn",
            "the fields of a message have names",
        ),
        DetailKind.TRIGGER_FIELDS_WITHOUT_NAMES: Template(
            "alla fält i en begäran ska ha namn",
            "the fields of a trigger have names",
        ),
        DetailKind.TRIGGER_ID_UNUSABLE: Template(
            "begärans id får ha högst {limit} synliga tecken",
            "the trigger's id must be {limit} printable characters at most",
        ),
        DetailKind.TRIGGER_NOT_ALLOWED: Template(
            "andra program får inte begära läget `undo`, `accept`, `settings` eller schemaläggarens id; det gör bara 'update-sync runs undo', 'tenants preview' och 'scheduler'",
            "the mode undo, accept, settings and ids of the scheduler are not taken from clients; 'update-sync runs undo', 'tenants preview' and 'scheduler' ask for them",
        ),
        DetailKind.INVALID_SETTING: Template("settings.{fault}", "settings.{fault}"),
        DetailKind.NO_SUCH_TENANT: Template(
            "det finns ingen kommun med den nyckeln",
            "tenant: there is none of that key",
        ),
        DetailKind.TENANT_NOT_ENABLED: Template(
            "kommunen {tenant} är avstängd",
            "tenant: {tenant} is not enabled",
        ),
        DetailKind.GUARD_UNANSWERED: Template(
            "spärren har stoppat körning {run} för kommunen {tenant}. Ingen annan körning som ändrar användare startar innan du svarar: 'runs resume {run} --override-guard' låter den fortsätta, 'runs cancel {run}' avslutar den, 'runs undo {run}' återställer det som den har ändrat. Om inställningarna var fel: rätta dem först, avbryt eller ångra sedan körningen, och starta därefter en ny med 'trigger'",
            "the guard has halted run {run} of tenant {tenant}. No other run that changes users starts before you answer: 'runs resume {run} --override-guard' lets it go on, 'runs cancel {run}' ends it, 'runs undo {run}' restores what it changed. If the settings were wrong, correct them first, then cancel or undo it, then trigger a new run",
        ),
        DetailKind.NO_RUN_TO_UNDO: Template(
            "kommunen har ingen körning {run} som kan ångras",
            "reverts_run_id: the tenant has no run {run}",
        ),
        DetailKind.DRY_RUN_TO_UNDO: Template(
            "körning {run} var en provkörning och har inte ändrat någon användare, så det finns inget att ångra",
            "reverts_run_id: run {run} was a dry run, which changes no user",
        ),
        DetailKind.PAGE_WITHOUT_PROOF: Template(
            "meddelandet om en sida saknar bevis för att det kommer från synken",
            "the page message has no proof that it is ours",
        ),
        DetailKind.PAGE_WITH_OTHER_PROOF: Template(
            "beviset i meddelandet om en sida hör till ett annat meddelande",
            "the page message's proof is that of another message",
        ),
        DetailKind.USER_WITHOUT_PROOF: Template(
            "användarens meddelande saknar bevis för att det kommer från synken",
            "the user's message has no proof that it is ours",
        ),
        DetailKind.USER_WITH_ODD_PAYLOAD: Template(
            "användarens meddelande har ett innehåll som hör till något annat",
            "the user's message has a payload of something else",
        ),
        DetailKind.USER_WITH_OTHER_PAYLOAD: Template(
            "användarens meddelande har ett annat meddelandes innehåll",
            "the user's message has the payload of another message",
        ),
        DetailKind.USER_OF_OTHER_TENANT: Template(
            "användarens meddelande nämner en annan kommun än den som körningen gäller",
            "the user's message names another tenant than its run has",
        ),
        DetailKind.RUN_OF_FORMER_DATABASE: Template(
            "meddelandet hör till en annan körning med samma nummer, i en tidigare databas",
            "the message is of another run with this number, from a former database",
        ),
        DetailKind.SEALED_BY_OTHERS: Template(
            "meddelandet innehåller något som inte är krypterat med någon av körningens nycklar",
            "the message holds something that was encrypted with none of the run's keys",
        ),
    }
)
