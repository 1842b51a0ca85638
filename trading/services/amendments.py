"""Which of our executions a broker means when it takes one back, or puts it right, under an id of its own."""

from trading.brokers import reader_for
from trading.brokers.base import BadMessage, News, UnknownType
from trading.models import Execution, InboxMessage, Order
from trading.services.broker_fees import PREFIX


def meant(message: InboxMessage, order: Order, news: News) -> News:
    """The correction with the name that we booked it under; as it is where nobody can tell (yet).

    The stream that told of a fill said the broker's id of it. A fill that came by another way is known by its figures:
    of executions that are alike in both, it makes no difference which one is taken back.
    """
    fill = news.fill
    if not fill or not fill.replaces or not news.told_as or booked_as(message, fill.replaces):
        return news
    named, again = told_before(message, order, fill.replaces)
    named = with_its_fee(message, named)
    if not named and not again:
        named = by_figures(order, news)
    return news._replace(fill=fill._replace(replaces=named)) if named else news


def booked_as(message: InboxMessage, name: str) -> bool:
    return Execution.objects.filter(account=message.account.code, broker_execution_id=name).exists()


def with_its_fee(message: InboxMessage, name: str) -> str:
    """Where the broker named a fee since, the execution stands again under another name."""
    account = message.account.code
    while reversal := Execution.objects.filter(account=account, reverses__broker_execution_id=name).first():
        instead = reversal.broker_execution_id.removesuffix("-reversal")
        if not instead.startswith(PREFIX):
            return name
        name = instead
    return name


def told_before(message: InboxMessage, order: Order, told_as: str) -> tuple[str, bool]:
    """Our name of the fill that was told under this id, "" for none; and whether another message corrected it."""
    rows = InboxMessage.objects.filter(order=order, channel=InboxMessage.Channel.STREAM).exclude(pk=message.pk)
    read = reader_for(message.account.adapter)
    name, again = "", False
    for row in rows.order_by("pk"):
        try:
            news = read(row.body)
        except (BadMessage, UnknownType):
            continue
        if news and news.fill and news.told_as == told_as:
            name = news.fill.execution_id
        if news and news.fill and news.fill.replaces == told_as and row.status == InboxMessage.Status.PROCESSED:
            again = True
    return name, again


def by_figures(order: Order, news: News) -> str:
    """The one execution that stands, or several that are alike, whose quantity explains the total that is left."""
    assert news.fill
    gone = order.filled_quantity - news.total + news.fill.quantity
    standing = order.executions.filter(reverses=None, reversal=None, quantity=gone)
    if news.fill.price and not news.fill.quantity:  # taken back: the price is told of what is gone
        standing = standing.filter(price=news.fill.price)
    found = list(standing.order_by("pk"))
    return found[0].broker_execution_id if len({row.price for row in found}) == 1 else ""
