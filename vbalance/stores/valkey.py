"""Valkey for one folder, on a unix socket. It keeps nothing on disk: rows are the queue, Celery only rings the bell."""

import signal
from pathlib import Path

import redis

from vbalance.stores.addresses import VALKEY_SOCKET
from vbalance.stores.binaries import find_valkey
from vbalance.stores.leftovers import end_leftovers
from vbalance.stores.server import Server, private_folder


class Valkey:
    def __init__(self, folder: Path, sockets: Path) -> None:
        self.folder = folder
        self.sockets = sockets
        self.home = folder / "valkey"
        self.program = find_valkey()

    def start(self) -> Server:
        self.home.mkdir(parents=True, exist_ok=True)
        end_leftovers(self.home)
        private_folder(self.sockets)
        server = Server(self._command(), log=self.folder / "log" / "valkey.log", gently=signal.SIGTERM)
        server.wait_until(self._answers)
        return server

    def _command(self) -> list[str]:
        socket = ["--port", "0", "--unixsocket", str(self.sockets / VALKEY_SOCKET), "--unixsocketperm", "700"]
        nothing_kept = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
        return [str(self.program), "--dir", str(self.home), *socket, *nothing_kept, "--loglevel", "warning"]

    def _answers(self) -> bool:
        with redis.Redis(unix_socket_path=str(self.sockets / VALKEY_SOCKET), socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False
