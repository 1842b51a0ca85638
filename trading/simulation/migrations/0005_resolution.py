from django.db import migrations, models
from django.db.models import F, Q

HAS_DAYS = Q(first_day__lt=F("last_day")) | (Q(first_day=F("last_day")) & ~Q(resolution="1day"))


def resolution() -> models.CharField:
    return models.CharField(
        choices=[("1min", "1min"), ("5min", "5min"), ("1hour", "1hour"), ("1day", "1day")],
        default="1day",
        help_text="How long a bar lasts",
        max_length=5,
    )


class Migration(migrations.Migration):
    dependencies = [("simulation", "0004_run_once")]

    operations = [
        migrations.AddField(model_name="simulationrun", name="resolution", field=resolution()),
        migrations.AddField(model_name="sweep", name="resolution", field=resolution()),
        migrations.RemoveConstraint(model_name="simulationrun", name="run_has_days"),
        migrations.AddConstraint(
            model_name="simulationrun", constraint=models.CheckConstraint(condition=HAS_DAYS, name="run_has_days")
        ),
        migrations.RemoveConstraint(model_name="sweep", name="sweep_has_days"),
        migrations.AddConstraint(
            model_name="sweep", constraint=models.CheckConstraint(condition=HAS_DAYS, name="sweep_has_days")
        ),
    ]
