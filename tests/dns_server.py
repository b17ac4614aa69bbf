"""A name server for the tests: real UDP and TCP on a free loopback port, with whatever zone and troubles a test wants.

Answers from a dictionary; asserts nothing. `with NameServer(ZONE) as server:` and ask `server.address`.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = dict[str, list[str]]
"""Records by name, each as a zone file has it behind the name: `MX 10 mail.courier.org.`"""

_ALIASES: Final = 8


class NameServer:
    """Serves a zone. Names may be `failing` (SERVFAIL), `refusing`, `silent` (no answer), or `long` (TCP only)."""

    def __init__(
        self,
        zone: Zone,
        *,
        failing: Iterable[str] = (),
        refusing: Iterable[str] = (),
        silent: Iterable[str] = (),
        long: Iterable[str] = (),
    ) -> None:
        self.zone = zone
        self._codes = dict.fromkeys(failing, dns.rcode.SERVFAIL) | dict.fromkeys(refusing, dns.rcode.REFUSED)
        self._silent, self._long = set(silent), set(long)
        self.asked: list[tuple[str, str, str]] = []
        self._tcp = _Tcp(("127.0.0.1", 0), self._answer)
        self._udp = _Udp(self._tcp.server_address, self._answer)
        self._threads = [threading.Thread(target=each.serve_forever, args=(0.05,)) for each in (self._tcp, self._udp)]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return str(self._tcp.server_address[0]), int(self._tcp.server_address[1])

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        for each in (self._tcp, self._udp):
            each.shutdown()
            each.server_close()
        for thread in self._threads:
            thread.join()

    def _answer(self, wire: bytes, over: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, over))
        if name in self._silent:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(self._codes.get(name, dns.rcode.NOERROR))
        if over == "udp" and name in self._long:
            response.flags |= dns.flags.TC
        elif response.rcode() == dns.rcode.NOERROR:
            self._fill(response, name, kind)
        return response.to_wire(max_size=65535)

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        for alias, records in self._chain(name):
            wanted = [record.partition(" ")[2] for record in records if record.split()[0] in {kind, "CNAME"}]
            found = "CNAME" if any(record.startswith("CNAME ") for record in records) else kind
            if wanted:
                response.answer.append(dns.rrset.from_text(f"{alias}.", 60, "IN", found, *wanted))
            if alias not in self.zone:
                response.set_rcode(dns.rcode.NXDOMAIN)

    def _chain(self, name: str) -> Iterator[tuple[str, list[str]]]:
        for _ in range(_ALIASES):
            records = self.zone.get(name, [])
            yield name, records
            target = next((record.split()[1] for record in records if record.startswith("CNAME ")), None)
            if target is None:
                return
            name = target.rstrip(".").lower()


class _Udp(socketserver.ThreadingUDPServer):
    def __init__(self, address, answer):
        self.answer = answer
        super().__init__(address, _Datagram)


class _Datagram(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self):
        wire, sock = self.request
        if response := self.server.answer(wire, "udp"):
            sock.sendto(response, self.client_address)


class _Tcp(socketserver.ThreadingTCPServer):
    def __init__(self, address, answer):
        self.answer = answer
        super().__init__(address, _Stream)


class _Stream(socketserver.BaseRequestHandler):
    server: _Tcp

    def handle(self):
        with self.request.makefile("rb") as stream:
            while len(head := stream.read(2)) == 2:
                wire = stream.read(struct.unpack("!H", head)[0])
                if not (response := self.server.answer(wire, "tcp")):
                    self.request.shutdown(socket.SHUT_RDWR)
                    return
                self.request.sendall(struct.pack("!H", len(response)) + response)
