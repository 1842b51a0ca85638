from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0009_event_by_day")]
    operations = [
        migrations.AddIndex(
            model_name="event", index=models.Index(fields=["portfolio", "type", "id"], name="event_by_kind")
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                fields=["portfolio", "id"],
                condition=Q(actor__startswith="user:") | Q(actor__startswith="token:"),
                name="event_by_people",
            ),
        ),
    ]
