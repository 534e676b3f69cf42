"""`init`: files that load without a change, never written over, and proposed from what is there."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from runbook_bot.domain.service import Edge, Look, Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.settings import Settings, proposal
from runbook_bot.settings.document import parse
from runbook_bot.settings.services import read_services
from tests.house.terminal import runbook
from tests.investigation.town import NOW
from tests.providers.conftest import emptied
from tests.providers.estate import Estate


@pytest.fixture
def cloud() -> Iterator[dict[str, str]]:
    """The environment that leads to an empty moto."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    emptied(f"http://{host}:{port}")
    keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
    yield {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_REGION": "eu-west-1", **keys}
    server.stop()


@pytest.mark.parametrize("name", proposal.TEMPLATES)
def test_a_template_loads_as_it_is_and_with_everything_switched_on(name: str, tmp_path: Path) -> None:
    ran = runbook("init", "--template", name, home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    loaded = Settings.load(tmp_path, {})
    assert len(loaded.services.services) >= 5
    assert {(tmp_path / file).stat().st_mode & 0o777 for file in ("config.yaml", "services.yaml")} == {0o600}
    whole = re.sub(r"(?m)^(\s*)# (?=\s*(?:[a-z_]+:|- \{))", r"\1", (tmp_path / "config.yaml").read_text())
    assert whole.count("\n#") <= 4, "only the head is a comment now"
    environ = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "REDIS_URL": "redis://r"}
    environ["CHROMA_URL"] = "http://c:1"
    switched_on = Settings.assembled(parse(tmp_path / "config.yaml", whole), tmp_path, environ)
    assert switched_on.providers.aws.mutation_role_arn
    assert switched_on.safety.approvers


def test_nothing_is_ever_written_over(tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text("services: [{name: mine}]\n")
    first = runbook("init", "--template", "serverless", "--json", home=tmp_path)
    assert json.loads(first.stdout) == {
        "home": str(tmp_path),
        "written": ["config.yaml"],
        "kept": ["services.yaml"],
        "proposed": None,
    }
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file() and "log" not in path.name}
    again = runbook("init", "--template", "enterprise", home=tmp_path)
    assert again.returncode == 0
    assert "config.yaml is there already and was left as it is" in again.stdout
    assert before == {name: (tmp_path / name).read_bytes() for name in before}
    assert (tmp_path / "services.yaml").read_text() == "services: [{name: mine}]\n"


def test_without_access_it_says_what_to_do_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ran = runbook("init", home=tmp_path)
    assert ran.returncode == 1
    assert "--template ecs-rds" in ran.stderr
    assert not (tmp_path / "services.yaml").exists()
    wrong = runbook("init", "--template", "monolith", home=tmp_path)
    assert (wrong.returncode, "ecs-rds, serverless, enterprise" in wrong.stderr) == (2, True)


def test_what_is_there_is_proposed_once_and_after_that_only_what_is_new(cloud: dict[str, str], tmp_path: Path) -> None:
    estate = Estate(cloud["AWS_ENDPOINT_URL"], "eu-west-1")
    estate.build(2, "shop")
    estate.client("sqs").create_queue(QueueName="nobody-calls-it")
    first = runbook("init", "--json", home=tmp_path, environ=cloud)
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert (told["written"], told["kept"], told["additions"]) == (["config.yaml", "services.yaml"], [], [])
    loaded = Settings.load(tmp_path, {})
    assert loaded.providers.aws.regions == ("eu-west-1",)
    written = loaded.services.service("shop-1")
    assert written is not None
    assert (written.owner, written.group) == ("shop", "prod")
    assert written.depends_on[0] == "shop-0"
    text = (tmp_path / "services.yaml").read_text()
    assert "- shop-0   # environment NEXT" in text
    assert "because nothing is known to call them: nobody-calls-it" in text

    again = runbook("init", home=tmp_path, environ=cloud)
    assert "It names all that was discovered." in again.stdout
    assert not (tmp_path / "services.proposed.yaml").exists()

    (tmp_path / "services.yaml").write_text("services:\n  - name: shop-0   # mine\n")
    third = runbook("init", home=tmp_path, environ=cloud)
    assert "+ shop-0 depends on shop-1 (environment NEXT)" in third.stdout
    assert "+ shop-1: ecs_service:prod/shop-1" in third.stdout
    assert (tmp_path / "services.yaml").read_text() == "services:\n  - name: shop-0   # mine\n"
    assert read_services(tmp_path / "services.proposed.yaml").service("shop-1") is not None
    (tmp_path / "services.proposed.yaml").write_text("# my notes\n")
    runbook("init", home=tmp_path, environ=cloud)
    assert (tmp_path / "services.proposed.yaml").read_text() == "# my notes\n"


def test_a_service_and_all_services_in_the_terminal(cloud: dict[str, str], tmp_path: Path) -> None:
    Estate(cloud["AWS_ENDPOINT_URL"], "eu-west-1").build(2, "shop")
    one = runbook("status", "shop-1", home=tmp_path, environ=cloud)
    assert one.returncode == 0, one.stderr
    assert "├─ shop-0  environment NEXT" in one.stdout
    assert "owner: shop" in one.stdout
    assert "1 service depends on it: shop-0" in one.stdout
    assert "just now" in one.stdout
    everything = runbook("status", "--services", "--json", home=tmp_path, environ=cloud)
    found = json.loads(everything.stdout)
    shop = next(each for each in found["services"] if each["name"] == "shop-1")
    assert {"service": "shop-0", "found": ["environment NEXT"], "guess": False} in shop["depends_on"]
    assert shop["needed_by"] == [{"service": "shop-0", "found": ["environment NEXT"], "guess": False}]
    assert [each["place"] for each in found["places"]] == ["aws eu-west-1"]
    wrong = runbook("status", "shop-11", home=tmp_path, environ=cloud)
    assert (wrong.returncode, "did you mean shop-1?" in wrong.stderr) == (2, True)


NAMES = st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip()))


@given(name=NAMES, called=NAMES, owner=NAMES)
@example(name="0\x85", called="a\u2028b", owner="- {x: [y\n")
def test_whatever_stands_in_a_name_is_read_back_as_it_was(name: str, called: str, owner: str) -> None:
    try:
        "".join((name, called, owner)).encode()
    except UnicodeEncodeError:
        return
    resource = Resource(type=ResourceType.ecs_service, cluster=called, name=name)
    graph = ServiceGraph(
        services=(
            Service(name=name, owner=owner, depends_on=(called,), resources=(resource,)),
            Service(name=called, depends_on=(name,)),
        ),
        edges=(Edge(caller=name, called=called, found=f"environment {owner}"),),
        looks=(Look(place=f"aws {name}", at=NOW, unseen=(called,)),),
    )
    text = proposal.services(graph, "now")
    document = parse(Path("services.yaml"), text)
    [first, *_] = document.value["services"]
    assert (first["name"], first["owner"]) == (name, owner)
    assert first["resources"][0]["cluster"] == called
    assert first.get("depends_on", []) == ([called] if called != name else [])


def test_a_guess_is_a_comment_and_no_dependency(tmp_path: Path) -> None:
    graph = ServiceGraph(
        services=(
            Service(
                name="web",
                depends_on=("db",),
                resources=(Resource(type=ResourceType.lambda_function, name="web"),),
            ),
            Service(name="db", resources=(Resource(type=ResourceType.rds_instance, name="db"),)),
        ),
        edges=(Edge(caller="web", called="db", found="security group", weak=True),),
    )
    text = proposal.services(graph, "now")
    (tmp_path / "services.yaml").write_text(text)
    written = read_services(tmp_path / "services.yaml")
    assert "# perhaps it also calls db   # security group" in text
    assert [each.depends_on for each in written] == [(), ()]
    assert proposal.additions(written, written.merged(graph)) == []
