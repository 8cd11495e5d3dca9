"""The images that Dockerfile and docker-compose.yml name, made of Debian's packages.

They take the same variables as the real ones, as far as docker-compose.yml uses them, and keep their
data in the same places.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from devtools.containers.machine import pip_lends
from devtools.containers.roots import HERE, Recipe, inside, root

REPOSITORY = Path(__file__).parents[2]
LOCKED = REPOSITORY / "requirements/product.txt"
#: The folder of the wheels in the Python image; its pip uses no other source.
_WHEELS = "usr/local/share/wheels"
_PIP_SETTINGS = f"[global]\nno-index = true\nfind-links = /{_WHEELS}\n"


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """An image's name, what its root is made of, and what `docker import --change` is told."""

    image: str
    recipe: Recipe
    changes: tuple[str, ...]

    def make_root(self) -> Path:
        """Return the folder with the image's files. Raises Failed."""
        return root(self.recipe, _fetch_wheels if self is PYTHON else None)


def _entrypoint(name: str) -> tuple[tuple[str, str], ...]:
    return (("usr/local/bin/entrypoint", (HERE / name).read_text(encoding="utf-8")),)


PYTHON = StandIn(
    image="python:3.13-slim",
    recipe=Recipe(
        name="python",
        packages=("python3", "python3-venv"),
        # The real image has its Python, and pip, in /usr/local.
        commands=(("python3", "-m", "venv", "/usr/local"),),
        also=hashlib.sha256(LOCKED.read_bytes()).hexdigest(),
    ),
    changes=("ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", 'CMD ["python3"]'),
)

RABBITMQ = StandIn(
    image="rabbitmq:4-management",
    recipe=Recipe(
        name="rabbitmq",
        packages=("rabbitmq-server",),
        commands=(("rabbitmq-plugins", "enable", "--offline", "rabbitmq_management"),),
        files=_entrypoint("rabbitmq-entrypoint"),
    ),
    changes=(
        "ENV RABBITMQ_LOGS=- LC_ALL=C.UTF-8",
        'ENTRYPOINT ["/usr/local/bin/entrypoint"]',
        # Not Debian's script of that name, which stands between it and its signals.
        'CMD ["/usr/lib/rabbitmq/bin/rabbitmq-server"]',
        "VOLUME /var/lib/rabbitmq",
    ),
)

POSTGRESQL = StandIn(
    image="postgres:17",
    recipe=Recipe(name="postgres", packages=("postgresql-17",), files=_entrypoint("postgres-entrypoint")),
    changes=(
        "ENV PATH=/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8",
        "ENV PGDATA=/var/lib/postgresql/data",
        'ENTRYPOINT ["/usr/local/bin/entrypoint"]',
        'CMD ["postgres"]',
        "STOPSIGNAL SIGINT",
        "VOLUME /var/lib/postgresql/data",
    ),
)

ALL = (PYTHON, RABBITMQ, POSTGRESQL)


def _fetch_wheels(folder: Path) -> None:
    """Fetch what is locked, for the image's own Python, as this machine's pip is set up to."""
    lend = {path: folder / str(path)[1:] for path in pip_lends()}
    lend[LOCKED] = folder / "tmp/product.txt"
    fetch = ("pip", "download", "--quiet", "--require-hashes", "--only-binary=:all:", "--dest", f"/{_WHEELS}")
    inside(folder, *fetch, "--requirement", "/tmp/product.txt", lend=lend)  # noqa: S108 - the root's own
    for path in reversed(lend.values()):
        if path.is_file() and not path.stat().st_size:
            path.unlink()  # the place that it was bound to
    (folder / "etc/pip.conf").write_text(_PIP_SETTINGS, encoding="utf-8")
