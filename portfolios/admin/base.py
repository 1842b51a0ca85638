"""What every admin page of the house shares: read-only unless it names what may be written, and never a full scan."""

import json
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin, InlineModelAdmin
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import Field, JSONField, Model, Q, QuerySet
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portfolios.admin.paging import BoundedPaginator
from portfolios.domain.amounts import as_text
from portfolios.fields import MicrosField
from portfolios.models import Portfolio, User
from portfolios.services.positions import SYMBOL
from portfolios.services.watching import note_staff_view

Column = str | Callable[[Any], str]
NOTHING = "-"


def amount_text(amount: int | None) -> str:
    """97_250_000_000 millionths read as 97,250."""
    return NOTHING if amount is None else f"{Decimal(as_text(amount)):,}"


def preformatted(text: str) -> SafeString:
    return format_html("<pre>{}</pre>", text)


def pretty(value: Any) -> SafeString:
    return preformatted(json.dumps(value, indent=2, ensure_ascii=False))


@cache
def column(field: "Field[Any, Any]") -> Column:
    """How a field is shown: amounts with separators, JSON line by line, all else as Django does."""
    if isinstance(field, MicrosField):
        return computed(field, amount_text)
    if isinstance(field, JSONField):
        return computed(field, pretty)
    return field.name


def computed(field: "Field[Any, Any]", text: Callable[[Any], str]) -> Column:
    @admin.display(description=str(field.verbose_name), ordering=field.name)
    def shown(row: Model) -> str:
        return text(getattr(row, field.name))

    shown.__name__ = field.name
    return shown


class Shown(BaseModelAdmin):
    """Shows every field but the `hidden` ones, then the computed `lines`; writes what `writable` names: nothing."""

    hidden: Collection[str] = ()
    lines: Sequence[str] = ()

    def writable(self, row: Any) -> Collection[str]:
        """Names of the fields a form may set: of this row, or (None) of a new one."""
        return ()

    def has_add_permission(self, request: HttpRequest, *_row: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.writable(obj)) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*self.written(request, obj), *self.get_readonly_fields(request, obj)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None and not isinstance(self, InlineModelAdmin):
            return []
        fields = [field for field in self.model._meta.fields if field.name not in self.hidden]
        written = self.written(request, obj)
        return [*(column(field) for field in fields if field.name not in written), *self.lines]

    def written(self, request: HttpRequest, row: Any) -> Collection[str]:
        may = self.has_change_permission(request, row) if row else self.has_add_permission(request)
        return self.writable(row) if may else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A symbol or a source with a slip of the pen would be kept and silently match nothing."""
        if db_field.name == "source":
            return ChoiceField(choices=[(name, name) for name in settings.PRICE_SOURCES])
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "symbol" and field:
            field.validators.append(RegexValidator(rf"\A{SYMBOL.pattern}\Z", "1 to 12 capital letters, digits, . or -"))
        return field


def portfolio_id_of(row: Any) -> int | None:
    """Whose data a row is, if it is of a portfolio, or of something in one."""
    if isinstance(row, Portfolio):
        return row.pk
    if hasattr(row, "portfolio_id"):
        return cast(int | None, row.portfolio_id)
    return next((portfolio_id_of(getattr(row, step)) for step in ("position", "order") if hasattr(row, step)), None)


class ReadOnlyInline(Shown, admin.TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True


class ReadOnlyAdmin(Shown, admin.ModelAdmin):
    """Lists the newest first, counts no further than it must, and searches by whole values through indexes."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    ordering = ("-pk",)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Opening a row of a portfolio that is not one's own is written into that portfolio's log."""
        row = super().get_object(request, object_id, from_field)
        portfolio_id = portfolio_id_of(row)
        if portfolio_id and request.method == "GET" and self.has_view_permission(request, row):
            what = f"{self.opts.verbose_name} {row}"
            subject = getattr(row, "public_id", None)
            note_staff_view(portfolio_id=portfolio_id, staff=cast(User, request.user), what=what, subject=subject)
        return row

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        fields = {field.name: field for field in self.model._meta.fields}
        return [column(fields[name]) if name in fields else name for name in self.list_display]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        sought = Q()
        for path in self.get_search_fields(request):
            with suppress(ValidationError):  # not a UUID: then no UUID column holds it
                sought |= Q((path, get_fields_from_path(self.model, path)[-1].to_python(term)))
        return (queryset.filter(sought) if sought else queryset.none()), False

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        """Only what the form changed: the row may have moved on since it was shown."""
        obj.save(update_fields=form.changed_data if change else None)
