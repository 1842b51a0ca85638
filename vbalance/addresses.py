"""Whose address a request comes from when proxies stand in front: only what a trusted one says is believed."""

from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and CIDRs as networks. Raises ValueError."""
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise ValueError(f"VBALANCE_TRUSTED_PROXIES: {error}") from None


def client_address(peer: str, forwarded: str, trusted: Collection[Network]) -> str:
    """The last address of the chain that is no proxy of ours: what stands before it anybody may have written."""
    believed = peer
    for claim in reversed(forwarded.split(",")):
        if not is_among(believed, trusted) or (address := read_address(claim)) is None:
            break
        believed = str(address)
    return believed


def is_among(text: str, trusted: Collection[Network]) -> bool:
    address = read_address(text)
    return address is not None and any(address in network for network in trusted)


def read_address(text: str) -> Address | None:
    """IPv4 written as IPv6 is IPv4; what is no address is None."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
