"""Where `update-sync` starts: it settles what has to be settled before anything else is imported."""

from __future__ import annotations

import sys
from typing import Final

#: The commands that work on messages. Click knows their names too, but to ask it is to import everything.
_WORK_ON_MESSAGES: Final = frozenset({"producer", "worker"})


def main() -> None:
    """Run the command that `sys.argv` names, on greenlets if it works on messages."""
    from console.private_files import make_files_private  # noqa: PLC0415 - as below

    make_files_private()
    if _WORK_ON_MESSAGES.intersection(sys.argv[1:2]):
        from queues.greenlets import use_greenlets  # noqa: PLC0415 - the others need no gevent

        use_greenlets()
    from console.main import main as commands  # noqa: PLC0415 - after the threads are what they are to be

    commands()
