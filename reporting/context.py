"""What every page shows: the market date of replayed history."""

from typing import Any

from django.http import HttpRequest


def market(request: HttpRequest) -> dict[str, Any]:
    return {}
