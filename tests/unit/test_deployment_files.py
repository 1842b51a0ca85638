"""What is deployed says the same as the settings: variables, queues, packages; and holds no secret."""

import ast
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from vbalance.health import QUEUES
from vbalance.settings import CELERY_TASK_ROUTES

ROOT = Path(__file__).resolve().parents[2]
DESIGN_CARD = {
    "django",
    "djangorestframework",
    "celery",
    "redis",
    "psycopg",
    "django-celery-beat",
    "mozilla-django-oidc",
    "pandas",
    "pytest-django",
}
ONLY_FOR_COMPOSE = {"POSTGRES_PASSWORD", "POSTGRES_APP_PASSWORD"}


def known_variables() -> set[str]:
    """Every name that `vbalance/environment.py` asks for."""
    tree = ast.parse((ROOT / "vbalance/environment.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "said"]
    return {ast.literal_eval(call.args[0]) for call in calls}


def example_variables() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_example_lists_exactly_the_variables_the_settings_read():
    assert set(example_variables()) == known_variables() | ONLY_FOR_COMPOSE


def test_every_variable_of_the_example_is_explained_and_empty():
    blocks = (ROOT / ".env.example").read_text().strip().split("\n\n")[1:]
    assert [block for block in blocks if not block.startswith("# ")] == []
    assert {name: value for name, value in example_variables().items() if value} == {}


def test_compose_sets_only_variables_the_settings_read():
    for name, service in compose()["services"].items():
        if name not in ("postgres", "redis"):
            assert set(service["environment"]) <= known_variables(), name


def test_compose_interpolates_only_variables_the_example_lists():
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) <= set(example_variables())


def test_every_variable_of_the_example_reaches_the_containers():
    """But for folders, which are volumes: each of those is there for every container of ours."""
    told = {name for service in compose()["services"].values() for name in service.get("environment", ())} - {
        "VBALANCE_SERVICE"
    }
    folders = {"VBALANCE_VAR", "VBALANCE_BARS", "VBALANCE_QUOTES"}
    by_the_image = {"VBALANCE_BUILD", "VBALANCE_SERVICE"}
    not_used_there = {"DATABASE_APP_URL"}  # the programs have their role in DATABASE_URL itself
    assert set(example_variables()) <= told | folders | by_the_image | not_used_there | ONLY_FOR_COMPOSE
    made = (ROOT / "Dockerfile").read_text()
    for name, service in compose()["services"].items():
        places = dict(volume.split(":") for volume in service.get("volumes", ()))
        assert set(places) <= set(compose()["volumes"]), name
        if name not in ("postgres", "redis", "migrate"):
            assert {"bars", "quotes"} <= set(places), name
            assert all(place in made for place in places.values()), name


def test_compose_holds_no_secret():
    for name, service in compose()["services"].items():
        for variable, value in service["environment"].items() if "environment" in service else ():
            if re.search("PASSWORD|SECRET|_URL", variable) and not str(value).startswith("redis://redis:"):
                assert "${" in str(value), f"{name}: {variable}"


def test_every_queue_has_a_worker_of_its_own():
    commands = [service.get("command", []) for service in compose()["services"].values()]
    served = [command[command.index("--queues") + 1] for command in commands if "--queues" in command]
    assert sorted(served) == sorted(QUEUES)
    assert {route["queue"] for route in CELERY_TASK_ROUTES.values()} <= set(QUEUES)


def test_every_container_is_watched():
    image_has_one = "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()
    unwatched = [name for name, service in compose()["services"].items() if "healthcheck" not in service]
    assert image_has_one
    assert unwatched == ["web"], "only the web may rely on the image's own check"


def test_nothing_starts_before_the_tables_are_there():
    for name, service in compose()["services"].items():
        if name not in ("postgres", "redis", "migrate"):
            assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully", name


def test_the_image_does_not_run_as_root():
    users = re.findall(r"^USER (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert users
    assert users[-1] != "root"


@pytest.mark.parametrize("name", sorted(DESIGN_CARD))
def test_the_requirements_hold_the_packages_of_the_design_card(name):
    assert re.search(rf"^{name}(\[[\w,]+\])?==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


def test_every_locked_requirement_has_a_hash():
    for file in ("requirements.txt", "requirements-test.txt", "requirements-setup.txt"):
        text = (ROOT / file).read_text().replace("\\\n", " ")
        pinned = [line for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#")]
        assert pinned
        assert [line for line in pinned if "--hash=sha256:" not in line] == []


def test_a_check_that_does_not_exist_is_not_passed() -> None:
    slip = subprocess.run(["sh", "scripts/check.sh", "shel"], cwd=ROOT, capture_output=True, text=True)
    assert slip.returncode == 2
    assert slip.stderr.startswith("check: there is no step 'shel', only: format lint types")


def test_only_the_one_who_migrates_signs_in_as_owner_of_the_tables():
    """The others add to the log and cannot change it."""
    urls = {
        name: service.get("environment", {}).get("DATABASE_URL", "") for name, service in compose()["services"].items()
    }
    owners = {name for name, url in urls.items() if url.startswith("postgresql://vbalance:")}
    programs = {name for name, url in urls.items() if url.startswith("postgresql://vbalance_app:")}
    assert (owners, programs) == ({"migrate"}, set(urls) - {"migrate", "postgres", "redis"})
    migrate = compose()["services"]["migrate"]
    assert migrate["environment"]["DATABASE_APP_URL"] == urls["web"]
    assert "migrate --noinput && python manage.py grant_app_role" in migrate["command"][-1]
