"""Counts of what pruning removes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PruningCounts:
    """How many rows were removed, or would be; `runs_examined` are those that ended long enough ago."""

    runs_examined: int = 0
    receipts: int = 0
    runs: int = 0
    pages: int = 0

    def __add__(self, more: PruningCounts) -> PruningCounts:
        """Return the sums of both."""
        return PruningCounts(
            runs_examined=self.runs_examined + more.runs_examined,
            receipts=self.receipts + more.receipts,
            runs=self.runs + more.runs,
            pages=self.pages + more.pages,
        )

    def as_json(self) -> dict[str, int]:
        """Return it for programs."""
        return {
            "runs_examined": self.runs_examined,
            "results": self.receipts,
            "runs": self.runs,
            "pages": self.pages,
        }
