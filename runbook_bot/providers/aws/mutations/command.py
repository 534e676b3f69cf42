"""A call as one would type it for the AWS command line, which names everything after the API."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from botocore import xform_name


def command(service: str, action: str, request: Mapping[str, Any], region: str) -> str:
    words = ["aws", service, xform_name(action, "-")]
    for name, value in request.items():
        words += _words(xform_name(name, "-"), value)
    return shlex.join([*words, "--region", region])


def _words(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, bool):
        yield f"--{name}" if value else f"--no-{name}"
        return
    yield f"--{name}"
    if isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
        yield from (str(each) for each in value)
    elif isinstance(value, dict | list):
        yield json.dumps(value, ensure_ascii=False)
    else:
        yield str(value)
