"""Importing bars on pages, for staff: a file is looked over, shown, and taken in when somebody says yes."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portfolios.errors import Refused
from portfolios.services.positions import SYMBOL
from trading.bars.catalogue import BarsGone
from trading.bars.faults import Fault, Unfit
from trading.bars.models import BarImport
from trading.bars.resolutions import RESOLUTIONS, WORDS
from trading.bars.uploads import MOST_ROWS, commit, preview
from trading.views.visitor import sentence_of, visitor


class ImportForm(forms.Form):
    file = forms.FileField(label="File", allow_empty_file=True, max_length=None)
    symbol = forms.RegexField(
        rf"\A{SYMBOL.pattern}\Z",
        label="Stock",
        max_length=12,
        error_messages={"invalid": "A symbol such as IBM or BRK.B", "required": "Whose bars are they?"},
    )
    resolution = forms.ChoiceField(
        label="A bar lasts",
        required=False,
        choices=[("", "found in the file"), *((name, WORDS[name]) for name in RESOLUTIONS)],
    )
    accept_jumps = forms.BooleanField(label="Jumps without a known split are real", required=False)


def for_staff(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Bars are everybody's, so they are not anybody's to write."""

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not visitor(request).is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(never_cache(answer))


@for_staff
@require_safe
def new_import(request: HttpRequest) -> HttpResponse:
    return form_page(request, ImportForm(initial={"symbol": request.GET.get("symbol", "")[:12]}))


def form_page(
    request: HttpRequest, form: ImportForm, faults: tuple[Fault, ...] = (), status: int = 200
) -> HttpResponse:
    context = {"form": form, "faults": faults, "most_rows": MOST_ROWS}
    return render(request, "trading/import_bars.html", context, status=status)


@for_staff
@require_POST
def check_import(request: HttpRequest) -> HttpResponse:
    """The form again with all that is wrong (422), or the page of what was found."""
    data = request.POST.copy()
    data["symbol"] = data.get("symbol", "").strip().upper()
    form = ImportForm(data, request.FILES)
    if not form.is_valid():
        return form_page(request, form, status=422)
    try:
        typed = dict(form.cleaned_data)
        file: UploadedFile = typed.pop("file")
        asked = preview(content=file.chunks(), name=file.name or "", by=visitor(request), **typed)
    except Unfit as error:
        return form_page(request, form, error.faults, 422)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.message)
        return form_page(request, form, status=422)
    except BarsGone as error:
        form.add_error(None, str(error))
        return form_page(request, form, status=422)
    return redirect("data-import", asked.public_id)


@for_staff
@require_safe
def shown_import(request: HttpRequest, public_id: UUID) -> HttpResponse:
    asked = get_object_or_404(BarImport.objects.select_related("created_by"), public_id=public_id)
    return import_page(request, asked)


def import_page(request: HttpRequest, asked: BarImport, refused: str = "", status: int = 200) -> HttpResponse:
    context = {"asked": asked, "found": asked.found, "refused": refused}
    return render(request, "trading/bar_import.html", context, status=status)


@for_staff
@require_POST
def commit_import(request: HttpRequest, public_id: UUID) -> HttpResponse:
    asked = get_object_or_404(BarImport.objects.select_related("created_by"), public_id=public_id)
    try:
        done = commit(asked=asked, replace=request.POST.get("replace") == "on")
    except Refused as refused:
        return import_page(request, asked, f"{sentence_of(refused)}.", 422)
    except (Unfit, BarsGone) as error:
        return import_page(request, asked, f"{error}.", 422)
    messages.success(request, f"{done.found['new']:,} new bars of {done.symbol} are recorded.")
    return redirect("data-series", done.symbol, done.resolution)
