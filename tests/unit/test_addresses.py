"""A client's address: what a proxy of ours says is believed, what anybody else says is not."""

import pytest

from vbalance.addresses import client_address, networks

OURS = networks(["10.0.0.0/8", "192.0.2.7", "fd00::/8"])
CHAINS = [
    ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
    ("10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),  # the client wrote the first itself
    ("10.0.0.1", "203.0.113.9, 192.0.2.7", "203.0.113.9"),  # two proxies of ours in a row
    ("10.0.0.1", "10.9.9.9,10.0.0.2", "10.9.9.9"),  # somebody inside
    ("fd00::1", "2001:db8::5", "2001:db8::5"),
    ("::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
    ("198.51.100.1", "203.0.113.9", "198.51.100.1"),  # no proxy of ours: forged
    ("198.51.100.1", "10.0.0.1", "198.51.100.1"),
    ("10.0.0.1", "", "10.0.0.1"),
    ("10.0.0.1", "unknown", "10.0.0.1"),
    ("10.0.0.1", "203.0.113.9, <script>", "10.0.0.1"),
    ("10.0.0.1", "203.0.113.9,, 10.0.0.3", "10.0.0.3"),
    ("", "203.0.113.9", ""),
]


@pytest.mark.parametrize(("peer", "forwarded", "client"), CHAINS)
def test_the_client_is_whoever_stands_before_our_proxies(peer: str, forwarded: str, client: str) -> None:
    assert client_address(peer, forwarded, OURS) == client


def test_without_proxies_of_ours_nobody_is_believed() -> None:
    assert client_address("127.0.0.1", "203.0.113.9", networks([])) == "127.0.0.1"


@pytest.mark.parametrize("text", ["10.0.0.300", "proxy", "10.0.0.1/8"])
def test_a_proxy_that_is_no_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="VBALANCE_TRUSTED_PROXIES"):
        networks([text])
