"""The writes of trading: evaluation, ordering, execution, settlement, corporate actions, and the feed's steps."""
