"""The committed schema is the code's, and its pages keep to the content policy."""

from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from portfolios.services.tokens import SCOPES

COMMITTED = Path(settings.BASE_DIR, "docs/api/openapi.yaml")


def test_the_committed_schema_is_what_the_code_says(tmp_path: Path) -> None:
    fresh = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(fresh), validate=True, fail_on_warn=True)
    assert COMMITTED.read_text() == fresh.read_text(), "run manage.py spectacular --file docs/api/openapi.yaml"


def test_every_operation_tells_the_scope_it_needs() -> None:
    paths = yaml.safe_load(COMMITTED.read_text())["paths"]
    told = [operation["description"] for path in paths.values() for operation in path.values()]
    assert [words for words in told if "cope" not in words] == []


def test_the_scopes_that_can_be_granted_are_explained() -> None:
    explained = Path(settings.BASE_DIR, "docs/api/OPENAPI_README.md").read_text()
    assert [scope for scope in SCOPES if f"\n| `{scope}` |" not in explained] == []


@pytest.mark.django_db
def test_the_schema_is_served_as_yaml_and_json() -> None:
    assert Client().get("/v1/schema").content.decode() == COMMITTED.read_text()
    served = Client().get("/v1/schema", headers={"Accept": "application/json"}).json()
    assert served["openapi"] == "3.0.3"
    assert "/v1/positions/{public_id}/orders" in served["paths"]


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/v1/docs", "/v1/redoc"])
def test_the_pages_of_the_schema_run_no_script_of_their_own(page: str) -> None:
    answer = Client().get(page)
    assert answer.status_code == 200
    assert "script-src 'self';" in f"{answer['Content-Security-Policy']};"
    scripts = answer.content.decode().split("<script")[1:]
    assert scripts
    assert all(script.startswith(' src="/') and "></script>" in script for script in scripts)
    assert "https://" not in answer.content.decode()
    if page == "/v1/docs":
        script = Client().get("/v1/docs?script=")
        assert (script.status_code, script["Content-Type"]) == (200, "application/javascript")
