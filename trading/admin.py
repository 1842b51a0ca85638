"""Orders, their executions and what brokers told, in admin: looked at, never written."""

from django.contrib import admin, messages
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from portfolios.admin.base import ReadOnlyAdmin, ReadOnlyInline, preformatted
from trading.models import AccountEntry, AccountHolding, Execution, InboxMessage, Order, Reconciliation
from trading.risk.models import Halt
from trading.services.inbox import process_message
from trading.tasks import ring_after

PATIENCE_MS = 2_000  # for a cell that is busy


class ExecutionInline(ReadOnlyInline):
    model = Execution
    hidden = ("id", "order", "account", "recorded_at")


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = (
        "decided_at",
        "position",
        "side",
        "quantity",
        "limit_price",
        "status",
        "filled_quantity",
        "notional",
        "fee",
        "origin",
        "reason",
    )
    list_filter = ("status", "side", "origin")
    list_select_related = ("position__portfolio",)
    search_fields = ("public_id", "client_order_id", "position__public_id", "position__symbol")
    inlines = [ExecutionInline]


@admin.register(InboxMessage)
class InboxMessageAdmin(ReadOnlyAdmin):
    """What was parked can be worked on again; what is done stays done, however often it is chosen."""

    list_display = ("received_at", "account", "channel", "delivery_id", "status", "note", "attempts", "order")
    list_filter = ("status", "channel")
    list_select_related = ("account", "order")
    search_fields = ("public_id", "delivery_id", "account__public_id", "order__public_id", "order__client_order_id")
    hidden = ("body",)
    lines = ("as_it_came",)
    actions = ["work_on_it_again"]

    @admin.display(description="body")
    def as_it_came(self, message: InboxMessage) -> SafeString:
        return preformatted(message.body)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("trading.change_inboxmessage")

    @admin.action(description="Work on it again", permissions=["replay"])
    def work_on_it_again(self, request: HttpRequest, chosen: QuerySet[InboxMessage]) -> None:
        for pk in chosen.order_by("pk").values_list("pk", flat=True):
            try:
                message = process_message(message_id=pk, patience_ms=PATIENCE_MS)
            except OperationalError:
                self.message_user(request, "Its cell is busy: try again.", messages.WARNING)
                continue
            ring_after(message)
            done = message.status == InboxMessage.Status.PROCESSED
            words = f"{message}: {message.status}. {message.note}".strip()
            self.message_user(request, words, messages.SUCCESS if done else messages.WARNING)


@admin.register(Execution)
class ExecutionAdmin(ReadOnlyAdmin):
    list_display = ("at", "order", "quantity", "price", "notional", "commission", "broker_execution_id")
    list_select_related = ("order",)
    search_fields = ("broker_execution_id", "order__public_id")


@admin.register(AccountEntry)
class AccountEntryAdmin(ReadOnlyAdmin):
    list_display = ("day", "account", "name", "symbol", "amount", "shares", "state", "note", "short")
    list_filter = ("kind", "state")
    list_select_related = ("account",)
    search_fields = ("symbol", "name", "words")


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "account", "why", "outcome", "times", "finished_at", "settled_by")
    list_filter = ("outcome", "why")
    list_select_related = ("account",)
    search_fields = ("public_id", "account__public_id", "account__code")


@admin.register(AccountHolding)
class AccountHoldingAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "account", "outside", "confirmed_by", "confirmed_at")
    list_select_related = ("account",)
    search_fields = ("symbol", "account__public_id", "account__code")


@admin.register(Halt)
class HaltAdmin(ReadOnlyAdmin):
    """Looked at here; written and lifted on the console, by those whom the money belongs to."""

    list_display = ("halted_at", "scope", "over", "reason", "halted_by", "rearmed_at", "rearmed_by")
    list_filter = ("scope",)
    list_select_related = ("portfolio", "account", "position")
    search_fields = ("public_id", "portfolio__public_id", "account__public_id", "position__public_id", "reason")
