"""Chromium, driven by Playwright, and what axe-core says of a page in it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import sync_playwright

from devtools.services import chromium, npm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

#: WCAG 2.2 AA and what is good practice beside it (axe-core's tags).
_RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

#: Runs axe and returns each violation in a line, with the places.
_RUN: Final = """async (tags) => {
  const result = await axe.run(document, {runOnly: {type: "tag", values: tags}});
  const told = (each, node) => `${each.id}: ${node.html} ${node.failureSummary}`;
  return result.violations.flatMap(each => each.nodes.map(node => told(each, node)));
}"""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a page is looked at: the language (ISO 639-1), light or dark, and the width in pixels."""

    language: str = "en"
    scheme: str = "light"
    width: int = 1100

    def options(self) -> dict[str, Any]:
        """Return what Playwright makes a context of."""
        return {
            "locale": {"sv": "sv-SE", "en": "en-GB"}[self.language],
            "color_scheme": self.scheme,
            "viewport": {"width": self.width, "height": 900},
        }


@contextmanager
def browser(program: Path) -> Iterator[Browser]:
    """Run Chromium until the block ends."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=list(chromium.ARGUMENTS))
        try:
            yield running
        finally:
            running.close()


def axe_script() -> str:
    """Return axe-core, which npm installs. Raises Unavailable."""
    folder = npm.install(Path(__file__).parent / "axe")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, script: str) -> list[str]:
    """Return what axe finds on a page; `script` is `axe_script`'s."""
    # What a test has waited for may stand there before the style sheets have come.
    page.wait_for_load_state()
    # Not as a script element: the page's policy forbids that.
    page.evaluate(script)
    found: list[str] = page.evaluate(_RUN, list(_RULES))
    return found
