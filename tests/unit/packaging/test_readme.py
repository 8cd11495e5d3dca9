"""README.md's section about containers, and what `make image-test` types."""

from __future__ import annotations

from pathlib import Path

from devtools.containers.walkthrough import README

ROOT = Path(__file__).parents[3]


def test_readme_says_what_is_tried_on_a_real_engine() -> None:
    """Each line about containers in README.md is one that `make image-test` runs, and the other way round."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()

    assert [line.split("    #")[0] for line in lines if line.startswith("docker compose")] == list(README)
