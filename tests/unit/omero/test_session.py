"""Addresses of OMERO servers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.session import DEFAULT_PORTS, parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("omero.example.org", "ssl://omero.example.org:4064"),
        (" omero:14064 ", "ssl://omero:14064"),
        ("tcp://10.0.0.7", "tcp://10.0.0.7:4063"),
        ("SSL://omero", "ssl://omero:4064"),
        ("ws://omero/ws", "ws://omero:80/ws"),
        ("wss://omero:8443/a/b-c", "wss://omero:8443/a/b-c"),
        ("wss://omero/", "wss://omero:443"),
    ],
)
def test_addresses(text, expected):
    assert str(parse_address(text)) == expected


def test_an_address_becomes_the_router_that_ice_understands():
    assert parse_address("wss://omero/x").router == "OMERO.Glacier2/router:wss -p 443 -h omero -r /x"
    assert parse_address("omero").router == "OMERO.Glacier2/router:ssl -p 4064 -h omero"


@pytest.mark.parametrize(
    "text", ["", "a b", "http://omero", "omero:0", "omero:70000", "ssl://omero/path", "-h x;rm", "://x"]
)
def test_other_texts_are_no_address(text):
    with pytest.raises(UserError, match=r"^OMERO server '.*': .*Write host, host:port"):
        parse_address(text)


@given(
    st.sampled_from(sorted(DEFAULT_PORTS)),
    st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True),
    st.integers(1, 65535),
)
def test_every_address_comes_back_as_it_was(protocol, host, port):
    assert str(parse_address(f"{protocol}://{host}:{port}")) == f"{protocol}://{host}:{port}"
