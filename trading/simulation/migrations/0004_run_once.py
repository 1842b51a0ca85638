from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("simulation", "0003_sweeps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="simulationrun",
            name="asked_key",
            field=models.CharField(
                blank=True, editable=False, help_text="By which a repeated request is known", max_length=330, null=True
            ),
        ),
        migrations.AddField(
            model_name="simulationrun",
            name="asked_sha256",
            field=models.CharField(blank=True, default="", editable=False, help_text="Of that request", max_length=64),
        ),
        migrations.AddConstraint(
            model_name="simulationrun",
            constraint=models.UniqueConstraint(fields=("owner", "asked_key"), name="run_once_per_key"),
        ),
    ]
