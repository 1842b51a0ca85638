"""What every program of the house imports, imported once: the programs under test are copies of this process."""

import django

django.setup()

from trading.market.calendars import calendar_for  # noqa: E402
from vbalance.imports import prepare_imports  # noqa: E402

prepare_imports()
for exchange in ("XNYS", "XNAS"):
    calendar_for(exchange)
