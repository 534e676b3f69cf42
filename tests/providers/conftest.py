"""AWS for these tests: one moto server for all, a stand-in before it for each."""

import importlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from moto.server import ThreadedMotoServer

from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.allowed import undeclared
from tests.providers.shop import Shop
from tests.providers.stand_in import Server, StandIn

NOW = datetime.now(UTC).replace(microsecond=0)
"""Moto stamps what it makes with the real time, so the tests live in it."""

MOTO = (
    "acm", "apigateway", "apigatewayv2", "applicationautoscaling", "autoscaling", "awslambda", "cloudformation",
    "cloudwatch", "codedeploy", "dynamodb", "ec2", "ecs", "eks", "elasticache", "elbv2", "events", "iam", "kinesis",
    "logs", "rds", "resourcegroupstaggingapi", "route53", "s3", "scheduler", "secretsmanager", "servicediscovery",
    "sns", "sqs", "ssm", "sts", "xray",
)  # fmt: skip
"""What is asked here; moto would import it at the first call, which then might run out of time."""


class FixedClock:
    """Always the same moment."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    for service in MOTO:
        importlib.import_module(f"moto.{service}.urls")  # or the first call of each pays for it
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def emptied(moto_url: str) -> None:
    """Moto forgets everything."""
    connection = HTTPConnection(urlsplit(moto_url).netloc, timeout=20)
    connection.request("POST", "/moto-api/reset")
    connection.getresponse().read()
    connection.close()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("RUNBOOK_PATIENCE", "4")  # moto shares the machine with all the other tests


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what never answers."""
    monkeypatch.setenv("RUNBOOK_PATIENCE", "1")


@pytest.fixture
def aws(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """An empty account behind a stand-in that passes everything on until a test says otherwise."""
    emptied(moto_url)
    stand_in = StandIn(moto_url)
    with Server(stand_in) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield stand_in
    assert undeclared(stand_in.calls) == [], "called, but in no policy: see calls.py, and the `calls` of operations"


@pytest.fixture
def shop(aws: StandIn) -> Shop:
    return Shop(aws.upstream, NOW)


@pytest.fixture
def provider(aws: StandIn) -> AwsProvider:
    return AwsProvider(AwsSettings(), FixedClock())


@pytest.fixture
def window() -> TimeWindow:
    """The last hour, and a little ahead for what moto stamps while the test runs."""
    return TimeWindow(start=NOW - timedelta(hours=1), end=NOW + timedelta(minutes=30))
