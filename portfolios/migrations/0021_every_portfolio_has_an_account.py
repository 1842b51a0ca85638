"""A paper account for every portfolio there is, named as its executions name it already."""

import django.db.models.deletion
from django.db import migrations, models


def open_accounts(apps, schema_editor):
    Account = apps.get_model("portfolios", "Account")
    Portfolio = apps.get_model("portfolios", "Portfolio")
    for portfolio in Portfolio.objects.filter(account=None).iterator():
        portfolio.account = Account.objects.create(
            owner_id=portfolio.owner_id,
            name="Paper",
            code=f"{portfolio.mode}:{portfolio.public_id.hex}",
            adapter="paper" if portfolio.mode == "paper" else "none",
            mode=portfolio.mode,
        )
        portfolio.save(update_fields=["account"])


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0020_accounts")]
    operations = [
        migrations.RunPython(open_accounts, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="portfolio",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="portfolios", to="portfolios.account"
            ),
        ),
    ]
