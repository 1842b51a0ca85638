"""What keeps the house honest: first answers to idempotency keys, and bells that failed for good."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from kombu.exceptions import OperationalError as BrokerDown

from portfolios.admin.base import ReadOnlyAdmin, preformatted
from portfolios.models import FailedTask, IdempotencyKey
from portfolios.tasks import ring_again


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("key", "portfolio", "created_at")
    list_select_related = ("portfolio",)
    search_fields = ("key", "portfolio__public_id")


@admin.register(FailedTask)
class FailedTaskAdmin(ReadOnlyAdmin):
    list_display = ("task", "error", "failed_at", "replayed_at")
    list_filter = (("replayed_at", admin.EmptyFieldListFilter),)
    search_fields = ("task", "task_id")
    hidden = ("traceback",)
    lines = ("how",)
    actions = ["ring_again"]

    @admin.display(description="traceback")
    def how(self, failed: FailedTask) -> str:
        return preformatted(failed.traceback)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("portfolios.change_failedtask")

    @admin.action(description="Ring again", permissions=["replay"])
    def ring_again(self, request: HttpRequest, chosen: QuerySet[FailedTask]) -> None:
        """Bells may ring any number of times, so choosing one twice does no harm."""
        for failed in chosen:
            try:
                ring_again(failed)
            except LookupError:
                self.message_user(request, f"{failed.task} is a task of the past: left alone.", messages.ERROR)
            except (BrokerDown, ConnectionError, OSError) as error:
                self.message_user(request, f"The queue is not there ({error}): {failed} not rung.", messages.ERROR)
            else:
                self.message_user(request, f"{failed} has been rung again.", messages.SUCCESS)
