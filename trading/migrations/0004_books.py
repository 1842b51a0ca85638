"""What is held outside the cells; and the book that the paper broker would have kept before it had one."""

import django.db.models.deletion
from django.db import migrations, models

import portfolios.fields

WORKING = ("accepted", "partially_filled")


def write_the_book(apps, schema_editor):
    Order = apps.get_model("trading", "Order")
    PaperOrder = apps.get_model("brokers", "PaperOrder")
    PaperExecution = apps.get_model("brokers", "PaperExecution")
    known = set(PaperOrder.objects.values_list("client_order_id", flat=True))
    orders = Order.objects.filter(position__portfolio__account__adapter="paper")
    orders = orders.filter(models.Q(status__in=WORKING) | models.Q(filled_quantity__gt=0))
    for order in orders.select_related("position__portfolio__account").order_by("pk").iterator():
        if order.client_order_id in known:
            continue
        entered = PaperOrder.objects.create(
            account=order.position.portfolio.account.code,
            client_order_id=order.client_order_id,
            symbol=order.position.symbol,
            side=order.side,
            quantity=order.quantity,
            limit_price=order.limit_price or 0,
            status=order.status if order.status in (*WORKING, "filled", "expired") else "cancelled",
            filled_quantity=order.filled_quantity,
            accepted_at=order.decided_at,
            expires_at=order.expires_at,
        )
        PaperExecution.objects.bulk_create(
            PaperExecution(
                order=entered,
                execution_id=row.broker_execution_id,
                quantity=row.quantity,
                price=row.price,
                commission=row.commission,
                at=row.at,
            )
            for row in order.executions.order_by("pk")
        )


class Migration(migrations.Migration):
    dependencies = [
        ("portfolios", "0021_every_portfolio_has_an_account"),
        ("trading", "0003_order_life"),
        ("brokers", "0001_initial"),
    ]
    operations = [
        migrations.AddField(
            model_name="reconciliation",
            name="times",
            field=models.PositiveIntegerField(default=1, help_text="How often in a row this was found"),
        ),
        migrations.AlterField(
            model_name="reconciliation",
            name="finished_at",
            field=models.DateTimeField(help_text="Of the last of them"),
        ),
        migrations.CreateModel(
            name="AccountHolding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("symbol", models.CharField(max_length=12)),
                ("outside", portfolios.fields.MicrosField()),
                ("confirmed_by", models.CharField(max_length=160)),
                ("confirmed_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holdings",
                        to="portfolios.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "symbol"), name="held_outside_once"),
                ],
            },
        ),
        migrations.RunPython(write_the_book, migrations.RunPython.noop),
    ]
