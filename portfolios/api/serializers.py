"""Bodies and queries in which nothing is ignored: a name we do not know is an error."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import QueryDict
from rest_framework import serializers

from portfolios.api.problems import Fault, Problem, faults_in


# These two have no docstring: the schema would repeat it for every body and every answer.
class StrictSerializer(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(map(str, data)) - set(self.fields)) if isinstance(data, Mapping) else []
        errors: dict[str, Any] = {
            name: [serializers.ErrorDetail("There is no such field.", "unknown_field")] for name in unknown
        }
        try:
            accepted = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not unknown or not isinstance(error.detail, Mapping):
                raise
            raise serializers.ValidationError(errors | dict(error.detail)) from None
        if errors:
            raise serializers.ValidationError(errors)
        return accepted


class Answer(serializers.Serializer[Any]):
    pass


class StrictTextField(serializers.CharField):
    """Text that came as text: a number is not quietly taken for one."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """true or false; no "yes", no 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class NamedInSettings(serializers.ChoiceField):
    """A name that a setting knows, as it stands when it is asked and not when this was imported."""

    def __init__(self, setting: str, **kwargs: Any) -> None:
        super().__init__(choices=sorted(getattr(settings, setting)), **kwargs)


class NoQuery(StrictSerializer):
    """An address that takes no parameters."""


def read_query(parameters: QueryDict, serializer: type[StrictSerializer]) -> dict[str, Any]:
    """Checked query parameters. Raises Problem 400 for one that is unknown, given twice or wrong."""
    if not parameters and serializer is NoQuery:
        return {}
    faults = [
        Fault("repeated", "This parameter is given twice.", parameter=name)
        for name, values in parameters.lists()
        if len(values) > 1
    ]
    query = serializer(data=parameters.dict())
    if not query.is_valid():
        faults += [
            Fault(fault.code, fault.detail, parameter=fault.pointer.removeprefix("#/"))
            for fault in faults_in(query.errors)
        ]
    if faults:
        raise Problem(400, "invalid_parameters", "Some query parameters cannot be accepted.", faults=faults)
    return dict(query.validated_data)
