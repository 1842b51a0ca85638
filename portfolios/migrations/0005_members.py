"""Invitations, and what the database holds to: one owner each, never none."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


OWNED = """
CREATE FUNCTION portfolio_stays_owned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched bigint := CASE WHEN TG_OP = 'INSERT' THEN NEW.portfolio_id ELSE OLD.portfolio_id END;
BEGIN
    IF EXISTS (SELECT 1 FROM portfolios_portfolio WHERE id = touched) AND NOT EXISTS (
        SELECT 1 FROM portfolios_membership m JOIN portfolios_portfolio p ON p.id = m.portfolio_id
         WHERE p.id = touched AND m.role = 'owner' AND m.user_id = p.owner_id)
    THEN
        RAISE EXCEPTION 'portfolio % would be left without its owner', touched USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER portfolios_membership_owned AFTER INSERT OR UPDATE OR DELETE ON portfolios_membership
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION portfolio_stays_owned();
"""
UNOWNED = """
DROP TRIGGER portfolios_membership_owned ON portfolios_membership;
DROP FUNCTION portfolio_stays_owned();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('portfolios', '0004_presets'),
    ]

    operations = [
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('email', models.EmailField(blank=True, default='', help_text='Whom it is for; empty: whoever has the link', max_length=254)),
                ('role', models.CharField(choices=[('owner', 'Owner'), ('trader', 'Trader'), ('viewer', 'Viewer')], max_length=8)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('invited_by', models.CharField(max_length=160)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name='membership',
            name='by_group',
            field=models.BooleanField(default=False, help_text="Given, and taken away, by the identity provider's groups"),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(condition=models.Q(('role', 'owner')), fields=('portfolio',), name='one_owner_each'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('by_group', True), ('role', 'owner'), _negated=True), name='no_group_owns'),
        ),
        migrations.AddField(
            model_name='invitation',
            name='accepted_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='invitation',
            name='portfolio',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='portfolios.portfolio'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(('role', 'owner'), _negated=True), name='ownership_is_transferred_not_offered'),
        ),
        migrations.RunSQL(OWNED, UNOWNED),
    ]
