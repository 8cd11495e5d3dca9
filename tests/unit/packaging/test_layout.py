"""The layout that a newcomer relies on: folders of a size that can be read, and no circle of imports."""

from __future__ import annotations

import re
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[3]
#: The product, and the programs beside it.
PACKAGES = tuple(
    sorted(folder.parent.name for folder in ROOT.glob("*/__init__.py") if folder.parent.name != "tests")
)
#: How many modules a folder may hold, and how many lines a module.
LARGEST = 12
LONGEST = 300


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_has_too_many_modules(package: str) -> None:
    """A folder holds at most twelve modules, so that its names can be read at one look."""
    found = {}
    for folder in [ROOT / package, *(path for path in (ROOT / package).rglob("*") if path.is_dir())]:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        if len(modules) > LARGEST:
            found[str(folder.relative_to(ROOT))] = len(modules)
    assert found == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_too_long(package: str) -> None:
    """A module has at most three hundred lines, so that it can be read in one go."""
    files = {str(file.relative_to(ROOT)): file for file in (ROOT / package).rglob("*.py")}
    lines = {name: len(file.read_text(encoding="utf-8").splitlines()) for name, file in files.items()}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_program_needs_the_tests(package: str) -> None:
    """What the product, the bench and the tools beside it need is no test."""
    imports = re.compile(r"^\s*(?:from|import) tests\b", re.MULTILINE)
    files = (ROOT / package).rglob("*.py")
    assert [str(file) for file in files if imports.search(file.read_text(encoding="utf-8"))] == []


def test_no_import_leads_in_a_circle() -> None:
    """No module imports itself by way of others, also not for type hints alone."""
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False, cache_dir=None)
    found = set()
    for module in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            chain = graph.find_shortest_chain(importer=imported, imported=module)
            if chain is not None:
                found.add(" -> ".join((module, *chain)))
    assert found == set()
