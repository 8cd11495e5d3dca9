"""The producer command, with background tasks that wait for seconds where they would wait for minutes."""

from __future__ import annotations

from functools import partial
from unittest.mock import patch

from tests.acceptance.patched_command import run_patched


def _shorten_waits() -> None:
    from producers import main  # noqa: PLC0415 - as `run_patched` says
    from producers.dead_letters.cleanup import CleanupTimes  # noqa: PLC0415 - as above
    from producers.reconciliation.loss_detection import LossTimeouts  # noqa: PLC0415 - as above

    impatient = partial(LossTimeouts, check_interval=0.5, quiet_time=5.0, quiet_time_in_outage=5.0)
    patch.object(main, "LossTimeouts", impatient).start()
    patch.object(main, "CleanupTimes", partial(CleanupTimes, interval=0.5)).start()


if __name__ == "__main__":
    run_patched("producer", "--threads", "4", replace=_shorten_waits)
