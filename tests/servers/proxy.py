"""A proxy in front of a server that cuts connections in the middle of what the server sends."""

import contextlib
import socket
import threading


class CuttingProxy:
    """Forwards connections to a port. The first one in which the server sends `cuts[0]` bytes ends behind them, then the
    first one with `cuts[1]`, and so on; after the last cut all go on. `sent`: the server's bytes in each connection."""

    def __init__(self, port, cuts=()):
        self.target, self.cuts, self.sent = port, list(cuts), []
        self.done = 0  # cuts
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self.target)) as server:
            threading.Thread(target=_copy, args=(client, server), daemon=True).start()
            self._send(server, client)
            for end in (client, server):
                end.shutdown(socket.SHUT_RDWR)

    def _send(self, server, client):
        with self._lock:
            number = len(self.sent)
            self.sent.append(0)
        while data := server.recv(65536):
            with self._lock:
                cut = self.cuts[self.done] - self.sent[number] if self.done < len(self.cuts) else len(data) + 1
                ends = cut <= len(data)
                self.done += ends
                self.sent[number] += min(cut, len(data))
            client.sendall(data[: max(cut, 0)])
            if ends:
                return

    def close(self):
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _copy(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
