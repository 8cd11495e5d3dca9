"""The words of work on users that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _

from hub.presentation.words import OUTCOMES
from schemas.dead_letters.task import Obstacle, TaskKind, TaskStatus
from schemas.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

TASK_KINDS: Final[Mapping[TaskKind, LazyString]] = {
    TaskKind.FORECAST: _("Try first"),
    TaskKind.REPLAY: _("Try again"),
    TaskKind.DISCARD: _("Set aside"),
}

TASK_STATUSES: Final[Mapping[TaskStatus, LazyString]] = {
    TaskStatus.REQUESTED: _("Begins in a moment"),
    TaskStatus.RUNNING: _("Is going on"),
    TaskStatus.PAUSED: _("Paused"),
    TaskStatus.COMPLETED: _("Completed"),
    TaskStatus.STOPPED: _("Stopped"),
    TaskStatus.CANCELLED: _("Cancelled"),
}

#: Designsystemet's colours.
TASK_COLOURS: Final[Mapping[TaskStatus, str]] = {
    TaskStatus.REQUESTED: "info",
    TaskStatus.RUNNING: "info",
    TaskStatus.PAUSED: "warning",
    TaskStatus.COMPLETED: "success",
    TaskStatus.STOPPED: "danger",
    TaskStatus.CANCELLED: "neutral",
}

#: Of a forecast and of what was tried again.
TRIED_OUTCOMES: Final[Mapping[Outcome, LazyString]] = {
    **OUTCOMES,
    Outcome.SUPERSEDED: _("Taken care of by a newer run"),
    Outcome.DEAD_LETTERED: _("Fails again"),
}

OBSTACLES: Final[Mapping[Obstacle, LazyString]] = {
    Obstacle.SERVICE_AWAY: _("Not known: Entra or Skolon does not answer"),
    Obstacle.OTHER_RUN: _("Not known: a run that is going on has the user"),
    Obstacle.AWAITS_ANSWER: _("Not known: a halted run that waits for an answer has the user"),
    Obstacle.NO_ID: _("Not known: the user has no id in Entra"),
}
