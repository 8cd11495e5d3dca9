"""How many users are in scope in a full run, and how many were in the full run before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ScopeChange:
    """Users in scope in a run, and in the last complete run of all users before it; None if there is none."""

    run: int
    in_scope: int
    run_before: int | None = None
    in_scope_before: int | None = None

    @property
    def fewer(self) -> int:
        """How many users fewer are in scope than in the run before."""
        return max(0, (self.in_scope_before or 0) - self.in_scope)

    @property
    def text(self) -> str | None:
        """A fall in words, None without one."""
        if not self.fewer:
            return None
        users = "1 user" if self.fewer == 1 else f"{self.fewer} users"
        numbers = f"{self.in_scope_before} then, {self.in_scope} in run {self.run}"
        return f"{users} fewer in scope than in run {self.run_before} ({numbers})"

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "run": str(self.run),
            "in_scope": self.in_scope,
            "run_before": None if self.run_before is None else str(self.run_before),
            "in_scope_before": self.in_scope_before,
        }
