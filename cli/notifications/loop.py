"""Tells each minute what there is to tell, beside the scheduler's own work."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Final

from administration.notifications.rounds import tick
from cli.notifications.senders import open_senders
from queues.consuming.periodic_tasks import PeriodicTask, repeat

if TYPE_CHECKING:
    from administration.notifications.senders import Senders
    from bootstrap.services import Services

#: Seconds between two looks.
INTERVAL: Final = 60.0


def start_notifications(services: Services) -> None:
    """Begin to tell, on a thread of its own: a mail server that hangs keeps no run from its time.

    The thread ends with the process. What it was sending then is sent by the next one, as the same
    notification.
    """
    # Each minute the same users are counted, of which hardly any has changed.
    services.store.report_cache.enable()
    task = PeriodicTask(call=_Rounds(services).tell, interval=INTERVAL)
    threading.Thread(
        target=repeat,
        args=(task, threading.Event()),
        kwargs={"at_once": True},
        name="notifications",
        daemon=True,
    ).start()


class _Rounds:
    """Opens what sends at the first round, which may find the database away."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._senders: Senders | None = None

    def tell(self) -> None:
        """Tell what there is to tell now."""
        store = self._services.store
        self._senders = self._senders or open_senders(self._services.settings, store)
        tick(dt.datetime.now(dt.UTC), senders=self._senders, store=store)
