"""What moved money at brokers and is no fill."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portfolios", "0025_position_lot"),
        ("trading", "0005_order_proposed"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("entry_id", models.CharField(max_length=128)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("fee", "Fee"),
                            ("dividend", "Dividend"),
                            ("tax", "Tax on a dividend"),
                            ("transfer", "Transfer"),
                            ("other", "Other"),
                        ],
                        max_length=8,
                    ),
                ),
                ("name", models.CharField(help_text="In the broker's own letters", max_length=20)),
                ("day", models.DateField()),
                ("symbol", models.CharField(blank=True, default="", max_length=12)),
                ("amount", models.BigIntegerField(default=0, help_text="Signed, in micros")),
                ("shares", models.BigIntegerField(default=0, help_text="Signed, in micros")),
                (
                    "words",
                    models.CharField(blank=True, default="", help_text="In the broker's own words", max_length=200),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("booked", "Booked"),
                            ("matched", "Equal"),
                            ("noted", "Noted"),
                            ("settled", "Settled"),
                        ],
                        default="open",
                        max_length=7,
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=200)),
                (
                    "of",
                    models.CharField(
                        blank=True, default="", help_text="What of ours it was laid beside", max_length=60
                    ),
                ),
                ("short", models.BigIntegerField(default=0, help_text="By how much less it is than ours, in micros")),
                ("seen_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="portfolios.account"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "account entries",
                "indexes": [models.Index(fields=["account", "day"], name="account_entry_by_day")],
                "constraints": [models.UniqueConstraint(fields=("account", "entry_id"), name="account_entry_once")],
            },
        ),
    ]
