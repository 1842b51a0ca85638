"""The session of the README, pasted into a shell as a newcomer would."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from portfolios.services.tokens import create_token
from tests.factories import make_user

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.django_db(transaction=True)
def test_the_session_of_the_readme_answers_what_it_says(live_server: LiveServer, tmp_path: Path) -> None:
    session = next(block for block in re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL) if "BASE=" in block)
    promised = re.findall(r"^call .*# (\d{3})(?: (\w+_\w+))?", session, re.MULTILINE)
    _, token = create_token(user=make_user(), name="readme", scopes=["read", "trade"], days=1)
    (tmp_path / "var").mkdir()
    (tmp_path / "var/demo.json").write_text(json.dumps({"token": token}))

    pasted = session.replace("http://127.0.0.1:8000", live_server.url)
    run = subprocess.run(["sh"], input=pasted, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    answers = run.stdout.splitlines()
    assert [line.rsplit(" -> ", 1)[1] for line in answers] == [status for status, _ in promised]
    assert all(code in line for line, (_, code) in zip(answers, promised, strict=True))
    assert run.stderr == ""
