"""What a tenant's app proves itself with: a client secret or a certificate, each read from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from cli.tenants.settings.file import STDIN, read_text
from schemas.errors import UsageError
from schemas.tenants.credentials.client_certificate import FAULT_TEXTS, CertificateFault, is_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: The options that read a file, by their names as parameters.
_FILES: Final = {
    "source_file": "--from",
    "client_secret_file": "--client-secret-file",
    "certificate_file": "--certificate",
}

certificate_option: Callable[..., Any] = click.option(
    "--certificate",
    "certificate_file",
    metavar="FILE",
    help="A PEM file with a private key and its certificate, in place of a client secret. Its expiry date "
    "is read from it. - is standard input.",
)


def check_inputs(options: Mapping[str, Any]) -> None:
    """Raise `UsageError` if two files come from standard input, or there are a secret and a certificate."""
    from_stdin = [option for name, option in _FILES.items() if options[name] == STDIN]
    if len(from_stdin) > 1:
        raise UsageError(f"Only one of {' and '.join(from_stdin)} can be standard input.")
    if options["client_secret_file"] and options["certificate_file"]:
        raise UsageError("Give either --client-secret-file or --certificate.")


def read_credential(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the client secret, or the certificate in its place, that the options name, as a setting.

    Raises `UsageError` when a file cannot be read, or has no certificate.
    """
    if options["client_secret_file"]:
        return {"client_secret": read_text(options["client_secret_file"]).strip()}
    if not options["certificate_file"]:
        return {}
    text = read_text(options["certificate_file"])
    if not is_certificate(text):
        raise UsageError(f"--certificate: {FAULT_TEXTS[CertificateFault.NO_KEY]}")
    return {"client_secret": text}
