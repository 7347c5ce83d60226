"""A web server on the loopback address that plays an archive: well-behaved, or as bad as a test needs."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

ANSWERS = Path(__file__).resolve().parents[3] / "test-data" / "fair_archives"


@dataclass
class Request:
    """What the server was asked."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What the server says. `silence`: seconds before the body; `claimed`: a Content-Length that is not the body's."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    silence: float = 0.0
    claimed: int | None = None


@dataclass
class Server:
    """A running server: its address, what it answers by path, and what it was asked."""

    address: str
    routes: Mapping[str, Reply | Callable[[Request], Reply]]
    requests: list[Request] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    close: Callable[[], None] = lambda: None

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]


def answer(name: str) -> Reply:
    """A stored answer of `test-data/fair_archives/`."""
    return Reply((ANSWERS / name).read_bytes(), headers={"Content-Type": "application/json"})


def ranged(data: bytes, etag: str = '"one"') -> Callable[[Request], Reply]:
    """A file that is served with byte ranges, as static file servers do."""

    def reply(request: Request) -> Reply:
        asked = request.headers.get("range")
        if not asked or request.headers.get("if-range", etag) != etag:
            return Reply(data, headers={"ETag": etag, "Accept-Ranges": "bytes"})
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start = int(first) if first else max(0, len(data) - int(last))
        end = min(int(last) if first and last else len(data) - 1, len(data) - 1)
        if start >= len(data):
            return Reply(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
        headers = {"ETag": etag, "Content-Range": f"bytes {start}-{end}/{len(data)}"}
        return Reply(data[start : end + 1], status=206, headers=headers)

    return reply


@contextlib.contextmanager
def serving(routes: Mapping[str, Reply | Callable[[Request], Reply]] | None = None, port: int = 0) -> Iterator[Server]:
    """Run a server on a free port of 127.0.0.1, or on a given one, until the block ends or somebody closes it."""
    server = Server("", routes if routes is not None else {})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {key.lower(): value for key, value in self.headers.items()}
            request = Request(self.command, parts.path, parts.query, headers, body)
            server.requests.append(request)
            reply = server.routes.get(parts.path, Reply(b"no such page", status=404))
            self._send(reply(request) if callable(reply) else reply)

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for key, value in reply.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(reply.body) if reply.claimed is None else reply.claimed))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.flush()
                server.stop.wait(reply.silence)
                with contextlib.suppress(OSError):
                    self.wfile.write(reply.body)
            # A claim that the body does not meet can only be ended by closing the line.
            self.close_connection = reply.claimed is not None

        do_GET = do_POST = do_HEAD = _answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    httpd.daemon_threads = True
    server.address = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def close() -> None:
        server.stop.set()
        httpd.shutdown()
        httpd.server_close()

    server.close = close
    try:
        yield server
    finally:
        server.close()


def dripping(data: bytes, pause: float) -> Callable[[Request], Reply]:
    """A server that takes its time before it says anything at all."""

    def reply(_: Request) -> Reply:
        time.sleep(pause)
        return Reply(data)

    return reply
