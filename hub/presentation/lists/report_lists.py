"""The lists of the report: what each is about, and its rows, with ids and without values."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from hub.presentation.advice import advice_on
from hub.presentation.words import REASONS, VALUE_MATCHES
from schemas.dead_letter_reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flask_babel.speaklater import LazyString

    from schemas.reports.data_quality import (
        DataQualityReport,
        SharedValues,
        UserFindings,
        UserPairs,
    )
    from schemas.reports.remedy import Language

Rows = list[tuple[object, ...]]

_USER: Final = _("Entra id")
_DETAIL: Final = _("What is wrong")


@dataclass(frozen=True, kw_only=True)
class ReportList:
    """A list: its title, what to do about its users, its columns, how many entries it has, and the first.

    The columns `user_columns`, by their number, have ids of users in Entra.
    """

    title: LazyString
    advice: LazyString
    headings: Sequence[LazyString]
    count: Callable[[DataQualityReport], int]
    rows: Callable[[DataQualityReport, Language], Rows]
    user_columns: Sequence[int] = (0,)


def _shared(found: SharedValues) -> Rows:
    return [(number, user) for number, group in enumerate(found.groups, 1) for user in group]


def _pairs(found: UserPairs) -> Rows:
    return [(user, other) for user, other in found.users]


def _users(found: UserFindings) -> Rows:
    return [(user,) for user, _detail in found.users]


def _ambiguous(report: DataQualityReport, language: Language) -> Rows:
    advice = advice_on(Reason.AMBIGUOUS_MATCH, language)
    return [(user, advice.detail_text(detail)) for user, detail in report.ambiguous.users]


def _failed(report: DataQualityReport, language: Language) -> Rows:
    return [
        (user, REASONS[reason], advice_on(reason, language).detail_text(detail))
        for user, reason, detail in report.failed.users
    ]


def _collisions(report: DataQualityReport, _language: Language) -> Rows:
    # Another organisation's user is not for this one's people to see.
    return [
        (
            user,
            gettext("a user of another organisation") if each.holder_tenant else each.holder_entra_id,
            each.skolon_id,
        )
        for user, each in report.collisions.users
    ]


def _sign_in(report: DataQualityReport, _language: Language) -> Rows:
    return [
        (
            user,
            "" if match.email is None else VALUE_MATCHES[match.email],
            "" if match.idp_identifier is None else VALUE_MATCHES[match.idp_identifier],
        )
        for user, match in report.sign_in.users
    ]


#: The list that concerns those alone who sign in by QR code.
SIGN_IN_LIST: Final = "no-sign-in-by-qr"

#: By the name in a list's address.
REPORT_LISTS: Final[Mapping[str, ReportList]] = MappingProxyType(
    {
        "same-eppn": ReportList(
            title=_("EPPNs that several users in Entra have"),
            advice=_("Give each of them an EPPN of their own in Entra."),
            headings=(_("Group"), _USER),
            count=lambda report: report.same_eppn.count,
            rows=lambda report, _language: _shared(report.same_eppn),
            user_columns=(1,),
        ),
        "same-personal-number": ReportList(
            title=_("Personal numbers that several users in Entra have"),
            advice=_("Correct the number of those that it does not belong to in Entra."),
            headings=(_("Group"), _USER),
            count=lambda report: report.same_number.count,
            rows=lambda report, _language: _shared(report.same_number),
            user_columns=(1,),
        ),
        "collisions": ReportList(
            title=_("Two users in Entra match one in Skolon"),
            advice=_("Give them different EPPNs, user names and e-mail addresses in Entra."),
            headings=(_USER, _("Kept by"), _("Skolon id")),
            count=lambda report: report.collisions.count,
            rows=_collisions,
        ),
        "ambiguous": ReportList(
            title=_("Several users in Skolon match"),
            advice=_("Merge or correct these users in Skolon."),
            headings=(_USER, _DETAIL),
            count=lambda report: report.ambiguous.count,
            rows=_ambiguous,
        ),
        "eppn-is-mail": ReportList(
            title=_("EPPNs that are another user's mail"),
            advice=_("Correct the EPPN or the mail in Entra, so that no user signs in as another one."),
            headings=(_USER, _("Whose mail it is")),
            count=lambda report: report.eppn_is_mail.count,
            rows=lambda report, _language: _pairs(report.eppn_is_mail),
            user_columns=(0, 1),
        ),
        "eppn-moved": ReportList(
            title=_("EPPNs that another user had before"),
            advice=_(
                "Check that the former user has left: an EPPN that is used again leads to the wrong user."
            ),
            headings=(_USER, _("Who had it before")),
            count=lambda report: report.eppn_moved.count,
            rows=lambda report, _language: _pairs(report.eppn_moved),
            user_columns=(0, 1),
        ),
        "eppn-has-personal-number": ReportList(
            title=_("EPPNs with a personal number in them"),
            advice=_("An EPPN is shown in many systems. Give these users another one."),
            headings=(_USER,),
            count=lambda report: report.eppn_has_number.count,
            rows=lambda report, _language: _users(report.eppn_has_number),
        ),
        "no-match-key": ReportList(
            title=_("Users with nothing to look them up by"),
            advice=_("Fill in an EPPN, a user name or an e-mail address in Entra."),
            headings=(_USER,),
            count=lambda report: report.no_match_key.count,
            rows=lambda report, _language: _users(report.no_match_key),
        ),
        "not-in-skolon": ReportList(
            title=_("Users that are not in Skolon"),
            advice=_(
                "If they should be there, check the system that creates users in Skolon: the sync creates none."
            ),
            headings=(_USER,),
            count=lambda report: report.not_found.count,
            rows=lambda report, _language: _users(report.not_found),
        ),
        "left-entra": ReportList(
            title=_("Users in Skolon who are no longer in Entra"),
            advice=_(
                "They were in Entra in the run of all users before. If they have left, have them removed in Skolon: the sync removes no one."
            ),
            headings=(_USER, _("Skolon id")),
            count=lambda report: report.left_entra.count,
            rows=lambda report, _language: list(report.left_entra.users),
        ),
        SIGN_IN_LIST: ReportList(
            title=_("Users who cannot sign in by QR code"),
            advice=_("Skolon's values must equal those in Entra to the letter, capitals included."),
            headings=(_USER, _("E-mail"), _("Idp identifier")),
            count=lambda report: report.sign_in.locked_out,
            rows=_sign_in,
        ),
        "failed": ReportList(
            title=_("Users that could not be updated"),
            advice=_("The page Needs attention says what to do about each reason."),
            headings=(_USER, _("Why"), _DETAIL),
            count=lambda report: report.failed.count,
            rows=_failed,
        ),
    }
)
