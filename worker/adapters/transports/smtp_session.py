"""Opens an SMTP session up to the point where mail can be sent: connection, greeting, EHLO, TLS, AUTH.

aiosmtplib does the talking. This module decides how far to trust the other end: when TLS is needed, whose certificate
must hold, and that a password is never sent where it could be overheard. `smtp_connection.py` calls it.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from collections.abc import Mapping
from typing import cast

import aiosmtplib

from worker.adapters.transports.spec import Login, Scheme, Tls, TransportSpec
from worker.errors import Blame, ConfigurationError, SendError


def trust(spec: TransportSpec) -> ssl.SSLContext | None:
    """Build the TLS context of a transport, or None where it never encrypts. Takes some 20 ms: once a transport.

    Raises `ConfigurationError` when the file of certificates that the spec names cannot be used.
    """
    if spec.tls is Tls.OFF:
        return None
    try:
        context = ssl.create_default_context(cafile=spec.ca_file)
    except OSError as error:
        raise ConfigurationError(
            f"transport {spec.name}: no certificates in {spec.ca_file}: {error.strerror}"
        ) from error
    if spec.tls is Tls.OPPORTUNISTIC and not spec.password:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # see `Tls`: the alternative would be no encryption at all
    return context


async def open_session(
    spec: TransportSpec, context: ssl.SSLContext | None
) -> tuple[asyncio.Transport, Mapping[str, str]]:
    """Open a session; give its connection and the relay's extensions, by keyword in lower case.

    Raises `SendError`, about us and never permanent: nothing was said about any message, and once the operator or the
    relay has put it right, the same messages can go. A wrong password must not cost an edition its readers.
    """
    client = aiosmtplib.SMTP(
        hostname=spec.host,
        port=spec.port,
        local_hostname=spec.hello or await asyncio.to_thread(_host_name),
        timeout=spec.timeouts.command_s,
        use_tls=spec.scheme is Scheme.SMTPS,
        start_tls=False,
        tls_context=context,
    )
    try:
        await client.connect(timeout=spec.timeouts.connect_s)
        await _say_hello(client)
        await _encrypt(client, spec)
        await _log_in(client, spec)
    except BaseException as error:
        client.close()
        if isinstance(error, aiosmtplib.SMTPException | OSError | ValueError):  # ValueError: a host that is no name
            raise _not_open(spec, error) from error
        raise
    if client.transport is None:
        raise _not_open(spec, ConnectionResetError("the relay hung up after its greeting"))
    return cast("asyncio.Transport", client.transport), dict(client.esmtp_extensions)


async def _say_hello(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()  # a relay older than ESMTP: RFC 5321, 3.2


async def _encrypt(client: aiosmtplib.SMTP, spec: TransportSpec) -> None:
    if spec.scheme is Scheme.SMTPS or spec.tls is Tls.OFF:
        return
    if client.supports_extension("starttls"):
        await client.starttls()
        await _say_hello(client)  # RFC 3207, 4.2: what was offered in clear does not count
    elif spec.tls is Tls.REQUIRED:
        raise aiosmtplib.SMTPNotSupported("the relay offers no STARTTLS, and tls=required")


async def _log_in(client: aiosmtplib.SMTP, spec: TransportSpec) -> None:
    """Log in by one mechanism, once: relays lock accounts that try several after a wrong password."""
    if not spec.password:
        return
    if client.get_transport_info("sslcontext") is None and spec.tls is not Tls.OFF and not spec.is_local:
        raise aiosmtplib.SMTPNotSupported("the relay offers no STARTTLS; to send the password in clear, write tls=off")
    offered = set(client.server_auth_methods)
    if spec.login is Login.XOAUTH2:
        await client.auth_xoauth2(spec.user, spec.password)
    elif spec.login is Login.PLAIN or (spec.login is Login.ANY and "plain" in offered):
        await client.auth_plain(spec.user, spec.password)
    elif spec.login is Login.LOGIN or "login" in offered:
        await client.auth_login(spec.user, spec.password)
    else:
        raise aiosmtplib.SMTPNotSupported("the relay offers neither AUTH PLAIN nor AUTH LOGIN")


def _not_open(spec: TransportSpec, error: BaseException) -> SendError:
    """Say what went wrong; aiosmtplib's own words, which never hold a password."""
    refused = isinstance(error, aiosmtplib.SMTPResponseException)
    code = error.code if isinstance(error, aiosmtplib.SMTPResponseException) and error.code > 0 else None
    reason = f"{error.code} {error.message}" if isinstance(error, aiosmtplib.SMTPResponseException) else str(error)
    verb = "was refused" if refused else "cannot be opened"
    return SendError(f"the connection to {spec.address} {verb}: {reason}", permanent=False, blame=Blame.US, code=code)


@functools.cache
def _host_name() -> str:
    """Find this machine's full name: it may take a DNS query, so it is asked for once, in a thread."""
    return socket.getfqdn()
