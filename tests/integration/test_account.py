"""A person's own affairs: sessions that end, passwords, tokens, and the members of his portfolios, all by pages."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import LazySettings
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from portfolios.identity.models import Session
from portfolios.models import ApiToken, Membership, Portfolio, User
from portfolios.services.members import invite
from portfolios.services.tokens import create_token, find_token
from portfolios.tasks import verify_events
from tests.factories import make_portfolio, make_user
from vbalance.email import FILES, SMTP, mail_from

pytestmark = pytest.mark.django_db
MODEL = "django.contrib.auth.backends.ModelBackend"
PASSWORD, NEW = "correct horse battery", "staple tomorrow lantern"


def signed_in(user: User, device: str = "Firefox") -> Client:
    client = Client(headers={"User-Agent": device})
    client.force_login(user, backend=MODEL)
    client.get("/settings")
    return client


def by_password(device: str) -> Client:
    client = Client(headers={"User-Agent": device})
    client.post("/login", {"username": "ann", "password": PASSWORD})
    return client


def is_in(client: Client) -> bool:
    return client.get("/settings").status_code == 200


def texts(client: Client, url: str = "/settings") -> str:
    return re.sub(r"\s+", " ", client.get(url).content.decode())


def test_signing_in_takes_a_new_session_that_knows_whose_it_is() -> None:
    make_user("ann", password=PASSWORD)
    client = Client(headers={"User-Agent": "Firefox on a boat"})
    client.get("/join/anything")  # a session before anybody signed in
    before = client.session.session_key
    client.post("/login", {"username": "ann", "password": PASSWORD})
    row = Session.objects.select_related("user").get()
    assert row.session_key != before
    assert (row.user.get_username(), row.device, row.address) == ("ann", "Firefox on a boat", "127.0.0.1")


def test_a_session_ends_after_half_an_hour_of_nothing() -> None:
    client = signed_in(make_user())
    now = timezone.now()
    for minutes, inside in ((29, True), (58, True), (89, False)):
        with time_machine.travel(now + timedelta(minutes=minutes), tick=False):
            assert is_in(client) is inside
    assert not Session.objects.filter(user__isnull=False).exists()


def test_a_page_that_refreshes_itself_keeps_no_session_alive() -> None:
    client = signed_in(make_user())
    now = timezone.now()
    for minutes in (10, 20, 29):
        with time_machine.travel(now + timedelta(minutes=minutes), tick=False):
            assert client.get("/live").status_code in (200, 304)
    with time_machine.travel(now + timedelta(minutes=31), tick=False):
        told = client.get("/live", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/?page=2"})
    assert (told.status_code, told["HX-Redirect"]) == (200, "/login?next=%2F%3Fpage%3D2")
    assert told.content == b""


def test_a_session_ends_after_twelve_hours_whatever_is_done_in_it() -> None:
    client = signed_in(make_user())
    now = timezone.now()
    for minutes in range(25, 12 * 60, 25):
        with time_machine.travel(now + timedelta(minutes=minutes), tick=False):
            client.post("/settings/sessions/end-others")  # writes the session as well
    with time_machine.travel(now + timedelta(hours=12, seconds=1), tick=False):
        assert not is_in(client)


def test_sessions_are_listed_and_ended_one_by_one_or_together() -> None:
    make_user("ann", password=PASSWORD)
    here, there, elsewhere = (by_password(device) for device in ("Here", "There", "Elsewhere"))
    page = texts(here)
    assert all(device in page for device in ("Here", "There", "Elsewhere"))
    assert here.session.session_key not in page
    here.post(f"/settings/sessions/{Session.objects.get(device='There').public_id}/end")
    assert [is_in(client) for client in (here, there, elsewhere)] == [True, False, True]
    here.post("/settings/sessions/end-others")
    assert [is_in(client) for client in (here, elsewhere)] == [True, False]


def test_nobody_ends_the_session_of_another() -> None:
    ann = signed_in(make_user())
    bob = signed_in(make_user("bob"))
    assert bob.post(f"/settings/sessions/{Session.objects.get(user__username='ann').public_id}/end").status_code == 404
    assert is_in(ann)


def test_old_sessions_are_swept_away_at_night() -> None:
    signed_in(make_user())
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    verify_events()
    assert not Session.objects.exists()


def test_the_profile_costs_the_same_however_much_there_is(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    ann = make_user()
    client = signed_in(ann)
    for number in range(12):
        signed_in(ann, f"device {number}")
        create_token(user=ann, name=f"token {number}", scopes=["read"], days=1)
    with django_assert_num_queries(8):
        client.get("/settings")


def test_members_cost_the_same_however_many_there_are(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    portfolio = make_portfolio(**{f"member{number}": "viewer" for number in range(12)})
    client = signed_in(portfolio.owner)
    with django_assert_num_queries(8):
        client.get(f"/portfolios/{portfolio.public_id}/members")


def test_a_changed_password_ends_every_other_session() -> None:
    ann = make_user("ann", password=PASSWORD)
    here, there = signed_in(ann), signed_in(ann)
    wrong = here.post("/settings/password", {"old_password": "x", "new_password1": NEW, "new_password2": NEW})
    assert wrong.status_code == 200
    assert b"entered incorrectly" in wrong.content
    assert is_in(there)
    here.post("/settings/password", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})
    assert [is_in(here), is_in(there)] == [True, False]
    assert Session.objects.filter(user=ann).count() == 1


@pytest.mark.parametrize("password", ["short", "password123", "8403618346", "ann.smith"])
def test_a_poor_password_is_refused(password: str) -> None:
    ann = make_user("ann.smith", password=PASSWORD)
    words = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    assert b'role="alert"' in signed_in(ann).post("/settings/password", words).content
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
    assert ann.password.startswith("argon2")


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once() -> None:
    cache.clear()
    ann = make_user("ann", password=PASSWORD, email="ann@example.com")
    there, client = signed_in(ann), Client()
    client.post("/password/reset", {"email": "ann@example.com"})
    link = re.search(r"http://testserver(\S+)", mail.outbox[0].body)[1]
    page = client.get(link, follow=True)
    client.post(page.request["PATH_INFO"], {"new_password1": NEW, "new_password2": NEW})
    assert client.login(request=page.wsgi_request, username="ann", password=NEW)
    assert not is_in(there)
    assert b"used already" in Client().get(link, follow=True).content


def test_whether_an_address_is_known_cannot_be_told_and_letters_are_few() -> None:
    cache.clear()
    make_user("ann", password=PASSWORD, email="ann@example.com")
    make_user("bob", email="bob@example.com")  # without a password: he comes through the provider
    answers = {
        Client().post("/password/reset", {"email": email})["Location"]
        for email in ("ann@example.com", "bob@example.com", "nobody@example.com")
    }
    assert answers == {"/password/reset/sent"}
    for _ in range(5):
        Client().post("/password/reset", {"email": "ANN@example.com"})
    assert [letter.to for letter in mail.outbox] == [["ann@example.com"]] * 3


def test_a_token_is_made_on_the_page_shown_once_and_revoked() -> None:
    client = signed_in(make_user())
    form = {"name": "laptop", "scopes": ["read", "trade"], "days": "30"}
    made = client.post("/settings/tokens/new", form, follow=True)
    secret = re.search(r'class="secret">(vb_\S+?)<', made.content.decode())[1]
    assert "no-store" in made["Cache-Control"]
    token = find_token(secret)
    assert (token.name, token.scopes) == ("laptop", ["read", "trade"])
    assert secret not in texts(client)
    assert "laptop" in texts(client)
    assert signed_in(make_user("bob")).post(f"/settings/tokens/{token.prefix}/revoke").status_code == 404
    client.post(f"/settings/tokens/{token.prefix}/revoke")
    assert find_token(secret) is None


def test_looking_again_makes_no_second_token_and_shows_the_secret_no_second_time() -> None:
    client = signed_in(make_user())
    form = {"name": "laptop", "scopes": ["read"], "days": "30"}
    sent = client.post("/settings/tokens/new", form)
    assert (sent.status_code, sent["Location"], b"vb_" in sent.content) == (302, "/settings/tokens/made", False)
    secret = client.session["just_made"]["secret"]
    assert client.head(sent["Location"]).content == b""
    assert secret in client.get(sent["Location"]).content.decode()
    again = client.get(sent["Location"], follow=True)
    assert again.redirect_chain == [("/settings", 302)]
    assert secret not in again.content.decode()
    assert "shown once" in again.content.decode()
    assert secret not in str(client.session.items())
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    "form",
    [
        {"scopes": ["read"], "days": "30"},
        {"name": "x", "days": "30"},
        {"name": "x", "scopes": ["root"], "days": "30"},
        {"name": "x", "scopes": ["read"], "days": "100000"},
        {"name": "a\x00b", "scopes": ["read"], "days": "30"},
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(form: dict[str, object]) -> None:
    told = signed_in(make_user()).post("/settings/tokens/new", form, follow=True)
    assert "No token was made" in told.content.decode()
    assert not ApiToken.objects.exists()


def test_a_stranger_becomes_a_member_by_a_link_with_an_account_of_his_own() -> None:
    portfolio = make_portfolio()
    owner, guest = signed_in(portfolio.owner), Client()
    made = owner.post(f"/portfolios/{portfolio.public_id}/members/invite", {"email": "", "role": "viewer"})
    link = made.context["link"]
    assert "no-store" in made["Cache-Control"]
    page = guest.get(link, follow=True)
    assert page.request["PATH_INFO"] == "/join"
    assert link.rsplit("/", 1)[1] not in page.content.decode()
    poor = guest.post("/invitation/register", {"username": "gus", "password1": "short", "password2": "short"})
    assert poor.status_code == 422
    guest.post("/invitation/register", {"username": "gus", "password1": NEW, "password2": NEW})
    assert is_in(guest)
    assert Membership.objects.get(user__username="gus").role == "viewer"
    assert Client().get(link, follow=True).status_code == 404


def test_an_invitation_by_letter_names_the_address_of_the_account() -> None:
    portfolio = make_portfolio()
    signed_in(portfolio.owner).post(
        f"/portfolios/{portfolio.public_id}/members/invite", {"email": "gus@example.com", "role": "trader"}
    )
    assert mail.outbox[0].to == ["gus@example.com"]
    guest = Client()
    guest.get(re.search(r"http://testserver(\S+)", mail.outbox[0].body)[1])
    guest.post("/invitation/register", {"username": "gus", "password1": NEW, "password2": NEW})
    assert User.objects.get(username="gus").email == "gus@example.com"


def test_a_letter_that_cannot_be_sent_leaves_the_link(settings: LazySettings) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", 1
    portfolio = make_portfolio()
    made = signed_in(portfolio.owner).post(
        f"/portfolios/{portfolio.public_id}/members/invite", {"email": "gus@example.com", "role": "viewer"}
    )
    assert "could not be sent" in made.content.decode()


def test_who_has_an_account_joins_after_signing_in() -> None:
    portfolio = make_portfolio()
    make_user("bob", password=PASSWORD)
    _, secret = invite(portfolio_id=portfolio.pk, email=None, role="trader", actor="user:ann")
    client = Client()
    client.get(f"/join/{secret}")
    client.post("/login?next=/join", {"username": "bob", "password": PASSWORD, "next": "/join"})
    assert "Join as bob" in texts(client, "/join")
    assert "You may enter as trader" in client.post("/invitation/accept", follow=True).content.decode()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"email": "no address", "role": "viewer"}, "no e-mail address"),
        ({"email": "", "role": "owner"}, "Ownership is transferred"),
        ({"email": "", "role": ""}, "Must be one of"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_not_made(form: dict[str, str], words: str) -> None:
    portfolio = make_portfolio()
    told = signed_in(portfolio.owner).post(f"/portfolios/{portfolio.public_id}/members/invite", form, follow=True)
    assert words in told.content.decode()
    assert not portfolio.invitations.exists()


def test_the_owner_rules_by_the_page() -> None:
    portfolio = make_portfolio(bob="viewer", eve="viewer")
    owner, at = signed_in(portfolio.owner), f"/portfolios/{portfolio.public_id}"
    places = dict(portfolio.memberships.values_list("user__username", "pk"))
    owner.post(f"{at}/members/{places['bob']}/role", {"role": "trader"})
    owner.post(f"{at}/members/{places['eve']}/remove")
    _, secret = invite(portfolio_id=portfolio.pk, email=None, role="viewer", actor="user:ann")
    owner.post(f"{at}/invitations/{portfolio.invitations.get().public_id}/withdraw")
    assert Client().get(f"/join/{secret}", follow=True).status_code == 404
    owner.post(f"{at}/transfer", {"username": "bob"})
    roles = dict(portfolio.memberships.values_list("user__username", "role"))
    assert roles == {"ann": "trader", "bob": "owner"}
    assert "Invite somebody" not in texts(owner, f"{at}/members")
    owner.post(f"{at}/leave")
    assert owner.get(f"{at}/members").status_code == 404
    assert Portfolio.objects.get().owner.get_username() == "bob"


def test_a_viewer_sees_the_members_and_changes_nothing() -> None:
    portfolio = make_portfolio(bob="viewer")
    bob, at = signed_in(User.objects.get(username="bob")), f"/portfolios/{portfolio.public_id}"
    page = texts(bob, f"{at}/members")
    assert "ann" in page
    assert "Remove" not in page
    place = portfolio.memberships.get(user=portfolio.owner).pk
    for deed in (f"members/{place}/remove", f"members/{place}/role", "transfer", "members/invite"):
        assert bob.post(f"{at}/{deed}", {"role": "trader", "username": "bob"}).status_code == 403


def test_ten_wrong_passwords_close_the_door_for_that_name_and_address_alone() -> None:
    make_user("ann", password=PASSWORD)
    make_user("bob", password=PASSWORD)
    client, elsewhere = Client(), Client(REMOTE_ADDR="10.0.0.9")
    for _ in range(10):
        client.post("/login", {"username": "ann", "password": "wrong"})
    right = {"username": "ann", "password": PASSWORD}
    assert client.post("/login", right).status_code == 429
    assert elsewhere.post("/login", right).status_code == 302
    assert client.post("/login", {"username": "bob", "password": PASSWORD}).status_code == 302


def test_letters_go_where_the_environment_says() -> None:
    assert mail_from("").backend == FILES
    assert mail_from("smtp://ann:p%40ss@mail.example.com")[:5] == (SMTP, "mail.example.com", 587, "ann", "p@ss")
    assert mail_from("smtp://mail.example.com").starts_tls
    assert (mail_from("smtps://mail.example.com").port, mail_from("smtps://mail.example.com").over_tls) == (465, True)
    with pytest.raises(ValueError, match="EMAIL_URL"):
        mail_from("http://mail.example.com")


def test_without_a_server_letters_are_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = FILES, tmp_path / "mail"
    cache.clear()
    make_user("ann", password=PASSWORD, email="ann@example.com")
    Client().post("/password/reset", {"email": "ann@example.com"})
    assert "new password" in next((tmp_path / "mail").iterdir()).read_text()
