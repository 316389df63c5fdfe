"""The listening socket, bound by the parent so that requests queue while a server is restarted."""

from __future__ import annotations

import errno
import socket
import time

from kizuna.core.errors import Conflict, Invalid


def listen(host: str, port: int, patience: float = 0.0) -> socket.socket:
    """Bind and listen; a taken port is tried again for `patience` seconds."""
    last = time.monotonic() + patience
    while True:
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, port), family=family, backlog=2048)
            # Accepted sockets inherit it. A server that gets them by descriptor does not set it, and an answer of
            # two parts would wait 40 ms for the client's acknowledgement of the first.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return listener
        except socket.gaierror:
            raise Invalid(f"{host!r} is no address of this machine: choose another with --host") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < last:
                time.sleep(0.1)
                continue
            raise _explained(error, host, port) from None


def url_of(listener: socket.socket) -> str:
    """How this machine reaches it."""
    host, port = local_address(listener)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def local_address(listener: socket.socket) -> tuple[str, int]:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  # every address: take the one that is always there
        return ("127.0.0.1" if host == "0.0.0.0" else "::1"), port  # noqa: S104
    return host, port


def answers_ready(address: tuple[str, int], seconds: float = 1.0) -> bool:
    """Whether /health/ready says 200."""
    try:
        with socket.create_connection(address, timeout=seconds) as connection:
            connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            with connection.makefile("rb") as answer:
                return answer.read().split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


def _explained(error: OSError, host: str, port: int) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return Conflict(f"port {port} of {host} is taken: choose another with --port (0 takes any free one)")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Conflict(f"port {port} needs more rights than this user has: choose one above 1023 with --port")
    return Invalid(f"cannot listen on {host} port {port} ({error.strerror}): choose others with --host and --port")
