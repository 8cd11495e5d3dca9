"""What happened to one user: its values, the scope, its match, what was written."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.details.kinds import DetailKind
from schemas.details.template import Template

if TYPE_CHECKING:
    from collections.abc import Mapping

USER_TEXTS: Final[Mapping[DetailKind, Template]] = MappingProxyType(
    {
        DetailKind.INVALID_FIELD: Template("{field}: {message}", "{field}: {message}"),
        DetailKind.CONTROL_CHARACTER: Template(
            "{attribute:title}: innehåller ett styrtecken, till exempel en radbrytning",
            "{attribute:title}: has a control character, such as a line break",
        ),
        DetailKind.INVISIBLE_CHARACTER: Template(
            "{attribute:title}: innehåller det osynliga tecknet U+{code}",
            "{attribute:title}: has the invisible character U+{code}",
        ),
        DetailKind.NOT_AN_EPPN: Template(
            "{attribute:title}: ska ha exakt ett @ med något på båda sidor och inga mellanslag",
            "{attribute:title}: must have exactly one @, with something on both sides and no white space",
        ),
        DetailKind.NOT_A_PERSONAL_NUMBER: Template(
            "{attribute:title}: inte ett giltigt personnummer ({country:country})",
            "{attribute:title}: not a valid personal number ({country:country})",
        ),
        DetailKind.USER_WITHOUT_ID: Template(
            "Microsoft Graph lämnade ut användaren utan id",
            "id: Graph listed this user without one",
        ),
        DetailKind.NO_LONGER_IN_ENTRA: Template("användaren finns inte längre i Entra", "no longer in Entra"),
        DetailKind.EXCLUDED: Template("{setting}: {fact}", "{setting}: {fact}"),
        DetailKind.ACCOUNT_ENABLED: Template("kontot är aktiverat", "the account is enabled"),
        DetailKind.ACCOUNT_NOT_ENABLED: Template("kontot är inte aktiverat", "the account is not enabled"),
        DetailKind.ACCOUNT_MEMBER: Template("kontot hör till katalogen", "the account is a member"),
        DetailKind.ACCOUNT_NOT_MEMBER: Template("kontot är ett gästkonto", "the account is not a member"),
        DetailKind.INCLUDED_BY_RULE: Template("användaren omfattas av {rule}", "the user matches {rule}"),
        DetailKind.INCLUDED_BY_NO_RULE: Template(
            "användaren omfattas inte av någon regel",
            "the user matches no rule",
        ),
        DetailKind.EXCLUDED_BY_RULE: Template("användaren omfattas av regeln", "the user matches the rule"),
        DetailKind.NOT_EXCLUDED_BY_RULE: Template(
            "användaren omfattas inte av regeln",
            "the user does not match the rule",
        ),
        DetailKind.IGNORED_BY_DECISION: Template(
            "användaren lämnas orörd enligt ett beslut",
            "the user is left alone",
        ),
        DetailKind.DECISION_HONOURED: Template(
            "nästa körning följer beslutet",
            "the next run honours a decision",
        ),
        DetailKind.PROTECTED_IN_SKOLON: Template(
            "användaren är markerad som skyddad i Skolon",
            "Skolon marks the user as protected",
        ),
        DetailKind.NO_MATCH_KEY: Template(
            "inget av de värden som användaren kan hittas med i Skolon är ifyllt",
            "no match key has a value",
        ),
        DetailKind.AMBIGUOUS_MATCH: Template(
            "{ids:# användare|# användare} i Skolon har samma {attribute:name}: {ids}",
            "{ids:# Skolon user has|# Skolon users have} the same {attribute:title}: {ids}",
        ),
        DetailKind.SUSPICIOUS_MATCH: Template(
            "användaren {skolon_user} i Skolon har samma {keys:name} men är kanske en annan person ({agrees:agreeing} stämmer, {differs:differing} skiljer sig)",
            "Skolon user {skolon_user} has the same {keys:title}, but may be another person (the same: {agrees:agreeing}; different: {differs:differing})",
        ),
        DetailKind.COLLISION: Template(
            "Entra-användarna {holder} och {other} leder båda till användaren {skolon_user} i Skolon; den första behåller den",
            "Entra users {holder} and {other} lead to the same Skolon user {skolon_user}; the first one keeps it",
        ),
        DetailKind.COLLISION_WITH_TENANT: Template(
            "Entra-användaren {holder} i kommunen '{tenant}' och Entra-användaren {other} leder båda till användaren {skolon_user} i Skolon; den första behåller den",
            "Entra users {holder} of tenant '{tenant}' and {other} lead to the same Skolon user {skolon_user}; the first one keeps it",
        ),
        DetailKind.UNUSABLE_SKOLON_USER: Template(
            "användaren hittades i Skolon, men {why}",
            "the Skolon user was found, but {why}",
        ),
        DetailKind.SKOLON_ID_TOO_LONG: Template(
            "dess id i Skolon är längre än {limit} tecken",
            "its id in Skolon is longer than {limit} characters",
        ),
        DetailKind.SKOLON_ID_UNUSABLE: Template(
            "dess id i Skolon går inte att spara eller fråga efter",
            "its id in Skolon is none that can be kept or asked for",
        ),
        DetailKind.SKOLON_VERSION_UNUSABLE: Template(
            "dess version i Skolon får inte plats i ett HTTP-huvud med {limit} tecken",
            "its version in Skolon is none that a header of {limit} characters can hold",
        ),
        DetailKind.PROTECTED_USER_UNCHANGED: Template(
            "användaren i Skolon är markerad som skyddad och ändras aldrig",
            "the Skolon user is marked as protected, and never changed",
        ),
        DetailKind.VERIFIED_RECENTLY: Template(
            "kontrollerades nyligen: Skolon tillfrågades senast {time}",
            "verified recently: Skolon was last asked at {time}",
        ),
        DetailKind.REMOVED_DURING_RUN: Template(
            "togs bort ur Skolon under körningen",
            "removed from Skolon during the run",
        ),
        DetailKind.NO_LONGER_IN_SKOLON: Template("finns inte längre i Skolon", "no longer in Skolon"),
        DetailKind.BIRTH_DATE_NOT_READ: Template(
            "födelsedatumet kunde inte läsas: {problem}",
            "birth date not read: {problem}",
        ),
        DetailKind.BIRTHDAY_NO_DATE: Template(
            "födelsedagen i Microsoft Graph är inte ett datum",
            "Graph's birthday is no date",
        ),
        DetailKind.NO_SUCH_USER: Template("användaren finns inte", "no such user"),
        DetailKind.VALUES_KEPT: Template(
            "behålls, eftersom en tidigare källa i Entra är tom: {attributes:name}",
            "kept, because an earlier source in Entra is blank: {attributes:title}",
        ),
        DetailKind.VALUES_ALTERED: Template(
            "Skolon visar något annat än det som skrevs: {attributes:name}",
            "Skolon does not show as it was written: {attributes:title}",
        ),
        DetailKind.VALUE_REFUSED: Template(
            "Skolon tog inte emot {attribute:name} ({answer})",
            "Skolon refused {attribute:title} ({answer})",
        ),
        DetailKind.VALUE_TAKEN: Template(
            "{attribute:title}: användaren {skolon_user} i Skolon, som hör till Entra-användaren {holder}, har redan värdet",
            "{attribute:title}: Skolon user {skolon_user}, of Entra user {holder}, has the value",
        ),
        DetailKind.VALUE_TAKEN_FOR_GOOD: Template(
            "{attribute:title}: användaren {skolon_user} i Skolon, som inte hör till någon Entra-användare som synkas, har redan värdet",
            "{attribute:title}: Skolon user {skolon_user}, which belongs to no synced Entra user, has the value",
        ),
        DetailKind.TEMPORARY_VALUE_KEPT: Template(
            "{fault}; användaren {skolon_user} i Skolon har så länge användarens Entra-id som tillfälligt värde",
            "{fault}; Skolon user {skolon_user} keeps a temporary value, its Entra id",
        ),
        DetailKind.VALUE_GIVEN_UP_FIRST: Template(
            "en annan användare i körningen ska först lämna ifrån sig ett värde ({attributes:name})",
            "another user of the run gives up a value first ({attributes:title})",
        ),
        DetailKind.CHANGED_BY_OTHERS: Template(
            "ändrades i Skolon av ett annat program {times} gånger i följd",
            "changed in Skolon by another client {times} times in a row",
        ),
        DetailKind.UNDO_FAILED: Template(
            "körning {undo} skulle återställa det som körning {run} skrev till användaren {skolon_user} i Skolon, men lyckades inte helt",
            "undo run {undo} could not restore all that run {run} wrote to Skolon user {skolon_user}",
        ),
        DetailKind.UNDO_INCOMPLETE: Template(
            "körning {run} kunde inte ångras helt ({problem})",
            "run {run} could not be undone completely ({problem})",
        ),
        DetailKind.UNDO_FOUND_NOTHING: Template(
            "körning {run} har inte ändrat något hos användaren",
            "run {run} has changed nothing of this user",
        ),
        DetailKind.UNDO_SKIPPED: Template(
            "återställs inte, eftersom värdet har ändrats sedan dess: {attributes:name}",
            "skipped, because it changed since: {attributes:title}",
        ),
        DetailKind.UNDO_AS_BEFORE: Template(
            "har redan sitt tidigare värde: {attributes:name}",
            "has its former value already: {attributes:title}",
        ),
        DetailKind.NO_RESULT_OF_USER: Template(
            "körning {run} har inget resultat för användaren; har kommunen tagits bort?",
            "run {run} has no result of this user; has the tenant been removed?",
        ),
        DetailKind.OTHER_RUN_ACTIVE: Template(
            "en annan körning arbetar med användaren",
            "another run is processing this user",
        ),
        DetailKind.SETTLED_MEANWHILE: Template(
            "användaren har under tiden tagits om hand av ett annat meddelande",
            "another delivery has settled this user meanwhile",
        ),
    }
)
