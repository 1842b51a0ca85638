"""The part of the rule every floor needs: amounts, exact arithmetic, the holding, its settings, the fold of events."""
