"""Bodies of requests: JSON, read strictly."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from portfolios.api.problems import too_large
from portfolios.strict_json import parse_json, reason

MAX_BYTES = 65_536


class StrictJSONParser(BaseParser):
    """UTF-8, no duplicate keys, no NaN or Infinity, no exponents, numbers with a point as Decimal."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise too_large()
        try:
            return parse_json(raw)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not acceptable JSON: {reason(error)}") from error
