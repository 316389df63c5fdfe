"""A small product for the supervisor to keep: a server that says ready, a worker that waits. Run as a script."""

from __future__ import annotations

import argparse
import http.server
import signal
import socket
import sys
import threading

HERE = (sys.executable, __file__)


def up() -> None:
    from kizuna.cli import main
    from kizuna.config import Config
    from kizuna.supervisor import Process

    def plan(config: Config, partitions: int) -> list[Process]:
        worker = Process("work", (*HERE, "work", f"0-{partitions - 1}"))
        return [Process("serve", (*HERE, "serve"), listens=True), worker]

    import kizuna.supervisor

    def run(config: Config, _: argparse.Namespace) -> None:
        kizuna.supervisor.up(config, plan)

    import kizuna.cli

    kizuna.cli.up = run
    sys.exit(main(["up", *sys.argv[2:]]))


def serve(descriptor: int) -> None:
    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ready")

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    with socket.socket(fileno=descriptor) as listener:
        server = http.server.HTTPServer(("", 0), Ready, bind_and_activate=False)
        server.socket.close()
        server.socket = listener
        server.serve_forever()


def work() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Event().wait()


if __name__ == "__main__":
    match sys.argv[1]:
        case "up":
            up()
        case "serve":
            serve(int(sys.argv[3]))
        case _:
            work()
