"""`update-sync tenants report`: data errors in Entra and Skolon."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

import click

from administration.tenants.data_quality import data_quality_of, uses_immutable_id
from cli.context import current_services
from cli.numbers import WholeNumber
from cli.output import echo, json_option, localized, print_json
from cli.tenants.options import key_argument
from cli.tenants.sign_in_report import sign_in_lines
from schemas.details.detail import texts_of
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language
from schemas.safe_text import one_line
from schemas.settings import Requirement
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.reports.data_quality import (
        DataQualityReport,
        FailedFindings,
        LeftUsers,
        SharedValues,
        UserFindings,
        UserPairs,
    )

_INDENT: Final = "  "


@click.command()
@key_argument
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=WholeNumber(1, 100_000),
    metavar="N",
    help="Users, pairs or groups to show of each kind of error.",
)
@json_option
def report(*, key: str, limit: int, wants_json: bool) -> None:
    """Report data errors that the last complete run of all users found.

    \b
    - Entra users that lead to the same Skolon user.
    - Users that share an EPPN or a personal number in Entra.
    - EPPNs that are another user's mail, or were another user's EPPN before.
    - EPPNs that hold a personal number.
    - Users without a value to look them up by, and users that are not in Skolon.
    - Users that are in Skolon and have left Entra since the full run before.
    - Users that match several Skolon users.
    - Users that cannot sign in by QR code.
    - Users whose update failed, with the reason.
    - Whether Graph listed all the users that it counts.

    Users are shown by their ids, without values.
    """  # noqa: D301 - the sign keeps the lines of a list apart in click's help
    store = current_services(Requirement.DATABASE).store
    found = data_quality_of(key, store=store, limit=limit)
    if wants_json:
        print_json(found.as_json())
        return
    immutable = uses_immutable_id(key, store=store)
    for line in chain(_lines(found), sign_in_lines(found.sign_in, tenant=key, uses_immutable_id=immutable)):
        echo(one_line(line))


def _lines(found: DataQualityReport) -> Iterator[str]:
    run = found.run.run
    finished = run.finished and timestamp(run.finished)
    yield f"Run {run.id} of {run.tenant}: {found.run.published} people, {finished}"
    for warning in found.run.warnings:
        yield from (f"{name}: {text}." for name, text in localized("Warning", warning.detail).items())
        yield from (f"{_INDENT}{remedy_for(warning.kind).texts[language].fix}" for language in Language)
    yield f"People who match a Skolon user of another person: {found.collisions.count}"
    for user, each in found.collisions.users:
        yield f"{_INDENT}Skolon user {each.skolon_id}:"
        where = f" of tenant {each.holder_tenant}" if each.holder_tenant else ""
        yield f"{_INDENT * 2}{each.holder_entra_id}{where} keeps it"
        yield f"{_INDENT * 2}{user} wants it"
    yield from _more(found.collisions.count, len(found.collisions.users))
    yield from _shared("EPPNs that several people in Entra have", found.same_eppn)
    yield from _shared("Personal numbers that several people in Entra have", found.same_number)
    yield from _pairs("EPPNs that are the mail of another person", found.eppn_is_mail, "the mail of")
    yield from _pairs("EPPNs that another person had in the full run before", found.eppn_moved, "was that of")
    yield from _people("EPPNs with a personal number in them", found.eppn_has_number, details=False)
    yield from _people("People without any match key", found.no_match_key, details=False)
    yield from _people("People not found in Skolon", found.not_found, details=False)
    yield from _left(found.left_entra)
    yield from _people("People matching several Skolon users", found.ambiguous, details=True)
    yield from _failed(found.failed)


def _shared(title: str, shared: SharedValues) -> Iterator[str]:
    yield f"{title}: {shared.count}"
    for group in shared.groups:
        for place, user in enumerate(group):
            yield f"{_INDENT}{_INDENT if place else ''}{'and ' if place else ''}{user}"
    yield from _more(shared.count, len(shared.groups))


def _pairs(title: str, found: UserPairs, relation: str) -> Iterator[str]:
    yield f"{title}: {found.count}"
    for user, other in found.users:
        yield f"{_INDENT}{user}"
        yield f"{_INDENT * 2}{relation} {other}"
    yield from _more(found.count, len(found.users))


def _left(found: LeftUsers) -> Iterator[str]:
    yield f"People in Skolon who have left Entra since the full run before: {found.count}"
    for user, skolon_id in found.users:
        yield f"{_INDENT}{user}"
        yield f"{_INDENT * 2}Skolon user {skolon_id}"
    yield from _more(found.count, len(found.users))


def _people(title: str, found: UserFindings, *, details: bool) -> Iterator[str]:
    yield f"{title}: {found.count}"
    for user, detail in found.users:
        yield f"{_INDENT}{user}"
        if details and detail:
            yield from (f"{_INDENT * 2}{text}" for text in dict.fromkeys(texts_of(detail).values()))
    yield from _more(found.count, len(found.users))


def _failed(found: FailedFindings) -> Iterator[str]:
    yield f"People whose update failed, those above included: {found.count}"
    for user, reason, detail in found.users:
        yield f"{_INDENT}{user}"
        told = localized(str(reason), detail)
        yield from (f"{_INDENT * 2}{name}: {text}" for name, text in told.items())
        if not told:
            yield f"{_INDENT * 2}{reason}"
    yield from _more(found.count, len(found.users))


def _more(count: int, shown: int) -> Iterator[str]:
    if count > shown:
        yield f"{_INDENT}… and {count - shown} more; --limit shows them."
