"""Reading a problem, and checking on the way that it is a whole one."""

import json

from django.http import HttpResponse

PROBLEM = "application/problem+json"


def problem(response: HttpResponse) -> tuple[int, str]:
    body = json.loads(response.content)
    assert response["Content-Type"] == PROBLEM
    assert body["status"] == response.status_code
    assert body["type"].endswith(f"#{body['code']}")
    assert body["title"]
    assert body["detail"][0].isupper()
    assert body["detail"].endswith((".", "?", "!"))
    assert all(set(fault) <= {"code", "detail", "pointer", "parameter"} for fault in body["errors"])
    return response.status_code, body["code"]


def pointers(response: HttpResponse) -> set[str]:
    return {fault.get("pointer") or fault["parameter"] for fault in json.loads(response.content)["errors"]}
