"""How a remote system may be reached: the settings beside its address, and the TLS that follows from them."""

import ssl
from functools import cache
from typing import Literal, Self

import certifi
from pydantic import BaseModel, ConfigDict, Field, model_validator


class TlsSettings(BaseModel):
    """`[….tls]` beside an address: whom to believe, and how to prove oneself. Files are PEM, read at the start."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ca_file: str | None = Field(default=None, min_length=1)
    """The certificate authorities that are believed, instead of the public ones."""
    minimum_version: Literal["1.2", "1.3"] = "1.2"
    certificate_file: str | None = Field(default=None, min_length=1)
    """A client certificate, with those between it and its authority."""
    key_file: str | None = Field(default=None, min_length=1)
    """The certificate's key, not encrypted; where it is not in `certificate_file`."""

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        if self.key_file is not None and self.certificate_file is None:
            raise ValueError("key_file goes with certificate_file")
        tls_context(self)
        return self


class UpstreamSettings(BaseModel):
    """What every remote system's settings have beside its address; inherited, and so read before it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    allow_http: bool = False
    allow_private: bool = False
    """Whether a name may lead to a private address (RFC 1918 and the like), over https."""
    tls: TlsSettings = TlsSettings.model_construct()


PUBLIC = UpstreamSettings()
"""A public address, https, the public authorities."""


@cache
def tls_context(tls: TlsSettings) -> ssl.SSLContext:
    """The context of these settings, one for all: to read the certificates takes 26 ms, in which the loop stands still.

    ValueError names the file that cannot be used.
    """
    # certifi's authorities, which are the same on every system
    context = _with_authorities(tls.ca_file or certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if tls.minimum_version == "1.3" else ssl.TLSVersion.TLSv1_2
    if tls.certificate_file:
        try:
            # an empty password fails where none would ask at the terminal
            context.load_cert_chain(tls.certificate_file, tls.key_file, password="")
        except (OSError, ssl.SSLError) as error:
            files = " and ".join(filter(None, [tls.certificate_file, tls.key_file]))
            raise ValueError(f"{files}: expected a PEM certificate and its key, got {_why(error)}") from None
    return context


def _with_authorities(file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"ca_file {file}: expected PEM certificates, got {_why(error)}") from None


def _why(error: OSError) -> str:
    return str(error.strerror or error.__class__.__name__).partition("(_ssl")[0].strip()
