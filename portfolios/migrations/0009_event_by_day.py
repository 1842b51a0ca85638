from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0008_staff_viewed")]
    operations = [
        migrations.AddIndex(
            model_name="event", index=models.Index(fields=["stream_id", "market_at"], name="event_by_day")
        ),
    ]
