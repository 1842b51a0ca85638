"""A token opens what its scopes say, for as long as it lives."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.models import ApiToken
from portfolios.services.tokens import create_token, find_token, revoke_token
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_the_secret_is_never_stored() -> None:
    token, secret = create_token(user=make_user(), name="laptop", scopes=["trade", "read"], days=30)
    assert secret.startswith(f"vb_{token.prefix}")
    assert len(secret) > 50
    assert secret not in str(ApiToken.objects.values().get())
    assert token.scopes == ["read", "trade"]


def test_a_token_is_found_by_its_secret_and_by_nothing_else() -> None:
    token, secret = create_token(user=make_user(), name="laptop", scopes=["read"], days=30)
    assert find_token(secret) == token
    for other in ("", "vb_", secret[:-1], token.digest, f"{secret}\udcff"):
        assert find_token(other) is None


def test_an_expired_revoked_or_orphaned_token_opens_nothing() -> None:
    user = make_user()
    secrets = [create_token(user=user, name=name, scopes=["read"], days=1)[1] for name in ("expired", "revoked")]
    ApiToken.objects.filter(name="expired").update(expires_at=timezone.now() - timedelta(seconds=1))
    revoke_token(token_id=ApiToken.objects.get(name="revoked").pk)
    assert [find_token(secret) for secret in secrets] == [None, None]
    _, secret = create_token(user=user, name="left the company", scopes=["read"], days=1)
    user.is_active = False
    user.save()
    assert find_token(secret) is None


def test_its_use_is_noted_once_a_minute(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    _, secret = create_token(user=make_user(), name="laptop", scopes=["read"], days=1)
    with django_assert_num_queries(2):
        find_token(secret)
    with django_assert_num_queries(1):
        find_token(secret)
    assert ApiToken.objects.get().last_used_at is not None


@pytest.mark.parametrize(("scopes", "days"), [([], 1), (["root"], 1), (["read"], 0), (["read"], 4_000)])
def test_a_token_that_makes_no_sense_is_refused(scopes: list[str], days: int) -> None:
    with pytest.raises(Refused):
        create_token(user=make_user(), name="x", scopes=scopes, days=days)


def test_the_command_prints_the_secret_alone() -> None:
    make_user("demo")
    out = StringIO()
    call_command("create_token", "demo", "--name", "demo", "--scopes", "read,trade", "--days", "7", stdout=out)
    token = find_token(out.getvalue().strip())
    assert token is not None
    assert token.scopes == ["read", "trade"]


def test_the_command_says_what_is_wrong() -> None:
    with pytest.raises(CommandError, match="no user 'nobody'"):
        call_command("create_token", "nobody")
    make_user("demo")
    with pytest.raises(CommandError, match="scopes must be among"):
        call_command("create_token", "demo", "--scopes", "everything")
    with pytest.raises(CommandError, match="1 to 80 printable") as nameless:
        call_command("create_token", "demo", "--name", "a" * 81)
    assert nameless.value.returncode == 2
