"""Signing in through a real OpenID provider, npm's oidc-provider on loopback. Long; needs node, npm and a registry."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from playwright.sync_api import Page, expect

from portfolios.models import User
from tests.e2e.test_sign_in import context, house
from tests.fake_provider import CLIENT

__all__ = ["context", "house"]
pytestmark = [pytest.mark.django_db, pytest.mark.long]
HERE = Path(__file__).parent / "npm"
SECRET = "a secret long enough for anybody"


@pytest.fixture(scope="module")
def program(django_db_setup: None) -> Path:
    """Installed once, as locked, under var/npm."""
    from django.conf import settings

    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("node and npm are not installed: the real provider was NOT tried")
    place = settings.VAR / "npm"
    place.mkdir(parents=True, exist_ok=True)
    for path in HERE.iterdir():
        shutil.copy(path, place)
    if not (place / "node_modules" / ".package-lock.json").exists():
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=300)
    return place / "provider.mjs"


@pytest.fixture
def issuer(program: Path, house: str, settings: LazySettings) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [str(port), CLIENT, SECRET, f"{house}/oidc/callback", f"{house}/login"]
    with subprocess.Popen(["node", program, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        settings.OIDC_ISSUER = f"http://127.0.0.1:{port}"
        settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = CLIENT, SECRET
        cache.clear()
        yield settings.OIDC_ISSUER
        process.terminate()


def test_a_real_provider_lets_a_person_in_and_out(page: Page, house: str, issuer: str, complaints: list[str]) -> None:
    page.goto(f"{house}/login")
    page.get_by_role("link", name="Sign in with your company's account").click()
    page.locator("[name=login]").fill("zoe")
    page.locator("[name=password]").fill("any will do")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]").click()  # yes, the robot may know who she is
    page.wait_for_url(f"{house}/")
    zoe = User.objects.get(username="zoe")
    assert (zoe.email, zoe.identities.get().issuer) == ("zoe@example.com", issuer)
    page.locator("summary", has_text="zoe").first.click()
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url(f"{issuer}/session/end**")
    page.goto(f"{house}/settings")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    complaints[:] = [complaint for complaint in complaints if "autocomplete" not in complaint]  # about its form
