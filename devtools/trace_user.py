"""Counts what one user passes in a worker: files, functions and the depth of the stack, for each outcome.

`python -m devtools.trace_user` runs the one-process sandbox twice (the first run updates, the second finds
nothing to do) with a profile hook around each call of the actor `user_sync`, and prints a table of medians.

What counts:

- Only frames of the product's folders (`PRODUCT`) count, not those of libraries, Python or the stand-ins.
- The count begins with the call of the actor, whose function is frame 1, and ends with its return.
- A file counts once for each user, and so does a function. Comprehensions and generator expressions are
  part of the function that they stand in: they count neither as functions nor as frames.
- The deepest stack is the largest number of counted frames that are active at once. A suspended generator
  (an open context manager, for instance) is not active.
- Users that are processed at the same time share requests and statements. What one thread does for several
  users counts for the user of that thread. `--threads 1` shares nothing.
"""

from __future__ import annotations

import argparse
import functools
import logging
import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli.sandbox.in_process_sync import THREADS, in_process_sync
from runtime.logging import set_up_logging
from sandbox.environment import TENANT_KEY, serve_environment
from schemas.messages.messages import USER_SYNC_ACTOR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import CodeType, FrameType

#: The folders whose frames count.
PRODUCT: Final = frozenset(
    (
        *("administration", "bootstrap", "cli", "clients", "producers"),
        *("queues", "runtime", "schemas", "store", "workers"),
    )
)

#: The folder that holds them.
ROOT: Final = Path(__file__).resolve().parent.parent

#: How Python 3.11 names the frames of comprehensions and generator expressions.
_COMPREHENSIONS: Final = frozenset({"<dictcomp>", "<genexpr>", "<listcomp>", "<setcomp>"})

Function = tuple[str, str]


@dataclass
class Trace:
    """What one call has passed: functions as (file, name), and the deepest stack, outermost frame first."""

    functions: set[Function] = field(default_factory=set)
    deepest: tuple[Function, ...] = ()

    @property
    def files(self) -> frozenset[str]:
        """The files of the functions."""
        return frozenset(file for file, _ in self.functions)


@contextmanager
def tracing() -> Iterator[Trace]:
    """Trace what this thread calls until the block ends."""
    trace = Trace()
    stack: list[Function] = []

    def hook(frame: FrameType, event: str, _: object) -> None:
        if event not in ("call", "return") or (function := _counted(frame.f_code)) is None:
            return
        if event == "return":
            stack.pop()
            return
        stack.append(function)
        trace.functions.add(function)
        if len(stack) > len(trace.deepest):
            trace.deepest = tuple(stack)

    sys.setprofile(hook)
    try:
        yield trace
    finally:
        sys.setprofile(None)


@functools.cache
def _counted(code: CodeType) -> Function | None:
    """Return the file and the name of a function that counts, None for any other."""
    path = Path(code.co_filename)
    if code.co_name in _COMPREHENSIONS or not path.is_relative_to(ROOT):
        return None
    relative = path.relative_to(ROOT)
    return (str(relative), code.co_qualname) if relative.parts[0] in PRODUCT else None


def trace_runs(users: int, threads: int) -> Mapping[str, Sequence[Trace]]:
    """Run the sandbox twice; return the traces of each outcome, of each user's last attempt."""
    traces: dict[tuple[int, str], Trace] = {}
    by_outcome: defaultdict[str, list[Trace]] = defaultdict(list)
    with (
        tempfile.TemporaryDirectory(prefix="update-sync-trace-") as temporary,
        serve_environment(Path(temporary), users=users, seed=1) as made_up,
        in_process_sync(made_up, TENANT_KEY, Path(temporary), threads=threads) as sync,
    ):
        actor = sync.broker.get_actor(USER_SYNC_ACTOR)
        function = actor.fn

        def traced(*args: object, **fields: Any) -> None:
            with tracing() as trace:
                traces[fields["run"], fields["user"]] = trace
                function(*args, **fields)

        actor.fn = traced
        for _ in range(2):
            sync.run()
        for key, trace in traces.items():
            receipt = sync.store.receipts.get(*key)
            if receipt is not None:
                by_outcome[str(receipt.outcome)].append(trace)
    return by_outcome


def table(by_outcome: Mapping[str, Sequence[Trace]]) -> str:
    """Return a line for each outcome: users, and medians of files, functions and deepest stacks."""
    lines = [f"{'outcome':<16}{'users':>8}{'files':>8}{'functions':>12}{'frames':>8}"]
    for outcome, traces in sorted(by_outcome.items()):
        files, functions, frames = (
            statistics.median_low(sizes)
            for sizes in zip(
                *((len(trace.files), len(trace.functions), len(trace.deepest)) for trace in traces),
                strict=True,
            )
        )
        lines.append(f"{outcome:<16}{len(traces):>8}{files:>8}{functions:>12}{frames:>8}")
    return "\n".join(lines)


def details(traces: Sequence[Trace]) -> str:
    """Return the files and the deepest stack of the trace that has the median number of files."""
    trace = sorted(traces, key=lambda each: (len(each.files), len(each.deepest)))[(len(traces) - 1) // 2]
    functions: defaultdict[str, list[str]] = defaultdict(list)
    for file, name in sorted(trace.functions):
        functions[file].append(name)
    lines = [f"  {file}: {', '.join(names)}" for file, names in functions.items()]
    stack = [f"  {depth:>2} {file}: {name}" for depth, (file, name) in enumerate(trace.deepest, start=1)]
    return "\n".join(["files and functions:", *lines, "deepest stack:", *stack])


def main(arguments: Sequence[str] | None = None) -> None:
    """Trace, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m devtools.trace_user", description=__doc__.split("\n")[0])
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument(
        "--threads", type=int, default=THREADS, help="users that are processed at the same time"
    )
    parser.add_argument("--details", metavar="OUTCOME", help="print one such user's files and deepest stack")
    options = parser.parse_args(arguments)
    set_up_logging("console", level=logging.ERROR)
    by_outcome = trace_runs(options.users, options.threads)
    sys.stdout.write(f"{table(by_outcome)}\n")
    if options.details:
        sys.stdout.write(f"{details(by_outcome[options.details])}\n")


if __name__ == "__main__":
    main()
