"""Tells each minute what there is to tell, beside the scheduler's own work."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Final

import structlog

from administration.notifications.rounds import tick
from cli.notifications.senders import open_senders
from schemas.errors import TransientError, error_location

if TYPE_CHECKING:
    from bootstrap.services import Services
    from schemas.errors import Dependency

#: Seconds between two looks.
INTERVAL: Final = 60.0

_log = structlog.get_logger(__name__)


def start_notifications(services: Services) -> None:
    """Begin to tell, on a thread of its own: a mail server that hangs keeps no run from its time.

    The thread ends with the process. What it was sending then is sent by the next one, as the same
    notification.
    """
    # Each minute the same users are counted, of which hardly any has changed.
    services.store.report_cache.enable()
    threading.Thread(target=_tell_forever, args=(services,), name="notifications", daemon=True).start()


def _tell_forever(services: Services) -> None:
    senders = None
    away: Dependency | None = None
    pause = threading.Event()
    while True:
        try:
            senders = senders or open_senders(services.settings, services.store)
            tick(dt.datetime.now(dt.UTC), senders=senders, store=services.store)
        except TransientError as error:
            if error.dependency is not away:
                _log.info("notifications_skipped", service=str(error.dependency), detail=error.detail)
            away = error.dependency
        except Exception as error:  # noqa: BLE001 - its text may hold an address, and it goes on
            _log.error("notifications_failed", error=type(error).__name__, place=error_location(error))
        else:
            away = None
        pause.wait(INTERVAL)
