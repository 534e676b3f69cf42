"""What all nouns share: frozen, compared by value, JSON at rest, times in UTC."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue, PlainSerializer

Json = dict[str, JsonValue]
"""What a vendor said or was asked, as it came: read by people and by digests, never by rules."""


class Value(BaseModel):
    """Frozen, compared by value. What is worked out once (`cached_property`) is not carried over to an altered copy."""

    model_config = ConfigDict(frozen=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy


class Noun(Value):
    """A value. Unknown fields are ignored, so that an older reader can open a newer journal."""

    # "NaN" and "Infinity" as strings: valid JSON, and a float field reads them back
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")


def utc(moment: datetime) -> datetime:
    """The same moment in UTC; a time without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with `Z`; microseconds only where there are any."""
    return utc(moment).isoformat().replace("+00:00", "Z")


def _in_range(moment: datetime) -> datetime:
    try:
        return utc(moment)
    except OverflowError:  # year 1 or 9999, and an offset that leads out of it
        raise ValueError("lies beyond the years that can be told in UTC") from None


Instant = Annotated[datetime, AfterValidator(_in_range), PlainSerializer(iso, return_type=str)]
"""A moment, always in UTC, written as ISO 8601 with `Z`."""


def digest(value: Any) -> str:
    """`sha256:<64 hex>` over the canonical JSON of a value (sorted keys, no spaces, UTF-8)."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return "sha256:" + hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
