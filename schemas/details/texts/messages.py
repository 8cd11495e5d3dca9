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
            "fälten i ett meddelande ska ha namn",
            "the fields of a message have names",
        ),
        DetailKind.TRIGGER_FIELDS_WITHOUT_NAMES: Template(
            "fälten i en begäran ska ha namn",
            "the fields of a trigger have names",
        ),
        DetailKind.TRIGGER_ID_UNUSABLE: Template(
            "begärans id får ha högst {limit} synliga tecken",
            "the trigger's id must be {limit} printable characters at most",
        ),
        DetailKind.TRIGGER_NOT_ALLOWED: Template(
            "läget undo, accept, settings och schemaläggarens id tas inte emot från andra program; 'update-sync runs undo', 'tenants preview' och 'scheduler' begär dem",
            "the mode undo, accept, settings and ids of the scheduler are not taken from clients; 'update-sync runs undo', 'tenants preview' and 'scheduler' ask for them",
        ),
        DetailKind.INVALID_SETTING: Template("settings.{fault}", "settings.{fault}"),
        DetailKind.NO_SUCH_TENANT: Template(
            "tenant: det finns ingen kommun med den nyckeln",
            "tenant: there is none of that key",
        ),
        DetailKind.TENANT_NOT_ENABLED: Template(
            "tenant: {tenant} är inte aktiverad",
            "tenant: {tenant} is not enabled",
        ),
        DetailKind.GUARD_UNANSWERED: Template(
            "gränsen har stoppat körning {run} för kommunen {tenant}. Ingen annan körning som ändrar personer startar innan du svarar: 'runs resume {run} --override-guard' låter den fortsätta, 'runs cancel {run}' avslutar den, 'runs undo {run}' återställer det som den har ändrat. Var inställningarna fel, rätta dem först, avbryt eller ångra sedan körningen, och starta därefter en ny med 'trigger'",
            "the guard has halted run {run} of tenant {tenant}. No other run that changes users starts before you answer: 'runs resume {run} --override-guard' lets it go on, 'runs cancel {run}' ends it, 'runs undo {run}' restores what it changed. If the settings were wrong, correct them first, then cancel or undo it, then trigger a new run",
        ),
        DetailKind.NO_RUN_TO_UNDO: Template(
            "reverts_run_id: kommunen har ingen körning {run}",
            "reverts_run_id: the tenant has no run {run}",
        ),
        DetailKind.DRY_RUN_TO_UNDO: Template(
            "reverts_run_id: körning {run} var en provkörning, som inte ändrar någon",
            "reverts_run_id: run {run} was a dry run, which changes no user",
        ),
        DetailKind.PAGE_WITHOUT_PROOF: Template(
            "meddelandet om en sida saknar bevis för att det är vårt",
            "the page message has no proof that it is ours",
        ),
        DetailKind.PAGE_WITH_OTHER_PROOF: Template(
            "beviset i meddelandet om en sida hör till ett annat meddelande",
            "the page message's proof is that of another message",
        ),
        DetailKind.USER_WITHOUT_PROOF: Template(
            "personens meddelande saknar bevis för att det är vårt",
            "the user's message has no proof that it is ours",
        ),
        DetailKind.USER_WITH_ODD_PAYLOAD: Template(
            "personens meddelande har ett innehåll som hör till något annat",
            "the user's message has a payload of something else",
        ),
        DetailKind.USER_WITH_OTHER_PAYLOAD: Template(
            "personens meddelande har innehållet i ett annat meddelande",
            "the user's message has the payload of another message",
        ),
        DetailKind.USER_OF_OTHER_TENANT: Template(
            "personens meddelande nämner en annan kommun än dess körning har",
            "the user's message names another tenant than its run has",
        ),
        DetailKind.RUN_OF_FORMER_DATABASE: Template(
            "meddelandet hör till en annan körning med samma nummer, i en tidigare databas",
            "the message is of another run with this number, from a former database",
        ),
        DetailKind.SEALED_BY_OTHERS: Template(
            "meddelandet innehåller något som ingen av körningens nycklar har förseglat",
            "the message holds what none of the run's keys has sealed",
        ),
    }
)
