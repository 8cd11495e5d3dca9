"""The `update-sync` command."""

# The interpreter's own module, which takes no time to import.
import _signal  # type: ignore[import-not-found] # the type checker knows `signal` alone

# Ctrl-C during the imports ends the command as it ends any other, and not with a traceback; later the command
# says so itself. A process that ignores Ctrl-C from its start goes on to do so.
if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
