"""Presets: the house's three and those a person keeps; applied by sending their settings to a cell or portfolio."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.answers import PresetAnswer, PresetsAnswer
from portfolios.api.authentication import user_of
from portfolios.api.problems import not_found
from portfolios.api.requests import NewPreset
from portfolios.api.views import ApiView, read_body
from portfolios.models import SettingsPreset
from portfolios.presets import PRESETS
from portfolios.services.presets import forget_preset, save_preset


class PresetList(ApiView):
    """What is kept under a name you have used already replaces it."""

    scopes = {"GET": "read", "POST": "trade"}

    @extend_schema(operation_id="list_presets", summary="The house's presets and yours", responses=PresetsAnswer)
    def get(self, request: Request) -> Response:
        house: list[dict[str, Any]] = [{"pk": None, "name": name, "given": PRESETS[name].given} for name in PRESETS]
        own = SettingsPreset.objects.filter(owner=user_of(request)).order_by("name")
        return Response(PresetsAnswer({"results": [*house, *own]}).data)

    @extend_schema(
        operation_id="keep_preset",
        summary="Keep settings under a name",
        request=NewPreset,
        responses={201: PresetAnswer},
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, NewPreset)
        preset = save_preset(owner=user_of(request), name=body["name"], given=body["settings"])
        return Response(PresetAnswer(preset).data, status=201)


class PresetDetail(ApiView):
    scopes = {"DELETE": "trade"}

    @extend_schema(operation_id="forget_preset", summary="Forget one of your presets", responses={204: None})
    def delete(self, request: Request, preset_id: int) -> Response:
        if not forget_preset(owner=user_of(request), preset_id=preset_id):
            raise not_found("preset")
        return Response(status=204)
