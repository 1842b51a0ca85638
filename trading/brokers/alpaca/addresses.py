"""Where an account's requests may go, and with which keys: the vendor's hosts, by its mode, or a fake right here."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from portfolios.errors import Refused
from portfolios.models import Account
from portfolios.services.credentials import credentials_of
from trading.brokers.base import BrokerSilent

HOSTS = {"paper": "paper-api.alpaca.markets", "live": "api.alpaca.markets"}


KEY = re.compile(r"[!-~]{1,128}")


class Address(NamedTuple):
    """Of one account: where it is asked (https://host) and where it speaks (wss://host/stream)."""

    rest: str
    stream: str


class Access(NamedTuple):
    """An address and the keys that open it. Printed or in a traceback it names the address alone."""

    address: Address
    key: str
    secret: str

    def __repr__(self) -> str:
        return f"Access({self.address.rest})"


def access_of(account: Account) -> Access:
    """Raises BrokerSilent where nobody could be asked."""
    try:
        credentials = credentials_of(account)
    except Refused as refused:
        raise BrokerSilent(str(refused)) from None
    found = [credentials.get(name) for name in ("key", "secret")]
    key, secret = (value if isinstance(value, str) and KEY.fullmatch(value) else "" for value in found)
    if not (key and secret):
        raise BrokerSilent("the account lacks the credentials key and secret")
    return Access(address_of(account.mode, credentials), key, secret)


def address_of(mode: str, credentials: Mapping[str, Any]) -> Address:
    """By the account's mode; `base_url` among its credentials may name a fake. Raises BrokerSilent for all else.

    Whoever may type an address must not be able to reach the inside of our network with it.
    """
    given = credentials.get("base_url") or f"https://{HOSTS[mode]}"
    parts = urlsplit(given.rstrip("/") if isinstance(given, str) else "")
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if parts.username or parts.password or parts.path or parts.query or parts.fragment:
        raise BrokerSilent("base_url is more than a scheme, a host and a port")
    if (parts.scheme, host, port) == ("https", HOSTS[mode], None):
        return Address(f"https://{host}", f"wss://{host}/stream")
    if parts.scheme == "http" and port and mode == "paper" and settings.FAKE_BROKERS and is_here(host):
        return Address(f"http://{parts.netloc}", f"ws://{parts.netloc}/stream")
    raise BrokerSilent(f"base_url is not an address of a {mode} account at Alpaca")


def is_here(host: str) -> bool:
    """Whether it is an address of this machine, in figures: a name may mean anything tomorrow."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
