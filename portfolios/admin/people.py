"""Who may enter, and with which keys."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from portfolios.admin.base import ReadOnlyAdmin, ReadOnlyInline
from portfolios.admin.paging import BoundedPaginator
from portfolios.identity.models import Identity
from portfolios.identity.services import end_other_sessions
from portfolios.models import ApiToken, Invitation, Membership, SettingsPreset, User
from portfolios.services.members import OFFERED
from portfolios.services.portfolios import add_member
from portfolios.services.tokens import revoke_token


class MembershipInline(ReadOnlyInline):
    model = Membership

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("portfolio", "user")


@admin.register(User)
class PersonAdmin(UserAdmin):
    inlines = [MembershipInline]
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = ["shut_out"]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A closed account that is opened again begins with a new sign-in."""
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            end_other_sessions(user=obj, but="")

    @admin.action(description="Sign out everywhere and revoke all tokens", permissions=["change"])
    def shut_out(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in people:
            end_other_sessions(user=person, but="")
            for token in person.api_tokens.filter(revoked_at=None):
                revoke_token(token_id=token.pk)
            self.log_change(request, person, "Signed out everywhere, all tokens revoked.")
        self.message_user(request, "Signed out everywhere; their tokens open nothing from now on.", messages.SUCCESS)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Roles are given by the service, so that each leaves its event. The owner's own role stays."""

    list_display = ("portfolio", "user", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("portfolio", "user")
    search_fields = ("user__username", "portfolio__public_id")
    autocomplete_fields = ("portfolio", "user")

    def writable(self, row: Membership | None) -> tuple[str, ...]:
        if row is None:
            return ("portfolio", "user", "role")
        return () if row.user_id == row.portfolio.owner_id else ("role",)

    def has_add_permission(self, request: HttpRequest, *_row: Any) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Ownership is transferred by the owner, on the portfolio's own page."""
        return super().formfield_for_choice_field(db_field, request, choices=[(role, role.label) for role in OFFERED])

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        actor = f"user:{request.user.get_username()}"
        obj.pk = add_member(portfolio=obj.portfolio, user=obj.user, role=obj.role, actor=actor).pk


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Made and withdrawn by owners; nobody can read the secret again."""

    list_display = (
        "portfolio",
        "email",
        "role",
        "invited_by",
        "created_at",
        "expires_at",
        "accepted_by",
        "withdrawn_at",
    )
    list_filter = ("role",)
    list_select_related = ("portfolio", "accepted_by")
    search_fields = ("portfolio__public_id", "email")
    hidden = ("digest",)


@admin.register(Identity)
class IdentityAdmin(ReadOnlyAdmin):
    """Whom the identity provider vouches for; connected and disconnected by people themselves."""

    list_display = ("user", "issuer", "subject", "email", "made_staff", "used_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "subject", "email")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Made by `manage.py create_token`, which shows the secret once; here a token can only be taken away."""

    list_display = ("name", "user", "prefix", "scopes_given", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("prefix", "user__username")
    hidden = ("digest",)
    actions = ["revoke"]

    @admin.display(description="scopes")
    def scopes_given(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("portfolios.change_apitoken")

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        for token in tokens:
            revoke_token(token_id=token.pk)
        self.message_user(request, "The chosen tokens open nothing from now on.", messages.SUCCESS)


@admin.register(SettingsPreset)
class SettingsPresetAdmin(ReadOnlyAdmin):
    list_display = ("name", "owner")
    list_select_related = ("owner",)
    search_fields = ("owner__username",)
