"""A browser without a window: signs in, asks for pages, counts what they cost."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

BACKEND = "django.contrib.auth.backends.ModelBackend"


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def page(client: Client, name: str, of: Any = None, **query: object) -> str:
    """The HTML of a page; `of` is the row its address names."""
    answer = client.get(reverse(name, args=[of.public_id] if of else []), query)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def queries(client: Client, name: str, of: Any = None, **query: object) -> int:
    """How many queries the page costs once it has been asked for before."""
    page(client, name, of, **query)
    with CaptureQueriesContext(connection) as captured:
        page(client, name, of, **query)
    return len(captured)
