"""The stored service graph: read back as it was, for the same view, and never trusted blindly."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbook_bot.domain.service import Edge, Look, Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.state.graphs import FileGraphs

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)
GRAPH = ServiceGraph(
    services=(
        Service(
            name="café/ü",
            depends_on=("db",),
            resources=(Resource(type=ResourceType.ecs_service, cluster="prod", name="café/ü"),),
        ),
        Service(name="db"),
    ),
    edges=(Edge(caller="café/ü", called="db", found="environment DB_HOST"),),
    looks=(Look(place="aws us-east-1", at=AT, services=("café/ü", "db"), resources=1, unseen=("traces: denied",)),),
)


def test_it_is_read_back_as_it_was_and_for_its_owner_alone(tmp_path: Path) -> None:
    FileGraphs(tmp_path / "graphs", {"aws": "view"}).save("aws", GRAPH)
    assert FileGraphs(tmp_path / "graphs", {"aws": "view"}).load("aws") == GRAPH
    [path] = (tmp_path / "graphs").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_graph_of_another_account_or_region_is_not_used(tmp_path: Path) -> None:
    FileGraphs(tmp_path, {"aws": "one"}).save("aws", GRAPH)
    assert FileGraphs(tmp_path, {"aws": "other"}).load("aws") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"view": "view"}', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "aws.json").write_bytes(content)
    kept = FileGraphs(tmp_path, {"aws": "view"})
    assert kept.load("aws") is None
    kept.save("aws", GRAPH)
    assert kept.load("aws") == GRAPH


def test_nowhere_to_write_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "graphs").write_text("a file where the folder should be")
    kept = FileGraphs(tmp_path / "graphs", {"aws": "view"})
    kept.save("aws", GRAPH)
    assert kept.load("aws") is None
