"""Signing in through a provider: an honest one opens the door, a hostile one never does, and nobody sees a trace."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

from portfolios.identity.models import Identity
from portfolios.models import Event, Membership, User
from portfolios.services.members import invite
from tests.factories import make_portfolio, make_position, make_user
from tests.fake_provider import CLIENT, SECRET, FakeProvider, running_provider

pytestmark = pytest.mark.django_db
MODEL = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: FakeProvider, settings: LazySettings) -> FakeProvider:
    """Honest again, and unknown to the house."""
    key, issuer = running.key, running.issuer
    running.__init__()  # type: ignore[misc]
    running.key, running.issuer = key, issuer
    settings.OIDC_ISSUER = running.issuer
    settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = CLIENT, SECRET
    cache.clear()
    return running


def walk(client: Client, start: str = "/oidc/authenticate") -> Any:
    """From our door to the provider's and back, as a browser goes."""
    left = client.get(start)
    assert left.status_code == 302, left.content
    return come_back(client, left["Location"])


def come_back(client: Client, address: str) -> Any:
    sent_back = requests.get(address, allow_redirects=False, timeout=5)
    return client.get(sent_back.headers["Location"].removeprefix("http://testserver"))


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_an_honest_provider_opens_an_account_and_a_session(provider: FakeProvider) -> None:
    client = Client()
    client.get("/oidc/authenticate")
    before = client.session.session_key
    arrived = walk(client, "/oidc/authenticate?next=/orders")
    assert (arrived.status_code, arrived["Location"]) == (302, "/orders")
    assert is_signed_in(client)
    assert client.session.session_key != before
    identity = Identity.objects.select_related("user").get()
    assert (identity.issuer, identity.subject) == (provider.issuer, "s-1")
    assert (identity.user.email, identity.user.has_usable_password()) == ("ann@example.com", False)


def test_what_is_asked_for_carries_state_nonce_and_pkce(provider: FakeProvider) -> None:
    left = parse_qs(urlsplit(Client().get("/oidc/authenticate")["Location"]).query)
    assert left["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= left.keys()
    assert "client_secret" not in left


def test_the_same_person_finds_his_account_again_whatever_his_address_is_now(provider: FakeProvider) -> None:
    walk(Client())
    provider.person |= {"email": "ann@elsewhere.example"}
    walk(Client())
    assert User.objects.get().email == "ann@elsewhere.example"


SPOILED: dict[str, Any] = {
    "wrong_issuer": lambda claims: claims | {"iss": "https://elsewhere.example"},
    "wrong_audience": lambda claims: claims | {"aud": "another client"},
    "wrong_audience: for several, and not ours to use": lambda claims: claims | {"aud": [CLIENT, "another"]},
    "wrong_audience: handed on by another": lambda claims: claims | {"azp": "another client"},
    "expired": lambda claims: claims | {"exp": int(time.time()) - 60},
    "stale": lambda claims: claims | {"iat": int(time.time()) - 3_600},
    "malformed_ImmatureSignatureError": lambda claims: claims | {"iat": int(time.time()) + 3_600},
    "wrong_nonce": lambda claims: claims | {"nonce": "of another sign-in"},
    "wrong_nonce: none": lambda claims: {name: claims[name] for name in claims if name != "nonce"},
    "malformed_MissingRequiredClaimError": lambda claims: {name: claims[name] for name in claims if name != "exp"},
    "malformed": lambda claims: claims | {"sub": ""},
    "wrong_kind": lambda claims: claims | {"token_use": "access"},
}


def assert_refused(response: Any, client: Client, code: str) -> None:
    text = response.content.decode()
    assert 400 <= response.status_code < 500
    assert "Not signed in" in text
    assert f"<code>{code}</code>" in text
    assert "Traceback" not in text
    assert not is_signed_in(client)
    assert not Identity.objects.exists()


@pytest.mark.parametrize("flaw", SPOILED)
def test_a_token_that_claims_something_wrong_lets_nobody_in(provider: FakeProvider, flaw: str) -> None:
    provider.twist = SPOILED[flaw]
    client = Client()
    assert_refused(walk(client), client, flaw.partition(":")[0])


def signed_elsewhere(provider: FakeProvider, how: str) -> Any:
    return {
        "alg none": provider.unsigned,
        "HS256 with the public key": provider.with_the_public_key_as_secret,
        "a stranger's key": provider.by_a_stranger,
        "nonsense": lambda claims: "a.b.c",
        "nothing": lambda claims: None,
        "too much": lambda claims: "a" * 20_000,
    }[how]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("alg none", "wrong_algorithm"),
        ("HS256 with the public key", "wrong_algorithm"),
        ("a stranger's key", "malformed_InvalidSignatureError"),
        ("nonsense", "malformed_DecodeError"),
        ("nothing", "malformed"),
        ("too much", "malformed"),
    ],
)
def test_a_token_that_is_not_signed_by_the_provider_lets_nobody_in(provider: FakeProvider, how: str, code: str) -> None:
    provider.sign = signed_elsewhere(provider, how)
    client = Client()
    assert_refused(walk(client), client, code)


def test_an_unknown_key_is_looked_for_once_a_minute(provider: FakeProvider) -> None:
    provider.sign = lambda claims: jwt.encode(claims, provider.key, algorithm="RS256", headers={"kid": "unknown"})
    for _ in range(3):
        client = Client()
        assert_refused(walk(client), client, "unknown_key")
    assert provider.asked.count("keys") == 2  # the first look, and one more


def test_a_new_key_of_the_providers_is_found(provider: FakeProvider) -> None:
    walk(Client())
    provider.with_new_key()
    client = Client()
    walk(client)
    assert is_signed_in(client)
    assert provider.asked.count("keys") == 2


def test_a_key_too_short_to_trust_lets_nobody_in(provider: FakeProvider) -> None:
    provider.key = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)
    client = Client()
    assert_refused(walk(client), client, "weak_key")
    provider.with_new_key()


@pytest.mark.parametrize(
    ("broken", "answer"),
    [
        ("openid-configuration", (500, b"")),
        ("openid-configuration", (200, b"[]")),
        ("openid-configuration", (200, b'{"issuer": "https://elsewhere.example"}')),
        ("openid-configuration", (200, b"{" * 100_000)),
        ("openid-configuration", (302, b"")),
    ],
)
def test_a_provider_that_talks_nonsense_is_down(provider: FakeProvider, broken: str, answer: tuple[int, bytes]) -> None:
    provider.broken[broken] = answer
    client = Client()
    assert_refused(client.get("/oidc/authenticate"), client, "provider_down")


@pytest.mark.parametrize("broken", ["token", "keys", "userinfo"])
def test_a_provider_that_fails_half_way_lets_nobody_in(provider: FakeProvider, broken: str) -> None:
    provider.broken[broken] = (503, b"<h1>Sorry</h1>")
    client = Client()
    assert_refused(walk(client), client, "provider_down")


def test_a_provider_that_is_gone_is_a_friendly_page(provider: FakeProvider, settings: LazySettings) -> None:
    settings.OIDC_ISSUER = "http://127.0.0.1:1"
    client = Client()
    assert_refused(client.get("/oidc/authenticate"), client, "provider_down")


def test_a_slow_provider_is_not_waited_for(provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portfolios.identity.transport.SECONDS", 0.3)  # five seconds elsewhere
    provider.delay["openid-configuration"] = 2
    client, began = Client(), time.monotonic()
    assert_refused(client.get("/oidc/authenticate"), client, "provider_down")
    assert time.monotonic() - began < 1.5


def test_userinfo_about_somebody_else_lets_nobody_in(provider: FakeProvider) -> None:
    provider.broken["userinfo"] = (200, b'{"sub": "s-2", "email": "chief@example.com", "email_verified": true}')
    client = Client()
    assert_refused(walk(client), client, "wrong_subject")


def test_an_answer_nobody_asked_for_lets_nobody_in(provider: FakeProvider) -> None:
    asker, other = Client(), Client()
    address = asker.get("/oidc/authenticate")["Location"]
    other.get("/oidc/authenticate")
    assert_refused(come_back(other, address), other, "state_unknown")
    assert_refused(other.get("/oidc/callback"), other, "state_unknown")


def test_an_answer_is_good_once(provider: FakeProvider) -> None:
    client = Client()
    sent_back = requests.get(client.get("/oidc/authenticate")["Location"], allow_redirects=False, timeout=5)
    address = sent_back.headers["Location"].removeprefix("http://testserver")
    client.get(address)
    client.logout()
    assert client.get(address).status_code == 403
    assert not is_signed_in(client)


def test_an_answer_of_another_issuer_lets_nobody_in(provider: FakeProvider) -> None:
    provider.answer = {"iss": "https://elsewhere.example"}
    client = Client()
    assert_refused(walk(client), client, "wrong_issuer")


def test_who_declines_there_stays_who_he_is_here(provider: FakeProvider) -> None:
    provider.answer = {"error": "access_denied"}
    client = Client()
    client.force_login(make_user(), backend=MODEL)
    assert "provider_declined" in walk(client).content.decode()
    assert is_signed_in(client)


def test_nobody_is_sent_elsewhere_afterwards(provider: FakeProvider) -> None:
    assert walk(Client(), "/oidc/authenticate?next=https://elsewhere.example/")["Location"] == "/"


@pytest.mark.parametrize("verified", [False, None, "false", 1])
def test_an_address_nobody_verified_is_not_taken(provider: FakeProvider, verified: Any) -> None:
    make_user("chief", email="ann@example.com")
    provider.person["email_verified"] = verified
    walk(Client())
    assert Identity.objects.select_related("user").get().user.email == ""


def test_an_account_is_not_taken_over_by_its_address(provider: FakeProvider) -> None:
    ann = make_user("ann", email="Ann@Example.com")
    client = Client()
    assert_refused(walk(client), client, "account_exists")
    assert not ann.identities.exists()


def test_its_owner_connects_it_and_then_signs_in_either_way(provider: FakeProvider) -> None:
    ann = make_user("ann", email="ann@example.com")
    client = Client()
    client.force_login(ann, backend=MODEL)
    leaving = client.post("/oidc/link")
    assert leaving.status_code == 200  # not a redirect: form-action would stop it
    assert come_back(client, leaving.context["address"])["Location"] == "/settings"
    other = Client()
    walk(other)
    assert other.get("/settings").context["user"] == ann
    assert b"Connected with ann@example.com" in other.get("/settings").content


def test_connecting_takes_the_one_who_began_it(provider: FakeProvider) -> None:
    client = Client()
    client.force_login(make_user("ann"), backend=MODEL)
    address = client.post("/oidc/link").context["address"]
    states = client.session["oidc_states"]
    client.force_login(make_user("bob"), backend=MODEL)
    session = client.session
    session["oidc_states"] = states
    session.save()
    assert b"other_account" in come_back(client, address).content
    assert not Identity.objects.exists()


def test_an_identity_belongs_to_one_account(provider: FakeProvider) -> None:
    walk(Client())
    client = Client()
    client.force_login(make_user("bob"), backend=MODEL)
    taken = come_back(client, client.post("/oidc/link").context["address"])
    assert taken.status_code == 409
    assert b"identity_taken" in taken.content


def test_the_only_way_in_is_not_given_up(provider: FakeProvider) -> None:
    client = Client()
    walk(client)
    identity = Identity.objects.select_related("user").get()
    client.post(f"/oidc/{identity.pk}/unlink")
    assert Identity.objects.exists()
    identity.user.set_password("correct horse battery")
    identity.user.save()
    client.force_login(identity.user, backend=MODEL)
    client.post(f"/oidc/{identity.pk}/unlink")
    assert not Identity.objects.exists()


def test_a_closed_account_stays_closed_and_its_session_ends(provider: FakeProvider) -> None:
    client = Client()
    walk(client)
    User.objects.update(is_active=False)
    assert not is_signed_in(client)
    assert b"account_closed" in walk(client).content


def test_where_accounts_are_not_opened_by_themselves_an_invitation_opens_one(
    provider: FakeProvider, settings: LazySettings
) -> None:
    settings.OIDC_CREATE_USERS = False
    client = Client()
    assert_refused(walk(client), client, "account_unknown")
    portfolio = make_portfolio(make_user("owner"))
    _, secret = invite(portfolio_id=portfolio.pk, email="ann@example.com", role="viewer", actor="user:owner")
    assert client.get(f"/join/{secret}")["Location"] == "/join"
    walk(client, "/oidc/authenticate?next=/join")
    client.post("/invitation/accept")
    assert portfolio.memberships.get(role="viewer").user.email == "ann@example.com"


def test_two_people_of_one_name_get_two_accounts(provider: FakeProvider) -> None:
    make_user("chief", is_staff=True, is_superuser=True)
    provider.person |= {"preferred_username": "Chief"}
    client = Client()
    walk(client)
    name = Identity.objects.select_related("user").get().user.get_username()
    assert name.startswith("Chief-")
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("claim", ["groups", "cognito:groups"])
def test_groups_open_and_close_what_the_settings_say(
    provider: FakeProvider, settings: LazySettings, claim: str
) -> None:
    portfolio = make_portfolio(make_user("owner"))
    settings.OIDC_ROLES = f"admins=staff, desk=trader@{portfolio.public_id}, floor=viewer@{portfolio.public_id}"
    seen = []
    for groups in (["floor", "desk", "admins"], ["floor"], []):
        provider.person[claim] = groups
        walk(Client())
        user = Identity.objects.select_related("user").get().user
        role = Membership.objects.filter(user=user).values_list("role", flat=True).first()
        seen.append((user.is_staff, role))
    assert seen == [(True, "trader"), (False, "viewer"), (False, None)]
    told = Event.objects.of(portfolio).filter(actor="groups of the identity provider")
    assert list(told.values_list("type", flat=True)) == ["access_granted", "access_granted", "access_revoked"]


def test_groups_take_nothing_that_people_gave(provider: FakeProvider, settings: LazySettings) -> None:
    walk(Client())
    user = Identity.objects.select_related("user").get().user
    portfolio = make_portfolio(user)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    settings.OIDC_ROLES = f"admins=staff, desk=viewer@{portfolio.public_id}"
    provider.person["groups"] = ["desk"]
    walk(Client())
    user.refresh_from_db()
    assert user.is_staff
    assert portfolio.memberships.get().role == "owner"


def test_signing_out_here_signs_out_there(provider: FakeProvider, settings: LazySettings) -> None:
    client = Client()
    walk(client)
    settings.OIDC_LOGOUT_URL = "https://robot.auth.eu-central-1.amazoncognito.com/logout"
    address = client.post("/logout").context["address"]
    assert not is_signed_in(client)
    assert parse_qs(urlsplit(address).query) == {
        "client_id": [CLIENT],
        "logout_uri": ["http://testserver/login"],
        "post_logout_redirect_uri": ["http://testserver/login"],
    }
    other = Client()
    other.force_login(make_user("local"), backend=MODEL)
    assert other.post("/logout")["Location"] == "/login"


def test_without_an_issuer_there_is_no_such_door() -> None:
    client = Client()
    for address in ("/oidc/authenticate", "/oidc/callback"):
        assert client.get(address).status_code in (403, 404)
    assert b"oidc" not in client.get("/login").content


def bearer(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


def test_the_providers_bearer_tokens_open_the_api_without_asking_it(provider: FakeProvider) -> None:
    walk(Client())
    user = Identity.objects.select_related("user").get().user
    cell = make_position(make_portfolio(user))
    provider.asked.clear()
    seen = bearer(provider.access_token()).get(f"/v1/positions/{cell.public_id}")
    assert seen.status_code == 200
    assert provider.asked == []
    evaluated = f"/v1/positions/{cell.public_id}/evaluate"
    narrow = bearer(provider.access_token()).post(evaluated, {}, "application/json")
    assert (narrow.status_code, narrow.json()["code"]) == (403, "insufficient_scope")
    wide = bearer(provider.access_token(scope="openid https://robot.example.com/trade"))
    assert wide.post(evaluated, {"dry_run": True}, "application/json").status_code == 200


COGNITO = {"aud": None, "client_id": CLIENT, "token_use": "access", "cognito:groups": ["desk"]}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (COGNITO, 200),
        (COGNITO | {"client_id": "another"}, 401),
        (COGNITO | {"token_use": "id"}, 401),
        ({"aud": "another"}, 401),
        ({"aud": None}, 401),
        ({"nonce": "n"}, 401),
        ({"iss": "https://elsewhere.example"}, 401),
        ({"exp": 1}, 401),
        ({"sub": "nobody"}, 401),
    ],
)
def test_a_bearer_token_is_for_us_or_opens_nothing(provider: FakeProvider, more: dict[str, Any], status: int) -> None:
    walk(Client())
    claims = {name: value for name, value in provider.claims(**more).items() if value is not None}
    answered = bearer(provider.honestly(claims)).get("/v1/positions")
    assert answered.status_code == status
    if status == 401:
        assert answered.json()["code"] == "invalid_token"
        assert "Bearer" in answered["WWW-Authenticate"]


def test_a_forged_bearer_token_opens_nothing(provider: FakeProvider) -> None:
    walk(Client())
    for how in ("alg none", "HS256 with the public key", "a stranger's key", "nonsense"):
        forged = signed_elsewhere(provider, how)(provider.claims())
        assert bearer(forged).get("/v1/positions").status_code == 401, how


def test_a_bearer_token_waits_while_the_provider_is_down(provider: FakeProvider) -> None:
    provider.broken["openid-configuration"] = (500, b"")
    answered = bearer(provider.access_token()).get("/v1/positions")
    assert (answered.status_code, answered.json()["code"]) == (503, "provider_unavailable")
    assert answered["Retry-After"] == "60"
