"""Orders and executions, what brokers told us, and how their books compared with ours."""

from trading.models.inbox import InboxMessage
from trading.models.orders import Execution, ExecutionQuerySet, Order, OrderQuerySet
from trading.models.reconciliations import AccountEntry, AccountHolding, Reconciliation

__all__ = [
    "AccountEntry",
    "AccountHolding",
    "Execution",
    "ExecutionQuerySet",
    "InboxMessage",
    "Order",
    "OrderQuerySet",
    "Reconciliation",
]
