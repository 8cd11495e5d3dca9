"""What a halted run asks, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import format_decimal, gettext, ngettext

from administration.runs.actions.question import QuestionKind
from schemas.details.names import ATTRIBUTE_NAMES

if TYPE_CHECKING:
    from administration.runs.actions.question import Question
    from schemas.reports.remedy import Language


def question_text(question: Question, language: Language) -> str:
    """Return what is asked, in the language of the current request."""
    is_right = gettext("Is that right?")
    return f"{_sentence(question, language)} {is_right}"


def _sentence(question: Question, language: Language) -> str:
    users, shown = question.users, format_decimal(question.users)
    match question.kind:
        case QuestionKind.IDENTITY_CHANGED if question.attribute is not None:
            text = ngettext(
                "%(attribute)s would change for %(users)s user.",
                "%(attribute)s would change for %(users)s users.",
                users,
                users=shown,
                attribute=ATTRIBUTE_NAMES[language][question.attribute],
            )
        case QuestionKind.NOT_FOUND:
            text = ngettext(
                "%(users)s user is not found in Skolon.",
                "%(users)s users are not found in Skolon.",
                users,
                users=shown,
            )
        case QuestionKind.FAILED:
            text = ngettext(
                "%(users)s user cannot be updated.", "%(users)s users cannot be updated.", users, users=shown
            )
        case QuestionKind.LEFT_SCOPE:
            text = ngettext(
                "%(users)s user that was synced before would be left out.",
                "%(users)s users that were synced before would be left out.",
                users,
                users=shown,
            )
        case QuestionKind.FEW_FOUND:
            text = gettext("Far fewer users were found than last time.")
        case _:
            text = ngettext(
                "%(users)s user would be changed.", "%(users)s users would be changed.", users, users=shown
            )
    return str(text)
