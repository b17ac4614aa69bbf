"""A real Dovecot with one account, on free ports and with a certificate of its own; it ends with the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from worker.runtime.ports import free_port

PASSWORD: Final = "s/e:c@ret word"
_START_S: Final = 30.0
_CONFIG: Final = """
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = yes
default_internal_user = {internal}
default_login_user = {login}
mail_location = maildir:{folder}/mail
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True, kw_only=True)
class Dovecot:
    """A running server. `certificate` is what its clients must trust."""

    folder: Path
    tls: int
    plain: int
    certificate: Path

    def deliver(self, name: str, data: bytes) -> None:
        """Put a mail into the account's INBOX, as a delivery agent does."""
        written = self.folder / "mail" / "tmp" / name
        written.write_bytes(data)
        shutil.chown(written, *_owner())
        written.rename(self.folder / "mail" / "new" / name)

    def flags(self) -> dict[str, str]:
        """Return the flags of every mail in the account, by the name it was delivered under."""
        names = [path.name for path in (self.folder / "mail" / "cur").iterdir()]
        return {name.partition(",")[0].partition(":")[0]: name.rpartition(":2,")[2] for name in names}


@contextmanager
def running_dovecot() -> Iterator[Dovecot]:
    """Start a server and wait until it greets."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-dovecot-", dir="/tmp"))
    folder.chmod(0o755)
    server = Dovecot(folder=folder, tls=free_port(), plain=free_port(), certificate=folder / "cert.pem")
    _prepare(server)
    process = subprocess.Popen(["dovecot", "-F", "-c", str(folder / "dovecot.conf")])
    try:
        _wait(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


def _prepare(server: Dovecot) -> None:
    folder, (user, group) = server.folder, _owner()
    for name in ("tmp", "new", "cur"):
        (folder / "mail" / name).mkdir(parents=True)
    (folder / "users").write_text(f"news:{{PLAIN.B64}}{b64encode(PASSWORD.encode()).decode()}\n")
    _make_certificate(folder)
    is_root = os.getuid() == 0
    (folder / "dovecot.conf").write_text(
        _CONFIG.format(
            folder=folder,
            tls=server.tls,
            plain=server.plain,
            uid=pwd.getpwnam(user).pw_uid,
            gid=group,
            internal="dovecot" if is_root else user,
            login="dovenull" if is_root else user,
        )
    )
    for path in [folder, *folder.rglob("mail"), *(folder / "mail").iterdir()]:
        shutil.chown(path, user, group)


def _owner() -> tuple[str, int]:
    """Return whose mail it is: nobody's mail process may run as root."""
    account = pwd.getpwnam("mail") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    return account.pw_name, account.pw_gid


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    at = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)


def _wait(server: Dovecot, process: subprocess.Popen[bytes]) -> None:
    context = ssl.create_default_context(cafile=str(server.certificate))
    until = time.monotonic() + _START_S
    while True:
        try:
            with (
                socket.create_connection(("127.0.0.1", server.tls), timeout=5) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as greeted,
            ):
                assert greeted.recv(100).startswith(b"* OK")
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                log = server.folder / "log"
                raise AssertionError(log.read_text() if log.exists() else "Dovecot does not start") from None
            time.sleep(0.1)


def can_run() -> bool:
    """Tell whether this machine has Dovecot."""
    return shutil.which("dovecot", path=f"/usr/sbin:{os.defpath}") is not None
