"""HTTP requests to untrusted servers: every request of the archive tools passes here.

Addresses and answers are checked before they are followed or kept:
    - Only http and https addresses without user names are allowed; `file://` and the like are refused, also in
      redirects.
    - An address inside this network (loopback, private, link-local) is refused unless the user gave exactly that
      host and port, so that an answer cannot make a Galaxy server attack its neighbours.
    - A redirect from https to http is refused, and at most five redirects are followed.
    - An answer that is too long or too slow is cut off with an error.

A host name is resolved once for the check and again by the connection; the owner of the name's DNS server could answer
differently the second time. A Galaxy server that must be safe from that runs its jobs behind a proxy.
"""

import contextlib
import ipaddress
import os
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.untrusted_files import parse_json

if TYPE_CHECKING:
    import requests

MAX_REDIRECTS = 5
MAX_ANSWER_BYTES = 32 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
# Statuses of servers that are temporarily overloaded or unavailable.
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = {301, 302, 303, 307, 308}
_PORTS = {"http": 80, "https": 443}


class ServerError(UserError):
    """A temporary failure of a server (unreachable, interrupted or out of order): a later try may succeed."""


@dataclass(frozen=True)
class Web:
    """Limits of requests.

    Attributes:
        given: Addresses that the user gave: their hosts and ports may lie inside this network.
        deadline: `time.monotonic()` at which an unfinished answer is cut off.
        silence: Seconds without data after which a server counts as unreachable.
    """

    given: tuple[str, ...] = ()
    deadline: float = float("inf")
    silence: float = 20.0

    @classmethod
    def until(cls, seconds: float, given: tuple[str, ...]) -> "Web":
        """Return a `Web` whose answers must be complete `seconds` from now."""
        return cls(given, time.monotonic() + seconds, min(20.0, seconds))


def base_address(text: str, name: str) -> str:
    """Check an address that the user typed and return it without a final slash.

    Args:
        text: Address as typed.
        name: What the address belongs to, for the message.

    Raises:
        UserError: The address is not http or https, or it has no host, a user name (which would end in logs) or a
            query.
    """
    parts = _split(text.strip())
    if parts is None or parts.username is not None or parts.query or parts.fragment:
        raise UserError(f"address of {name} {text!r}: not a plain web address. Give it as https://host/path.")
    return text.strip().rstrip("/")


def _split(url: str) -> Any:
    """Return the parts of a web address, or None when requests to it are not allowed."""
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in _PORTS and parts.hostname else None


def web_link(value: Any) -> str:
    """Return an http or https address as a link that is safe to show; empty text for anything else."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text and _split(text) is not None else ""


def url_path(url: str) -> str:
    """Return the path of an address, without query and fragment."""
    return urlsplit(url).path


def server_address(url: str) -> str:
    """Return the address of the server of a web address, as `https://host:port`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def check_address(url: str, web: Web) -> None:
    """Check that requests to an address are allowed.

    Raises:
        UserError: The address is not allowed; the message gives the reason.
    """
    parts = _split(url)
    if parts is None or parts.username is not None:
        raise UserError(f"address {url!r}: not a web address that may be followed. Only http and https are.")
    if _place(parts) in {_place(_split(base)) for base in web.given}:
        return
    for address in _resolve(parts.hostname, _place(parts)[1]):
        if not ipaddress.ip_address(address).is_global:
            raise UserError(
                f"address {url!r}: {parts.hostname} lies inside this network ({address}) and is not an address that "
                "was given. Give it as an address of the tool if it is meant."
            )


def _place(parts: Any) -> tuple[str, int]:
    return parts.hostname.casefold(), parts.port or _PORTS[parts.scheme]


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        # Behind a proxy only the proxy resolves host names; it then decides which requests are allowed.
        if os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY"):
            return []
        raise UserError(
            f"server {host}: its name is not known here ({error}). Check the address and the network."
        ) from error
    return [str(entry[4][0]).partition("%")[0] for entry in found]


@contextlib.contextmanager
def open_url(
    web: Web, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: Any = None
) -> "Iterator[requests.Response]":
    """Send a request and follow its redirects, each checked. The body is not read yet.

    Args:
        web: Limits of the request.
        url: Full address, with its query.
        method: GET, HEAD or POST.
        headers: Headers in addition to the usual ones.
        body: JSON body; None sends none.

    Yields:
        The last response, with any status.

    Raises:
        ServerError: The server cannot be reached, or does not answer in time.
        UserError: An address is refused, there are too many redirects, or the request fails for another reason.
    """
    import requests

    with requests.Session() as session:
        session.headers["User-Agent"] = "bioimage-suite-galaxy"
        # An explicit auth keeps requests from sending the credentials of a ~/.netrc to that host.
        session.auth = lambda request: request
        for _ in range(MAX_REDIRECTS + 1):
            check_address(url, web)
            response = _send(session, web, method, url, headers=dict(headers or {}), json=body)
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not location:
                with response:
                    yield response
                return
            response.close()
            url = _redirected(url, location)
            if response.status_code == 303:
                method, body = "GET", None
    raise UserError(f"server {_host(url)}: more than {MAX_REDIRECTS} redirects. Check the address.")


def _send(session: "requests.Session", web: Web, method: str, url: str, **sent: Any) -> "requests.Response":
    """Send one request; its redirects are not followed and its body is not read."""
    import requests

    timeout = max(0.1, min(web.silence, web.deadline - time.monotonic()))
    try:
        return session.request(method, url, **sent, stream=True, allow_redirects=False, timeout=timeout)
    except (requests.RequestException, ValueError, OSError) as error:
        # A server that starts anew refuses connections for a while; a wrong certificate or address stays wrong.
        away = isinstance(error, (requests.ConnectionError, requests.Timeout))
        kind = ServerError if away and not isinstance(error, requests.exceptions.SSLError) else UserError
        raise kind(f"server {_host(url)}: {_reason(error)}. Try again later or check the address.") from error


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location)
    if url.startswith("https:") and target.startswith("http:"):
        raise UserError(f"server {_host(url)}: redirects from https to {target!r}, without encryption. Not followed.")
    return target


def _host(url: str) -> str:
    parts = _split(url)
    return parts.netloc if parts else url


def _reason(error: Exception) -> str:
    """Describe an error in words; the text of urllib3's errors holds object addresses, which differ in every run."""
    import requests
    import urllib3

    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return "does not answer in time"
    if isinstance(error, (requests.ConnectionError, urllib3.exceptions.ProtocolError)):
        return "cannot be reached, or broke off"
    return f"the request failed ({type(error).__name__})"


def read_chunks(web: Web, response: "requests.Response", *, unpack: bool = True) -> Iterator[bytes]:
    """Read a body piece by piece.

    Args:
        web: Limits of the request.
        response: Response of `open_url`.
        unpack: Whether to decode a Content-Encoding; False yields the bytes as sent.

    Raises:
        ServerError: The server closes the connection, sends no data for too long, or misses the deadline.
    """
    import urllib3

    try:
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=unpack):
            yield chunk
            if time.monotonic() > web.deadline:
                raise ServerError(f"server {_host(response.url)}: too slow, its answer was cut off. Try again later.")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ServerError(f"server {_host(response.url)}: {_reason(error)}. Try again later.") from error


def read_answer(web: Web, response: "requests.Response", limit: int = MAX_ANSWER_BYTES) -> bytes:
    """Read a whole body of at most `limit` bytes, counted after decoding a Content-Encoding.

    Raises:
        UserError: The body is longer, or one of the errors of `read_chunks` occurs.
    """
    data = bytearray()
    for chunk in read_chunks(web, response):
        data += chunk
        if len(data) > limit:
            raise UserError(
                f"server {_host(response.url)}: its answer is longer than {limit:,} bytes. It was not read."
            )
    return bytes(data)


def ask_json(web: Web, url: str, *, body: Any = None) -> Any:
    """Request JSON by GET, or by POST when there is a body.

    Raises:
        UserError: The connection fails, the status is not 200, or the answer is too long or not JSON.
    """
    method = "GET" if body is None else "POST"
    with open_url(web, url, method=method, headers={"Accept": "application/json"}, body=body) as response:
        if response.status_code != 200:
            raise UserError(
                f"server {_host(url)}: answers status {response.status_code} to {url_path(url) or '/'}. "
                f"{_hint(response)}"
            )
        return parse_json(read_answer(web, response), f"answer of {_host(url)}")


def _hint(response: "requests.Response") -> str:
    if response.status_code == 404:
        return "Check the address and the accession."
    if response.status_code in {401, 403}:
        return "It is not public."
    return "Try again later."
