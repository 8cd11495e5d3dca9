"""Names the option that a wrong setting came from, where it came from one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from schemas.errors import InvalidTenantError
from schemas.validation import FieldFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    #: Returns what a person typed for the setting at a path, and what of the path is inside of that; None for
    #: a setting that comes from a file.
    Origin = Callable[[tuple[str, ...]], tuple[str, tuple[str, ...]] | None]

#: Settings whose parts have an option each, with the option.
_PARTS: Final = {"sources": "source", "guard": "guard"}
_RULES: Final = ("include", "exclude")


@contextmanager
def faults_named_by(origin: Origin) -> Iterator[None]:
    """Have an `InvalidTenantError` of the block name options."""
    try:
        yield
    except InvalidTenantError as error:
        raise InvalidTenantError(error.summary, [_renamed(fault, origin) for fault in error.faults]) from None


def _renamed(fault: str, origin: Origin) -> str:
    found = origin(fault.path) if isinstance(fault, FieldFault) and fault.path else None
    if found is None or not isinstance(fault, FieldFault):
        return fault
    typed, inside = found
    return ": ".join([typed, *([".".join(inside)] if inside else []), fault.message])


def origin_in_options(options: Mapping[str, Any]) -> Origin:
    """Return what finds the option of `tenants add` and `tenants set` that a setting came from.

    Without a file all settings come from options, those included that are missing.
    """
    has_file = options["source_file"] is not None

    def origin(path: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        name, rest = path[0], path[1:]
        if name == "key":
            return "TENANT", ()
        if name == "client_secret":
            return _credential(options, has_file=has_file)
        if name in _PARTS and rest:
            return _part(_PARTS[name], rest, options)
        if name == "scope" and len(rest) > 1 and rest[0] in _RULES and options[rest[0]]:
            source = options[rest[0]][int(rest[1])].partition("=")[0].strip()
            return f"--{rest[0]} {source}=…", rest[2:]
        if name in options and (options[name] is not None or not has_file):
            # A number in a list says nothing to who has typed words between commas.
            return f"--{name.replace('_', '-')}", ()
        return None

    return origin


def _credential(options: Mapping[str, Any], *, has_file: bool) -> tuple[str, tuple[str, ...]] | None:
    if options["certificate_file"] is not None:
        return "--certificate", ()
    return None if has_file and options["client_secret_file"] is None else ("--client-secret-file", ())


def _part(
    option: str, rest: tuple[str, ...], options: Mapping[str, Any]
) -> tuple[str, tuple[str, ...]] | None:
    typed = any(text.partition("=")[0].strip() == rest[0] for text in options[option])
    return (f"--{option} {rest[0]}=…", rest[1:] if option == "guard" else ()) if typed else None


def origin_in_preview(settings: Sequence[str]) -> Origin:
    """Return what finds the `--set` of a preview that a setting came from."""
    names = {text.partition("=")[0].strip() for text in settings}

    def origin(path: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        for length in (1, 2):
            full, short = ".".join(path[:length]), path[length - 1 : length]
            for name in (full, *short):
                if name in names:
                    return f"--set {name}=…", tuple(each for each in path[length:] if not each.isdigit())
        return None

    return origin
