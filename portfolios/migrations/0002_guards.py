"""What the database enforces by trigger: facts are only added, and a changed cell wakes up."""

from django.db import migrations

FORBID = """
CREATE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER portfolios_event_no_change BEFORE UPDATE OR DELETE ON portfolios_event
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER portfolios_event_no_truncate BEFORE TRUNCATE ON portfolios_event
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
CREATE TRIGGER portfolios_settingsversion_no_change BEFORE UPDATE OR DELETE ON portfolios_settingsversion
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""

WAKE = """
CREATE FUNCTION wake_changed_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.shares, NEW.cash, NEW.receivable, NEW.reserved_cash, NEW.reserved_shares, NEW.anchor, NEW.state,
        NEW.settings_version_id)
       IS DISTINCT FROM
       (OLD.shares, OLD.cash, OLD.receivable, OLD.reserved_cash, OLD.reserved_shares, OLD.anchor, OLD.state,
        OLD.settings_version_id)
       AND NEW.wake_below = OLD.wake_below AND NEW.wake_above = OLD.wake_above
    THEN
        NEW.wake_below := 9223372036854775807;
        NEW.wake_above := 0;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER portfolios_position_wakes BEFORE UPDATE ON portfolios_position
    FOR EACH ROW EXECUTE FUNCTION wake_changed_position();

CREATE FUNCTION wake_cells_of_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE portfolios_position SET wake_below = 9223372036854775807, wake_above = 0
     WHERE portfolio_id = NEW.portfolio_id AND (NEW.position_id IS NULL OR id = NEW.position_id);
    RETURN NULL;
END $$;

CREATE TRIGGER portfolios_settingsversion_wakes AFTER INSERT ON portfolios_settingsversion
    FOR EACH ROW EXECUTE FUNCTION wake_cells_of_settings();
"""

UNDO = """
DROP TRIGGER portfolios_settingsversion_wakes ON portfolios_settingsversion;
DROP FUNCTION wake_cells_of_settings();
DROP TRIGGER portfolios_position_wakes ON portfolios_position;
DROP FUNCTION wake_changed_position();
DROP TRIGGER portfolios_settingsversion_no_change ON portfolios_settingsversion;
DROP TRIGGER portfolios_event_no_truncate ON portfolios_event;
DROP TRIGGER portfolios_event_no_change ON portfolios_event;
DROP FUNCTION forbid_change();
"""


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0001_initial")]
    operations = [migrations.RunSQL(FORBID + WAKE, UNDO)]
