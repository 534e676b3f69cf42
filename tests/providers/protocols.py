"""AWS's answers in the form that each service's protocol has, as its service model writes it down."""

from collections.abc import Mapping
from typing import Any

from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model


def rendered(service: str, operation: str, answer: Mapping[str, Any]) -> tuple[bytes, str]:
    """The body and content type of an answer as the service would send it; what the model lacks is left out.

    service: in boto3's words, e.g. `elbv2`. answer: as boto3 would give it.
    """
    model = get_service_model(service)
    serializer = get_serializer_class(service, model.resolved_protocol)
    told = serializer(model.operation_model(operation)).serialize(answer)
    body = told["body"]
    return (body if isinstance(body, bytes) else body.encode()), str(told["headers"].get("Content-Type", "text/xml"))
