"""TLS and AUTH of the SMTP transport, against a throw-away authority: what is trusted, and what is never sent."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.contract.transports.scripted_server import Fault, ScriptedServer, Step, letter, run, send
from worker.adapters.transports.build import build
from worker.adapters.transports.dsn import parse_transports
from worker.adapters.transports.reach import trouble
from worker.errors import Blame, ConfigurationError, SendError
from worker.ports import Transport

Key = ec.EllipticCurvePrivateKey


class Authority:
    """A certificate authority that nobody has ever heard of."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away authority")])
        certificate = self._certify(self._name, self._key, [], is_authority=True)
        self.file = folder / "ca.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self, *names: x509.GeneralName) -> ssl.SSLContext:
        """Give a server's TLS context, with a certificate for these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
        file = self._folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + self._certify(subject, key, list(names)).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context

    def _certify(
        self, subject: x509.Name, key: Key, names: list[x509.GeneralName], *, is_authority: bool = False
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("another.test")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def transport_to(server: ScriptedServer, options: str = "", *, login: str = "", scheme: str = "smtp") -> Transport:
    dsn = f"{scheme}://{login}127.0.0.1:{server.port}?hello=news.test&connect_s=2&{options}"
    return build(parse_transports(dsn)[0])


async def send_one(transport: Transport) -> SendError | None:
    try:
        await send(transport, letter())
    except SendError as error:
        return error
    finally:
        await transport.close()
    return None


def assert_not_sent(error: SendError | None, server: ScriptedServer, *words: str) -> None:
    assert error is not None
    assert (error.permanent, error.blame) == (False, Blame.US)
    assert all(word in error.text for word in words), error.text
    assert server.messages == []


def test_required_tls_encrypts_before_a_word_of_the_envelope(authority):
    async def test():
        async with ScriptedServer(tls=authority.server_context(LOOPBACK)) as server:
            assert await send_one(transport_to(server, f"tls=required&ca={authority.file}")) is None
        said = server.conversations[0]
        assert said.encrypted
        assert said.verbs == ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]

    run(test())


def test_implicit_tls_encrypts_from_the_first_byte(authority):
    async def test():
        async with ScriptedServer(tls=authority.server_context(LOOPBACK), implicit_tls=True) as server:
            assert await send_one(transport_to(server, f"ca={authority.file}", scheme="smtps")) is None
        assert server.conversations[0].verbs == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]

    run(test())


def test_an_encrypted_connection_is_reused(authority):
    async def test():
        async with ScriptedServer(tls=authority.server_context(LOOPBACK)) as server:
            transport = transport_to(server, f"tls=required&ca={authority.file}")
            for number in range(3):
                await send(transport, letter(number))
            await transport.close()
        assert len(server.conversations) == 1
        assert len(server.messages) == 3

    run(test())


def test_a_drop_in_the_middle_of_encrypted_content_is_known_unsent(authority):
    huge = b"Subject: long\r\n\r\n" + (b"y" * 998 + b"\r\n") * 16_000

    async def test():
        tls = authority.server_context(LOOPBACK)
        async with ScriptedServer({Step.BODY: Fault.DROP}, tls=tls, small_buffer=True) as server:
            transport = transport_to(server, f"tls=required&ca={authority.file}")
            with pytest.raises(SendError):
                await send(transport, letter(data=huge))
            await transport.close()

    run(test())


def test_required_tls_that_is_not_offered_sends_nothing():
    async def test():
        async with ScriptedServer() as server:
            assert_not_sent(await send_one(transport_to(server, "tls=required")), server, "no STARTTLS")

    run(test())


def test_tls_that_is_offered_and_then_refused_sends_nothing(authority):
    async def test():
        script = {Step.STARTTLS: "454 4.7.0 TLS not available"}
        async with ScriptedServer(script, tls=authority.server_context(LOOPBACK)) as server:
            error = await send_one(transport_to(server, f"tls=required&ca={authority.file}"))
            assert_not_sent(error, server, "454")

    run(test())


@pytest.mark.parametrize("act", [Fault.DROP, Fault.HANG_UP, Fault.STALL])
def test_a_handshake_that_breaks_off_sends_nothing(authority, act):
    async def test():
        async with ScriptedServer({Step.HANDSHAKE: act}, tls=authority.server_context(LOOPBACK)) as server:
            error = await send_one(transport_to(server, f"tls=required&ca={authority.file}&command_s=0.3"))
            assert_not_sent(error, server)

    run(test())


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize("flaw", ["another name", "unknown authority"])
def test_a_certificate_that_does_not_hold_sends_nothing(authority, scheme, flaw):
    names = [ELSEWHERE] if flaw == "another name" else [LOOPBACK]
    options = f"ca={authority.file}" if flaw == "another name" else ""

    async def test():
        async with ScriptedServer(tls=authority.server_context(*names), implicit_tls=scheme == "smtps") as server:
            tls = "&tls=required" if scheme == "smtp" else ""
            error = await send_one(transport_to(server, options + tls, scheme=scheme))
            assert_not_sent(error, server, "certificate verify failed")

    run(test())


def test_opportunistic_tls_without_a_password_takes_any_certificate(authority):
    async def test():
        async with ScriptedServer(tls=authority.server_context(ELSEWHERE)) as server:
            assert await send_one(transport_to(server)) is None
        assert server.conversations[0].encrypted

    run(test())


def test_opportunistic_tls_sends_in_clear_where_none_is_offered():
    async def test():
        async with ScriptedServer() as server:
            assert await send_one(transport_to(server)) is None
        assert not server.conversations[0].encrypted

    run(test())


def test_a_password_is_not_sent_under_a_certificate_that_does_not_hold(authority):
    async def test():
        offers = ["AUTH PLAIN LOGIN"]
        async with ScriptedServer(tls=authority.server_context(ELSEWHERE), extensions=offers) as server:
            error = await send_one(transport_to(server, f"ca={authority.file}", login="user:open%20sesame@"))
            assert_not_sent(error, server, "certificate")
        assert server.conversations[0].credentials == []

    run(test())


def test_a_password_is_not_sent_in_clear_to_another_machine(monkeypatch):
    async def test():
        async with ScriptedServer(extensions=["AUTH PLAIN"]) as server:
            transport = transport_to(server, login="user:open%20sesame@")
            # 127.0.0.1 is all that a test may reach: the transport is told that it is somewhere else.
            monkeypatch.setattr("worker.adapters.transports.spec.is_loopback", lambda _host: False)
            assert_not_sent(await send_one(transport), server, "no STARTTLS", "tls=off")
        assert server.conversations[0].verbs == ["EHLO"]

    run(test())


@pytest.mark.parametrize(
    ("offer", "options", "verbs", "credentials"),
    [
        ("AUTH LOGIN PLAIN", "", "PLAIN", b"\0user\0open sesame"),
        ("AUTH LOGIN", "", "LOGIN", b"user\0open sesame"),
        ("AUTH PLAIN LOGIN", "&auth=login", "LOGIN", b"user\0open sesame"),
        ("AUTH PLAIN", "&auth=plain", "PLAIN", b"\0user\0open sesame"),
        ("AUTH XOAUTH2 PLAIN", "&auth=xoauth2", "XOAUTH2", b"user=user\x01auth=Bearer open sesame\x01\x01"),
    ],
)
def test_login_by_the_mechanism_that_fits(offer, options, verbs, credentials):
    async def test():
        async with ScriptedServer(extensions=[offer]) as server:
            assert await send_one(transport_to(server, f"tls=off{options}", login="user:open%20sesame@")) is None
        said = server.conversations[0]
        assert said.commands[1].split()[1] == verbs
        assert said.credentials == [credentials]

    run(test())


def test_a_wrong_password_is_tried_once_and_costs_no_message_its_reader():
    async def test():
        async with ScriptedServer(extensions=["AUTH PLAIN LOGIN"]) as server:
            error = await send_one(transport_to(server, "tls=off", login="user:open%20barley@"))
            assert_not_sent(error, server, "535")
            assert error is not None
            assert error.code == 535
            assert "barley" not in repr(error)
        assert len(server.conversations[0].credentials) == 1

    run(test())


@pytest.mark.parametrize("offers", [["AUTH CRAM-MD5"], ["SIZE"]])
def test_a_login_that_is_not_offered_sends_nothing(offers):
    async def test():
        async with ScriptedServer(extensions=offers) as server:
            error = await send_one(transport_to(server, "tls=off", login="user:open%20sesame@"))
            assert_not_sent(error, server, "AUTH")

    run(test())


# Before any message: what the doctor asks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offers", "options", "login", "told"),
    [
        (["AUTH PLAIN"], "tls=off", "user:open%20sesame@", None),
        (["AUTH PLAIN"], "tls=off", "user:open%20barley@", "535"),
        (["AUTH CRAM-MD5"], "tls=off", "user:open%20sesame@", "neither AUTH PLAIN nor AUTH LOGIN"),
        ([], "tls=required", "", "offers no STARTTLS"),
    ],
)
def test_whether_a_relay_lets_us_in_is_found_out_without_a_message(offers, options, login, told):
    async def test():
        async with ScriptedServer(extensions=offers) as server:
            (spec,) = parse_transports(f"smtp://{login}127.0.0.1:{server.port}?{options}")
            said = await asyncio.to_thread(trouble, spec, within_s=5)
            assert (said is None) == (told is None)
            assert (told or "") in (said or "")
            assert "barley" not in str(said)
        assert "MAIL" not in [verb for one in server.conversations for verb in one.verbs]

    run(test())


def test_a_relay_that_does_not_greet_us_is_given_up():
    async def test():
        async with ScriptedServer({Step.BANNER: Fault.STALL}) as server:
            (spec,) = parse_transports(f"smtp://127.0.0.1:{server.port}?tls=off")
            said = await asyncio.to_thread(trouble, spec, within_s=0.2)
            assert said == f"smtp at 127.0.0.1:{server.port} has not greeted us within 0.2 s"

    run(test())


def test_a_file_of_certificates_that_is_not_there_is_refused_at_the_start(tmp_path):
    (spec,) = parse_transports(f"smtps://127.0.0.1?ca={tmp_path}/none.pem")
    with pytest.raises(ConfigurationError, match=r"none\.pem"):
        build(spec)


def test_a_host_that_does_not_exist_is_a_passing_trouble_of_ours():
    async def test():
        for host in ("no-such-host.invalid", "x" * 64 + ".invalid"):
            error = await send_one(build(parse_transports(f"smtp://{host}?connect_s=2")[0]))
            assert error is not None
            assert not error.permanent

    run(test())
