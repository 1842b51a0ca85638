"""What the doors of portfolios say: portfolios, members, tokens."""

from rest_framework import serializers

from portfolios.api.serializers import Answer
from portfolios.models import Portfolio, Role
from portfolios.services.tokens import SCOPES


class PageAnswer(Answer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class PortfolioAnswer(Answer):
    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    mode = serializers.ChoiceField(choices=Portfolio.Mode.choices)
    source = serializers.CharField(help_text="Where its prices and its market time come from")  # type: ignore[assignment]
    state = serializers.ChoiceField(choices=Portfolio.Status.choices)
    role = serializers.ChoiceField(choices=Role.choices, help_text="Yours")
    open_cells = serializers.IntegerField()
    approve_first = serializers.BooleanField(help_text="The robot proposes, a person sends")
    account_id = serializers.UUIDField(source="account.public_id")
    created_at = serializers.DateTimeField()


class PortfolioPage(PageAnswer):
    results = PortfolioAnswer(many=True)


class MemberAnswer(Answer):
    username = serializers.CharField(source="user.username")
    role = serializers.ChoiceField(choices=Role.choices)
    since = serializers.DateTimeField(source="created_at")


class MemberPage(PageAnswer):
    results = MemberAnswer(many=True)


class InvitationAnswer(Answer):
    id = serializers.UUIDField(source="public_id")
    portfolio_id = serializers.UUIDField(source="portfolio.public_id")
    email = serializers.CharField(help_text="Empty: for whoever has the secret")
    role = serializers.ChoiceField(choices=Role.choices)
    invited_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class InvitationPage(PageAnswer):
    results = InvitationAnswer(many=True)


class NewInvitationAnswer(InvitationAnswer):
    secret = serializers.CharField(help_text="Shown now and never again")
    link = serializers.URLField(help_text="Where a browser accepts with that secret")
    letter_sent = serializers.BooleanField(help_text="Whether a letter with the link went to `email`")


class TokenAnswer(Answer):
    id = serializers.CharField(source="prefix", help_text="How the token begins, after vb_; the log names it so")
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)


class TokenPage(PageAnswer):
    results = TokenAnswer(many=True)


class NewTokenAnswer(TokenAnswer):
    secret = serializers.CharField(help_text="Shown now and never again")


class PresetAnswer(Answer):
    id = serializers.IntegerField(source="pk", allow_null=True, help_text="null: one of the house's, for everybody")
    name = serializers.CharField()
    given = serializers.DictField(help_text="As `settings` of a new cell, or of PATCH settings")


class PresetsAnswer(Answer):
    results = PresetAnswer(many=True)
