"""The part of the rule for corporate actions: ex-dates, payments and splits."""
