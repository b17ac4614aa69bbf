"""Returned mail in an IMAP mailbox whose server misbehaves: played word by word, over TLS."""

from __future__ import annotations

import base64
import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager

import pytest

from tests.contract.transports.test_smtp_security import LOOPBACK, Authority
from worker.adapters.mailboxes import imap
from worker.adapters.mailboxes.build import open_mailbox
from worker.errors import ConfigurationError, FetchError

Script = Callable[[str, str], Iterable[bytes] | None]
"""What the server writes in answer to a tag and a command; None for what every server does."""


def usual(tag: str, command: str) -> list[bytes]:
    if command.startswith("CAPABILITY"):
        return [b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", f"{tag} OK done\r\n".encode()]
    if command.startswith("SELECT"):
        return [b"* 3 EXISTS\r\n", f"{tag} OK [READ-WRITE] done\r\n".encode()]
    if command.startswith("UID SEARCH"):
        return [b"* SEARCH 1 2 3\r\n", f"{tag} OK done\r\n".encode()]
    if command.startswith("UID FETCH"):
        number = command.split()[2]
        return [f"* {number} FETCH (UID {number} BODY[]<0> {{4}}\r\nm{number}\r\n)\r\n{tag} OK done\r\n".encode()]
    return [f"{tag} OK done\r\n".encode()]


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Open a mailbox on a server that follows a script."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    @contextmanager
    def play(script: Script, *, password: str = "secret"):
        with playing(authority.server_context(LOOPBACK), script) as port:
            where = f"imaps://news:{password}@127.0.0.1:{port}/INBOX"
            with closing(open_mailbox(where, left=tmp_path)) as inbox:
                yield inbox

    return play


@contextmanager
def playing(context: ssl.SSLContext, script: Script) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, context, script))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def serve(listener: socket.socket, context: ssl.SSLContext, script: Script) -> None:
    with contextlib.suppress(OSError):
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True) as wire, wire.makefile("rb") as lines:
            wire.sendall(b"* OK ready\r\n")
            for line in lines:
                tag, _, command = line.decode().strip().partition(" ")
                for piece in script(tag, command) or usual(tag, command):
                    wire.sendall(piece)


def test_a_mail_that_the_server_cannot_give_holds_up_no_other(opened):
    def broken(tag, command):
        return [f"{tag} NO [SERVERBUG] Internal error\r\n".encode()] if command.startswith("UID FETCH 2") else None

    with opened(broken) as inbox:
        assert list(inbox.waiting(limit=10)) == [("1", b"m1\r\n"), ("2", None), ("3", b"m3\r\n")]


def slowly(said: bytes) -> Iterator[bytes]:
    time.sleep(0.02)
    yield said


@pytest.mark.parametrize("where", ["UID SEARCH", "UID FETCH", "LOGIN", "SELECT"])
@pytest.mark.parametrize("endless", [b"* OK still here\r\n", b"x"], ids=["lines", "line"])
def test_a_server_that_never_comes_to_an_end_is_given_up(opened, monkeypatch, where, endless):
    def chatter(_tag, command):
        if not command.startswith(where):
            return None
        return itertools.chain.from_iterable(slowly(endless) for _ in itertools.count())

    monkeypatch.setattr(imap, "COMMAND_S", 0.3)
    with pytest.raises(FetchError), opened(chatter) as inbox:
        list(inbox.waiting(limit=10))


def test_a_search_is_answered_with_numbers_or_with_nothing(opened):
    def nonsense(tag, command):
        return [b"* SEARCH \xff\xfe 2 \xb2 (3)\r\n" + f"{tag} OK done\r\n".encode()] if "SEARCH" in command else None

    with opened(nonsense) as inbox:
        assert list(inbox.waiting(limit=10)) == [("2", b"m2\r\n")]


def test_a_password_may_have_any_letters(opened):
    tags: list[str] = []
    given: list[str] = []

    def script(tag, command):
        if command.startswith("AUTHENTICATE PLAIN"):
            tags.append(tag)
            return [b"+ \r\n"]
        if not command:
            given.append(base64.b64decode(tag).decode())
            return [f"{tags[0]} OK done\r\n".encode()]
        return None

    with opened(script, password="p%C3%A4ssword") as inbox:
        assert len(list(inbox.waiting(limit=10))) == 3
    assert given == ["\0news\0pässword"]


def test_a_folder_is_named_as_the_server_writes_it(tmp_path):
    with pytest.raises(ConfigurationError, match="folder"):
        open_mailbox("imaps://news:secret@localhost/R%C3%BCckl%C3%A4ufer", left=tmp_path)
