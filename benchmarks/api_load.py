"""The load of the API benchmark: runs as a process of its own, on a core of its own.

Reads from stdin one JSON object: host, port, connections, requests (a list of HTTP requests as
text, taken in turn) and how many to send; writes one JSON object: seconds, statuses, latencies.
"""

import json
import selectors
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

HEAD_END = b"\r\n\r\n"


@dataclass
class Line:
    """One connection: what it waits for, and since when."""

    socket: socket.socket
    sent_at: float = 0.0
    got: bytes = b""

    def send(self, request: bytes) -> None:
        """Send a request; it is short, so that it fits into the socket's buffer."""
        self.got = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def take(self) -> int:
        """Take what has come; give the status once the answer is whole, else 0."""
        chunk = self.socket.recv(1 << 16)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self.got += chunk
        head, found, body = self.got.partition(HEAD_END)
        if not found:
            return 0
        fields = head.lower()
        at = fields.find(b"content-length:")
        length = int(fields[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        return int(head[9:12]) if len(body) >= length else 0


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Send the requests over all connections, each with one in flight."""
    requests = [text.encode() for text in order["requests"]]
    total, sent, done = int(order["count"]), 0, 0
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        for _ in range(min(int(order["connections"]), total)):
            line = Line(socket.create_connection((order["host"], order["port"])))
            line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.send(requests[sent % len(requests)])
            sent += 1
        while done < total:
            for key, _ in selector.select():
                line = key.data
                status = line.take()
                if not status:
                    continue
                latencies.append(time.perf_counter() - line.sent_at)
                statuses[status] += 1
                done += 1
                if sent < total:
                    line.send(requests[sent % len(requests)])
                    sent += 1
        seconds = time.perf_counter() - started
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return {"seconds": seconds, "statuses": statuses, "latencies_s": latencies}


if __name__ == "__main__":
    json.dump(run(json.load(sys.stdin)), sys.stdout)
