"""How long it takes to discover 200 services and 2,000 resources in ten places, and how much memory.

The promise is asserted with `--benchmark-enable`; otherwise a tenth of it is built, in as many places.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.processes import ROOT
from tests.providers.estate import Estate

WITHIN, MEGABYTES = 60.0, 500.0
BLOCKED_AT_MOST = 0.05
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2")
ROLES = {"shop": "arn:aws:iam::111111111111:role/read", "bank": "arn:aws:iam::222222222222:role/read"}


@pytest.fixture
def moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def discovered(endpoint: str) -> dict[str, Any]:
    environment = os.environ | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    where = [",".join(REGIONS), *(f"{name}={role}" for name, role in ROLES.items())]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.large_discovery", *where],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_two_hundred_services_and_two_thousand_resources_in_ten_places(moto: str, benchmark: BenchmarkFixture) -> None:
    each = 2 if benchmark.disabled else 20
    made = 0
    for name, role in ROLES.items():
        for region in REGIONS:
            estate = Estate(moto, region, role)
            estate.build(each, f"{name}-{region}")
            made += estate.made
    found = benchmark.pedantic(discovered, args=(moto,), rounds=1)  # type: ignore[no-untyped-call]  # as pytest-benchmark has it
    print(  # noqa: T201  # a report
        f"\n{found['services']} services, {found['resources']:,} resources and {found['edges']:,} edges in ten places: "
        f"{found['seconds']:.1f} s (promised {WITHIN:g}), {found['megabytes']:.0f} MB (promised {MEGABYTES:g}); "
        f"a callback kept the loop for {1000 * found['blocked']:.0f} ms at most"
    )
    assert found["unseen"] == []
    assert found["resources"] == made
    assert found["edges"] == 10 * each * 8, "seven of its own, and the service before"
    assert found["seconds"] <= WITHIN
    assert found["megabytes"] <= MEGABYTES
    own = found["blocked"] - found["collecting"]  # a full collection may fall into it; the service keeps those short
    assert own <= BLOCKED_AT_MOST * (5 if benchmark.disabled else 1), found["by"]
