from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trading", "0004_books")]

    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(condition=models.Q(("status", "proposed")), fields=["expires_at"], name="order_proposed"),
        ),
    ]
