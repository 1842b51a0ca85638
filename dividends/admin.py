"""Dividends and splits in admin: announced by hand, corrected until a cell has been through them, then fixed."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from dividends.models import ActionsAnswer, Dividend, Entitlement, Split, SplitApplication
from portfolios.admin.base import ReadOnlyAdmin

KEY = ("source", "symbol", "ex_date")


class AnnouncementAdmin(ReadOnlyAdmin):
    """The key is given once; the `terms` can be corrected while nobody has been paid or split by them."""

    terms: tuple[str, ...]
    marks: QuerySet[Any]
    lines = ("applied",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(is_applied=Exists(self.marks))

    @admin.display(boolean=True)
    def applied(self, row: Any) -> bool:
        return is_applied(row)

    def writable(self, row: Any) -> tuple[str, ...]:
        if row is None:
            return (*KEY, *self.terms)
        return () if is_applied(row) else self.terms

    def has_add_permission(self, request: HttpRequest, *_row: Any) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.told_by, obj.told_at = f"user:{request.user.get_username()}", timezone.now()
        obj.save(update_fields=[*form.changed_data, "told_by", "told_at"] if change else None)


def is_applied(row: Any) -> bool:
    """A row as the list reads it knows; one added just now has not been."""
    return getattr(row, "is_applied", False)


@admin.register(Dividend)
class DividendAdmin(AnnouncementAdmin):
    list_display = ("symbol", "ex_date", "pay_date", "pay_date_assumed", "dps", "source", "applied", "cancelled_at")
    list_filter = ("pay_date_assumed",)
    search_fields = ("symbol",)
    terms = ("pay_date", "pay_date_assumed", "dps")
    marks = Entitlement.objects.filter(dividend=OuterRef("pk"))


@admin.register(Split)
class SplitAdmin(AnnouncementAdmin):
    list_display = ("symbol", "ex_date", "numerator", "denominator", "source", "applied", "cancelled_at")
    search_fields = ("symbol",)
    terms = ("numerator", "denominator")
    marks = SplitApplication.objects.filter(split=OuterRef("pk"))


@admin.register(Entitlement)
class EntitlementAdmin(ReadOnlyAdmin):
    list_display = ("dividend", "position", "shares", "gross", "tax", "net", "status")
    list_filter = ("status",)
    list_select_related = ("dividend", "position__portfolio")
    search_fields = ("position__public_id", "dividend__symbol")


@admin.register(SplitApplication)
class SplitApplicationAdmin(ReadOnlyAdmin):
    list_display = ("split", "position", "shares_before", "shares_after", "cash_in_lieu")
    list_select_related = ("split", "position__portfolio")
    search_fields = ("position__public_id", "split__symbol")


@admin.register(ActionsAnswer)
class ActionsAnswerAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "source", "day", "by", "created_at")
    search_fields = ("symbol",)
