"""A person's own presets: settings saved under a name, to be used again."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from portfolios.domain.settings import SettingError, merge_settings, parse_settings, written
from portfolios.errors import Refused
from portfolios.models import SettingsPreset, User

MOST = 50


@transaction.atomic
def save_preset(*, owner: User, name: str, given: Mapping[str, Any]) -> SettingsPreset:
    """Keep settings under a name; the same name again replaces them. Raises Refused."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 40 or not name.isprintable():
        raise Refused("invalid_name", "must be 1 to 40 printable characters", field="name")
    try:
        parsed = parse_settings(given)
        merge_settings(parsed)
    except SettingError as error:
        raise Refused("invalid_setting", error.message, field=f"settings/{error.field}") from error
    User.objects.select_for_update().get(pk=owner.pk)
    others = SettingsPreset.objects.filter(owner=owner).exclude(name=name)
    if others.count() >= MOST:
        raise Refused("too_many", f"at most {MOST} presets can be kept", field="name", status=409)
    preset, _ = SettingsPreset.objects.update_or_create(owner=owner, name=name, defaults={"given": written(parsed)})
    return preset


def forget_preset(*, owner: User, preset_id: int) -> bool:
    """Whether there was one to forget."""
    deleted, _ = SettingsPreset.objects.filter(owner=owner, pk=preset_id).delete()
    return deleted > 0
