"""Executions are facts: only added."""

from django.db import migrations

FORBID = """
CREATE TRIGGER trading_execution_no_change BEFORE UPDATE OR DELETE ON trading_execution
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER trading_execution_no_truncate BEFORE TRUNCATE ON trading_execution
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
"""

UNDO = """
DROP TRIGGER trading_execution_no_truncate ON trading_execution;
DROP TRIGGER trading_execution_no_change ON trading_execution;
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0001_initial"), ("portfolios", "0002_guards")]
    operations = [migrations.RunSQL(FORBID, UNDO)]
