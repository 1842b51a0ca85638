"""What the doors of portfolios accept: bodies and queries."""

from typing import Any

from rest_framework import serializers

from portfolios.api.pagination import PageQuery
from portfolios.api.serializers import NamedInSettings, StrictSerializer, StrictTextField
from portfolios.models import Portfolio, Role
from portfolios.services.tokens import MAX_DAYS, SCOPES


class NoFields(StrictSerializer):
    """A body that says nothing: `{}` or none at all."""


class DayRangeQuery(PageQuery):
    """`from` and `to`, both included."""

    def get_fields(self) -> dict[str, Any]:
        """Declared here because `from` is a word of Python's own."""
        return super().get_fields() | {name: serializers.DateField(required=False) for name in ("from", "to")}


class NameField(StrictTextField):
    """One line of printable text."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", True)
        super().__init__(**kwargs)

    default_error_messages = {"unprintable": "Must be printable text on one line."}

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if not name.isprintable():
            self.fail("unprintable")
        return name


class RenamedPortfolio(StrictSerializer):
    name = NameField(max_length=80)


class NewPortfolio(RenamedPortfolio):
    source = NamedInSettings(  # type: ignore[assignment]
        "PRICE_SOURCES",
        default="replay",
        help_text="Where its prices and its market time come from, for good",
    )


class PortfolioQuery(PageQuery):
    state = serializers.ChoiceField(choices=Portfolio.Status.choices, required=False)


class ScopeField(serializers.ChoiceField):
    """One of our scopes, as text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return str(super().to_internal_value(data))


class NewToken(StrictSerializer):
    name = NameField(max_length=80)
    scopes = serializers.ListField(child=ScopeField(choices=SCOPES), min_length=1, max_length=len(SCOPES))
    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=90)


class NewRole(StrictSerializer):
    role = serializers.ChoiceField(choices=Role.choices, help_text="Trader or viewer: ownership is transferred")


class NewInvitation(NewRole):
    email = serializers.EmailField(
        required=False, allow_null=True, default=None, help_text="Left out: whoever has the secret may accept"
    )


class Heir(StrictSerializer):
    username = StrictTextField(max_length=150, help_text="A member's")


class Acceptance(StrictSerializer):
    secret = StrictTextField(max_length=100)


class NewPreset(StrictSerializer):
    name = NameField(max_length=40)
    settings = serializers.DictField(help_text="By name, as people write them; see docs/concepts/rule.md")
