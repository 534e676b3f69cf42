"""What answers in its place: a proxy that refuses, a web page, silence, nobody. A small real server each time."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr, ValidationError

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import FindAlarms, ReadMetrics, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.prometheus.config import PrometheusSettings
from runbook_bot.providers.prometheus.provider import PrometheusProvider

END = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
ASKED = ReadMetrics(
    resources=(Resource(type=ResourceType.metric, name="up", promql="up"),),
    window=TimeWindow(start=END - timedelta(hours=1), end=END),
)
Serving = Callable[[Callable[[web.Request], Awaitable[web.Response]]], Awaitable[str]]


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    started: list[TestServer] = []

    async def serve(handler: Callable[[web.Request], Awaitable[web.Response]]) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        server = TestServer(app)
        await server.start_server()
        started.append(server)
        return str(server.make_url("")).rstrip("/")

    yield serve
    for server in started:
        await server.close()


@pytest.mark.parametrize(
    ("status", "body", "expected", "told"),
    [
        (401, "no", Status.denied, "not accepted"),
        (403, '{"status":"error"}', Status.denied, "not accepted"),
        (200, "<html>Sign in</html>", Status.error, "is the address right?"),
        (502, "", Status.error, "is the address right?"),
        (200, "[]", Status.error, "is the address right?"),
        (200, '{"status":"success"}', Status.error, "holds no series"),
        (200, '{"status":"success","data":{"result":{}}}', Status.error, "holds no series"),
        (200, '{"status":"success","data":{"result":[1,{"values":[[],"x"]},{"metric":5,"values":3}]}}',
         Status.no_data, "no such series"),
        (422, '{"status":"error","errorType":"execution","error":"too many samples"}', Status.error,
         "execution: too many samples"),
    ],
)  # fmt: skip
async def test_any_answer_ends_in_a_result(
    serving: Serving, status: int, body: str, expected: Status, told: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    provider = PrometheusProvider(PrometheusSettings(url=await serving(answer)))
    result = await provider.ask(ASKED)
    assert result.status is expected
    assert told in result.message
    assert (await provider.ask(FindAlarms())).status in {Status.denied, Status.error, Status.no_data}


async def test_only_numbers_are_points(serving: Serving) -> None:
    async def answer(_: web.Request) -> web.Response:
        points = [[3, "3"], [1, "1"], [2, "NaN"], [1, "+Inf"], [3, "4"], [5, None]]
        return web.json_response({"status": "success", "data": {"result": [{"metric": {}, "values": points}]}})

    result = await PrometheusProvider(PrometheusSettings(url=await serving(answer))).ask(ASKED)
    assert (result.series[0].times, result.series[0].values) == ((1.0, 3.0), (1.0, 4.0))


async def test_a_token_and_a_password_are_sent_and_never_shown(serving: Serving) -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.json_response({"status": "success", "data": {"result": []}})

    url = await serving(answer)
    token = PrometheusProvider(PrometheusSettings(url=url, token=SecretStr("s3cr3t-token")))
    password = PrometheusProvider(PrometheusSettings(url=url.replace("://", "://rosa:hunter2@")))
    told = [await each.ask(ASKED) for each in (token, password)]
    assert seen == ["Bearer s3cr3t-token", "Basic cm9zYTpodW50ZXIy"]
    assert "hunter2" not in str(told)
    assert "s3cr3t" not in str(told)


async def test_nobody_there_is_said_with_the_address() -> None:
    result = await PrometheusProvider(PrometheusSettings(url="http://127.0.0.1:9/prom/")).ask(ASKED)
    assert result.status is Status.error
    assert "http://127.0.0.1:9/prom cannot be reached" in result.message


@pytest.mark.parametrize("url", ["prometheus", "ftp://x", "http://", "http:///path"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="no address of a server"):
        PrometheusSettings(url=url)
