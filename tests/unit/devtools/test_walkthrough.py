"""What `make image-test` expects of a run, which it cannot ask the municipality: it needs no package."""

from __future__ import annotations

from devtools.containers.walkthrough import EXPECTED_REASONS, PEOPLE
from sandbox.municipality.municipality import Municipality


def test_the_expected_reasons_are_the_municipality_s() -> None:
    """Each hard case that ends as a dead letter is allowed for, and nothing else."""
    assert Municipality(PEOPLE).expected_reasons().keys() == EXPECTED_REASONS
