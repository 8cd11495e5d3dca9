"""What a test of the connection found, and what should be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _

from administration.tenants.check_steps import CheckStep, Severity
from hub.presentation.details import page_detail
from schemas.details.detail import Detail, as_detail
from schemas.details.kinds import DetailKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask_babel.speaklater import LazyString

    from administration.tenants.check_steps import CheckResult
    from schemas.reports.remedy import Language

_TITLES: Final[Mapping[CheckStep, LazyString]] = {
    CheckStep.SECRET: _("The client secret looks like one"),
    CheckStep.SECRET_DATE: _("The client secret or certificate has not expired"),
    CheckStep.TOKEN: _("Microsoft Entra accepts the app and its secret or certificate"),
    CheckStep.ENTRA_USERS: _("The app may read the users"),
    CheckStep.BIRTHDAYS: _("The app may read birth dates"),
    CheckStep.SKOLON_USERS: _("The users can be searched in Skolon"),
    CheckStep.MATCH_KEYS: _("Users are found in Skolon"),
    CheckStep.SEVERAL_VALUES: _("Several users are found in Skolon at once"),
    CheckStep.PAGES: _("Skolon's list of users is whole"),
    CheckStep.ONE_USER: _("A user can be read in Skolon"),
    CheckStep.DESCRIPTION: _("Skolon takes updates"),
    CheckStep.UPDATES: _("Skolon takes updates of all attributes"),
    CheckStep.FOUND_OUT: _("What is known about Skolon's server"),
}

#: The steps that the people of Entra can do something about.
_OF_ENTRA: Final = frozenset(
    {
        CheckStep.SECRET,
        CheckStep.SECRET_DATE,
        CheckStep.TOKEN,
        CheckStep.ENTRA_USERS,
        CheckStep.BIRTHDAYS,
    }
)

_VALUE: Final = _("The Value of a client secret of this app that has not expired. The Secret ID is another.")
_APP: Final = _(
    "The Application (client) ID of an app in this directory: both ids stand on the app's Overview. "
    "The Object ID is another."
)
_DIRECTORY: Final = _("The Directory (tenant) ID that stands on the app's Overview.")
_PERMISSION: Final = _(
    "Microsoft Graph, User.Read.All, of the type Application, with the status Granted. "
    "The type Delegated is not enough. A grant may take a minute until it counts."
)
_AWAY: Final = _("An answer. Try again in a few minutes.")

#: What should be there, by what was found.
_SHOULD_BE: Final[Mapping[DetailKind, LazyString]] = {
    DetailKind.WRONG_SECRET: _VALUE,
    DetailKind.EXPIRED_SECRET: _VALUE,
    DetailKind.WRONG_CERTIFICATE: _(
        "The same certificate, uploaded to this app in Entra under Certificates & secrets > Certificates."
    ),
    DetailKind.SECRET_MISSING: _VALUE,
    DetailKind.CLIENT_REFUSED: _VALUE,
    DetailKind.SECRET_IS_GUID: _VALUE,
    DetailKind.SECRET_HAS_SPACE: _VALUE,
    DetailKind.UNKNOWN_APPLICATION: _APP,
    DetailKind.APPLICATION_DISABLED: _("An app that is enabled in this directory."),
    DetailKind.NO_SUCH_DIRECTORY: _DIRECTORY,
    DetailKind.GRAPH_PERMISSION_MISSING: _PERMISSION,
    DetailKind.SECRET_DATE_PASSED: _("A date that has not passed: make a new client secret in Entra."),
    DetailKind.SECRET_EXPIRES_SOON: _("A client secret with more time left: make a new one in Entra."),
    DetailKind.NOT_TRIED: _AWAY,
    DetailKind.BIRTHDAYS_UNREADABLE: _(
        "Birth dates that can be read. If they are not to be synced, ask Skolon's operators to say so in the "
        "settings. All else is synced."
    ),
}

_BY_STEP: Final[Mapping[CheckStep, LazyString]] = {
    CheckStep.TOKEN: _("An app and a client secret that Entra accepts."),
    CheckStep.ENTRA_USERS: _PERMISSION,
}

_IN_SKOLON: Final = _(
    "Nothing for you to do in Entra: Skolon's operators must act. Tell them this step's name."
)
_AT_SKOLON: Final = _("Something at Skolon is not as it should be.")


@dataclass(frozen=True, kw_only=True)
class CheckText:
    """A step in words; `found` and `should_be` are blank for one that is in order.

    `for_operators` has the details of what Skolon's operators must look at.
    """

    title: LazyString
    severity: Severity
    found: str | LazyString
    should_be: str | LazyString
    for_operators: str


def check_texts(steps: Sequence[CheckResult], language: Language) -> list[CheckText]:
    """Return the steps in words; what was skipped because an earlier step failed is left out."""
    return [_check_text(step, language) for step in steps if step.severity is not Severity.SKIPPED]


def _check_text(step: CheckResult, language: Language) -> CheckText:
    detail = page_detail(step.detail, language)
    found: str | LazyString = ""
    should_be: str | LazyString = ""
    for_operators = ""
    if step.severity is not Severity.OK:
        if step.name in _OF_ENTRA:
            found, should_be = detail, _should_be(step)
        else:
            found, should_be, for_operators = _AT_SKOLON, _IN_SKOLON, detail
    return CheckText(
        title=_TITLES[step.name],
        severity=step.severity,
        found=found,
        should_be=should_be,
        for_operators=for_operators,
    )


def _should_be(step: CheckResult) -> LazyString:
    for kind in _kinds(as_detail(step.detail)):
        if kind in _SHOULD_BE:
            return _SHOULD_BE[kind]
    return _BY_STEP.get(step.name, _AWAY)


def _kinds(detail: Detail) -> list[DetailKind]:
    """Return the kinds of a detail and of those inside of it, the innermost first."""
    inner = [each for each in detail.parameters.values() if isinstance(each, Detail)]
    return [*(kind for each in inner for kind in _kinds(each)), detail.kind]
