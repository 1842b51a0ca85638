from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('simulation', '0002_run_tries'),
    ]

    operations = [
        migrations.AddField(
            model_name='sweep',
            name='left_out',
            field=models.PositiveIntegerField(default=0, help_text='Combinations that no cell could have'),
        ),
        migrations.AddField(
            model_name='sweepchunk',
            name='tries',
            field=models.PositiveSmallIntegerField(default=0, help_text='How often a worker took it up'),
        ),
    ]
