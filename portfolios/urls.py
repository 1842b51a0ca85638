"""The POST actions of pages about people, and the ways in and out."""

from django.urls import path

from portfolios.identity import views as identity
from portfolios.views import account, joining, members, passwords, portfolios

PORTFOLIO = "portfolios/<uuid:public_id>"

urlpatterns = [
    path("logout", identity.sign_out, name="logout"),
    path("oidc/authenticate", identity.depart, name="oidc_authentication_init"),
    path("oidc/callback", identity.arrive, name="oidc_authentication_callback"),
    path("oidc/link", identity.begin_link, name="link-identity"),
    path("oidc/<int:identity_id>/unlink", identity.unlink, name="unlink-identity"),
    path("join/<str:secret>", joining.follow, name="follow-invitation"),
    path("join", joining.join, name="join"),
    path("invitation/accept", joining.accept, name="accept-invitation"),
    path("invitation/register", joining.register, name="register"),
    path(f"{PORTFOLIO}/rename", portfolios.rename, name="rename-portfolio"),
    path(f"{PORTFOLIO}/close", portfolios.close, name="close-portfolio"),
    path(f"{PORTFOLIO}/members/invite", members.invite, name="invite-member"),
    path(f"{PORTFOLIO}/members/<int:membership_id>/role", members.change_role, name="change-role"),
    path(f"{PORTFOLIO}/members/<int:membership_id>/remove", members.remove, name="remove-member"),
    path(f"{PORTFOLIO}/transfer", members.transfer, name="transfer-portfolio"),
    path(f"{PORTFOLIO}/leave", members.leave, name="leave-portfolio"),
    path(f"{PORTFOLIO}/invitations/<uuid:invitation_id>/withdraw", members.withdraw, name="withdraw-invitation"),
    path("settings/password", passwords.ChangePassword.as_view(), name="password-change"),
    path("settings/sessions/<uuid:session_id>/end", account.end_one_session, name="end-session"),
    path("settings/sessions/end-others", account.end_the_others, name="end-other-sessions"),
    path("settings/tokens/new", account.make_token, name="make-token"),
    path("settings/tokens/made", account.new_token, name="new-token"),
    path("settings/tokens/<slug:prefix>/revoke", account.end_token, name="revoke-token"),
    path("password/reset", passwords.AskForReset.as_view(), name="password-reset"),
    path("password/reset/sent", passwords.ResetSent.as_view(), name="password-reset-sent"),
    path("password/set/<str:uidb64>/<str:token>", passwords.set_password, name="password-set"),
]
