"""What the next snapshot goes on from holds its totals as one list, in the order of `Totals`."""

from django.db import migrations

TOTALS = (
    "flow", "fees", "notional", "measured", "slippage", "guard_ms", "priced_ms", "value_ms",
    "skips", "skip_quotes", "fired", "trips", "wins", "realised", "received",
)  # fmt: skip
TOGETHER = f"""
    UPDATE reporting_dailysnapshot
       SET rest = (rest - ARRAY[{", ".join(f"'{name}'" for name in TOTALS)}])
                  || jsonb_build_object('totals', jsonb_build_array({", ".join(TOTALS)}))
     WHERE rest IS NOT NULL
"""
APART = f"""
    UPDATE reporting_dailysnapshot
       SET rest = (rest - 'totals') || jsonb_build_object({", ".join(f"'{name}', {name}" for name in TOTALS)})
     WHERE rest IS NOT NULL
"""  # noqa: S608 - the names are our own


class Migration(migrations.Migration):
    dependencies = [("reporting", "0001_daily_snapshots")]
    operations = [migrations.RunSQL(TOGETHER, APART)]
