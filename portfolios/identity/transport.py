"""Asks the provider: JSON over HTTPS, five seconds in all, no redirects, nothing large."""

import json
import time
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests

from portfolios.identity.errors import ProviderDown

SECONDS = 5.0
LARGEST = 512 * 1024


def is_safe(url: str) -> bool:
    """Over TLS, or on this very machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def ask(method: str, url: str, **request: Any) -> dict[str, Any]:
    """The object the provider answers with. Raises ProviderDown for everything else than a readable 200."""
    if not is_safe(url):
        raise ProviderDown(f"unsafe address {url[:100]}")
    deadline = time.monotonic() + SECONDS
    try:
        with requests.request(method, url, timeout=SECONDS, allow_redirects=False, stream=True, **request) as response:
            body = read(response, deadline)
            status = response.status_code
        answer = json.loads(body)
    except (requests.RequestException, ValueError, RecursionError) as error:
        raise ProviderDown(type(error).__name__) from error
    if status != requests.codes.ok or not isinstance(answer, dict):
        raise ProviderDown(f"status {status}")
    return answer


def read(response: requests.Response, deadline: float) -> bytes:
    body = b""
    for chunk in response.iter_content(8192):
        body += chunk
        if len(body) > LARGEST:
            raise ProviderDown("too large")
        if time.monotonic() > deadline:
            raise ProviderDown("too slow")
    return body
