from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0010_event_for_audit")]
    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["portfolio", "market_at", "id"], name="event_by_market_day"),
        ),
    ]
