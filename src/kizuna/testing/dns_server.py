"""A DNS server of our own on loopback: says what it is told to, also what no server should."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from types import TracebackType

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], list[str]]
Reply = Callable[[dns.message.Message], bytes | None]


class DnsServer:
    """`zone` maps (name, kind) to records as text; `reply` answers instead of it, None: never."""

    def __init__(self, zone: Zone = {}, reply: Reply | None = None) -> None:  # noqa: B006  # never changed
        self.zone, self.reply, self.asked = zone, reply, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> DnsServer:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.sendto(b"", self.socket.getsockname())  # wakes it, to end
        self.thread.join()
        self.socket.close()

    def _serve(self) -> None:
        while True:
            raw, peer = self.socket.recvfrom(4096)
            if not raw:
                return
            self.asked += 1
            asked = dns.message.from_wire(raw)
            answer = self.reply(asked) if self.reply else self._of_zone(asked)
            if answer is not None:
                self.socket.sendto(answer, peer)

    def _of_zone(self, asked: dns.message.Message) -> bytes:
        question = asked.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(asked, recursion_available=True)
        if records := self.zone.get((name, kind)):
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, records))
        elif not any(known == name for known, _ in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire(max_size=65_000)
