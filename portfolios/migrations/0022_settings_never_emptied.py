"""Versions of settings are never emptied out either."""

from django.db import migrations

FORBID = """
CREATE TRIGGER portfolios_settingsversion_no_truncate BEFORE TRUNCATE ON portfolios_settingsversion
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
"""
UNDO = "DROP TRIGGER portfolios_settingsversion_no_truncate ON portfolios_settingsversion;"


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0021_every_portfolio_has_an_account")]
    operations = [migrations.RunSQL(FORBID, UNDO)]
