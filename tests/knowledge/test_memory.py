"""What the team wrote down is found again, and follows its files."""

import os
from pathlib import Path

import pytest

from runbook_bot.domain.ports import Knowledge
from runbook_bot.errors import KnowledgeError
from runbook_bot.knowledge.config import KnowledgeSettings, RetrievalSettings, SourceSettings
from runbook_bot.knowledge.memory import KnowledgeBase
from tests.knowledge.conftest import CONNECTIONS, Open


async def first(memory: Knowledge, question: str) -> str:
    found = await memory.search(question)
    return found[0].document if found else ""


async def test_a_question_finds_its_runbook_without_any_preparation(memory: KnowledgeBase) -> None:
    found = await memory.search("FATAL: sorry, too many clients already")
    assert found[0].document == "connections.md"
    assert found[0].title == "Database connections exhausted"
    assert found[0].kind == "runbook"
    assert "too many clients" in found[0].text
    assert 0 < found[0].score <= 1
    assert found[0].updated_at is not None


async def test_each_document_is_named_once(memory: KnowledgeBase) -> None:
    found = await memory.search("errors of the client after a release, the database and the certificate")
    assert sorted(passage.document for passage in found) == ["certificate.md", "connections.md", "rollback.md"]


async def test_the_passage_says_where_it_stands(memory: KnowledgeBase, home: Path) -> None:
    (passage,) = await memory.search("revision approved rollback", top=1)
    lines = (home / "runbooks" / passage.document).read_text().split("\n")
    assert lines[passage.line - 1] == passage.text.split("\n")[0]
    assert passage.failure_modes == ("bad_deployment",)
    assert passage.services == ("checkout-api",)


async def test_the_steps_come_in_order(memory: KnowledgeBase) -> None:
    (passage,) = await memory.search("bad deployment", top=1)
    steps = (
        "Find the revision before: `aws ecs describe-services`.",
        "Ask for the rollback and have it approved.",
        "Watch the error rate.",
    )
    assert await memory.steps(passage) == steps
    assert await memory.steps("rollback.md") == steps
    assert await memory.steps("nothing.md") == ()


async def test_what_is_written_now_is_found_now(memory: KnowledgeBase, home: Path) -> None:
    await memory.search("anything")
    (home / "runbooks" / "kafka.md").write_text("# Kafka consumer lag\n\nThe lag of the consumer group grows.\n")
    assert await first(memory, "kafka consumer lag") == "kafka.md"
    (home / "runbooks" / "kafka.md").write_text("# Zookeeper quorum lost\n\nNo leader is elected any more.\n")
    assert await first(memory, "zookeeper quorum") == "kafka.md"
    assert await memory.search("kafka consumer group") == []
    (home / "runbooks" / "kafka.md").unlink()
    assert await memory.search("zookeeper quorum") == []


async def test_without_watching_changes_wait_for_the_next_sync(remember: Open, home: Path) -> None:
    settings = KnowledgeSettings(sources=(SourceSettings(path=Path("runbooks"), watch=False),))
    memory = remember(settings)
    await memory.search("anything")
    (home / "runbooks" / "kafka.md").write_text("# Kafka consumer lag\n\nThe lag of the consumer group grows.\n")
    assert await memory.search("kafka consumer group") == []
    await memory.sync()
    assert await first(memory, "kafka consumer group") == "kafka.md"


async def test_only_what_changed_is_read_again(memory: KnowledgeBase, home: Path) -> None:
    report = await memory.sync()
    assert (report.documents, report.added, report.changed, report.removed) == (3, 3, 0, 0)
    (home / "runbooks" / "rollback.md").write_text("# Roll back\n\nAnother text of another size.\n")
    (home / "runbooks" / "certificate.md").unlink()
    os.utime(home / "runbooks" / "connections.md")
    report = await memory.sync()
    assert (report.documents, report.added, report.changed, report.removed) == (2, 0, 1, 1)
    report = await memory.sync()
    assert (report.added, report.changed, report.removed) == (0, 0, 0)


async def test_a_change_of_the_same_size_and_time_is_seen(memory: KnowledgeBase, home: Path) -> None:
    file = home / "runbooks" / "note.md"
    file.write_text("# Alpha note\n\nwords\n")
    stamp = file.stat()
    await memory.sync()
    file.write_text("# Omega note\n\nwords\n")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert (await memory.sync()).changed == 1


async def test_an_unreadable_file_is_named_and_the_others_go_on(memory: KnowledgeBase, home: Path) -> None:
    folder = home / "runbooks"
    (folder / "latin.md").write_bytes(b"# Caf\xe9\n")
    (folder / "binary.md").write_bytes(b"\x00\x01")
    (folder / "empty.md").write_text("\n")
    (folder / "head.md").write_text("---\ntitle: [a\nkind: runbook\n---\n# Body of the head\n\n1. text\n")
    (folder / "dangling.md").symlink_to("nowhere.md")
    report = await memory.sync()
    said = {str(problem) for problem in report.problems}
    assert "latin.md:1: not UTF-8 text (byte 5), left out" in said
    assert "binary.md:1: not a text file, left out" in said
    assert "empty.md:1: empty, left out" in said
    assert any(line.startswith("head.md:3: not valid YAML") for line in said)
    assert any(line.startswith("dangling.md:1: cannot be read") for line in said)
    assert report.documents == 4
    assert await first(memory, "too many clients") == "connections.md"


async def test_a_link_out_of_the_folder_is_not_followed(memory: KnowledgeBase, home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# Payroll\n\nsalaries of everybody\n")
    (home / "runbooks" / "link.md").symlink_to(tmp_path / "secret.md")
    report = await memory.sync()
    assert [str(problem) for problem in report.problems] == ["link.md:1: a link that leads out of the folder, left out"]
    assert await memory.search("salaries payroll") == []


async def test_a_folder_that_is_away_for_a_moment_loses_nothing(memory: KnowledgeBase, home: Path) -> None:
    await memory.sync()
    (home / "runbooks").rename(home / "elsewhere")
    assert (await memory.sync()).documents == 3
    assert await first(memory, "too many clients") == "connections.md"


async def test_a_source_that_was_asked_for_and_is_not_there_is_named(remember: Open, home: Path) -> None:
    settings = KnowledgeSettings(sources=(SourceSettings(path=Path("runbooks")), SourceSettings(path=Path("docs"))))
    report = await remember(settings).sync()
    assert [problem.message for problem in report.problems] == ["no such folder (knowledge.sources)"]
    assert report.documents == 3


async def test_a_home_without_documents_is_no_error(remember: Open, tmp_path: Path) -> None:
    memory = remember(at=tmp_path / "fresh")
    assert await memory.search("anything") == []
    assert (await memory.sync()).lines[0].startswith("0 documents")
    (check,) = await memory.check()
    assert check.state == "off"


async def test_two_sources_may_hold_the_same_document(remember: Open, home: Path) -> None:
    (home / "more").mkdir()
    (home / "more" / "connections.md").write_text(CONNECTIONS)
    settings = KnowledgeSettings(sources=(SourceSettings(path=Path("runbooks")), SourceSettings(path=Path("more"))))
    memory = remember(settings)
    assert (await memory.sync()).documents == 4
    (home / "more" / "connections.md").unlink()
    await memory.sync()
    found = await memory.search("the pool is empty: too many clients")
    assert found[0].document == "connections.md"


async def test_a_source_that_left_the_configuration_is_forgotten(remember: Open, home: Path) -> None:
    (home / "more").mkdir()
    (home / "more" / "kafka.md").write_text("# Kafka consumer lag\n")
    both = KnowledgeSettings(sources=(SourceSettings(path=Path("runbooks")), SourceSettings(path=Path("more"))))
    assert await first(remember(both), "kafka") == "kafka.md"
    assert await remember().search("kafka") == []


async def test_the_service_in_question_comes_first(memory: KnowledgeBase, home: Path) -> None:
    for name in ("alpha", "omega"):
        text = f"---\nservices: [{name}-api]\n---\n# Restart\n\nRestart the workers of the queue.\n"
        (home / "runbooks" / f"{name}.md").write_text(text)
    found = await memory.search("restart the workers of the queue", services=["Omega-API"])
    assert found[0].document == "omega.md"
    found = await memory.search("restart the workers of the queue", services=["alpha-api"])
    assert found[0].document == "alpha.md"


async def test_reranking_looks_at_titles(remember: Open, home: Path) -> None:
    words = "pods of the namespace, nodes, volumes, images, probes and limits. " * 4
    (home / "runbooks" / "a.md").write_text(
        f"# General notes\n\nKube node not ready, {words}\n\nKube node not ready.\n"
    )
    (home / "runbooks" / "b.md").write_text(f"# KubeNodeNotReady\n\n{words}\n")
    on = await remember().search("kube node ready")
    off = await remember(KnowledgeSettings(retrieval=RetrievalSettings(rerank=False))).search("kube node ready")
    scores = [{passage.document: passage.score for passage in found} for found in (on, off)]
    assert scores[0]["b.md"] > scores[1]["b.md"]


async def test_the_configuration_says_how_many(remember: Open) -> None:
    memory = remember(KnowledgeSettings(retrieval=RetrievalSettings(top_k=2)))
    question = "errors of the client after a release, the database and the certificate"
    assert len(await memory.search(question)) == 2
    assert len(await memory.search(question, top=1)) == 1
    assert len(await memory.search(question, top=8)) == 3


@pytest.mark.parametrize(
    "question",
    [
        "",
        "   \n\t",
        '"; drop table passages; --',
        'NEAR("a" "b") AND title: * OR ^x',
        "x" * 10_000,
        "too many clients " * 2_000,
        "\x00\x1b[31m\udcff\u202e too many clients",
        "数据库 连接 🚨 базы данных",
        "NOT NOT NOT",
        "%s %d {0} ${HOME}",
    ],
)
async def test_no_question_breaks_the_search(memory: KnowledgeBase, question: str) -> None:
    found = await memory.search(question)
    assert ("too many clients" in question) == any(passage.document == "connections.md" for passage in found[:1])


async def test_what_nobody_wrote_about_is_not_found(memory: KnowledgeBase) -> None:
    assert await memory.search("xylophone zeppelin") == []


async def test_a_text_is_added_as_a_document(memory: KnowledgeBase, home: Path) -> None:
    name = await memory.add("The lag grows.\n\n1. Add consumers.\n", title="Kafka: consumer lag")
    assert name == "kafka-consumer-lag.md"
    (found,) = await memory.search("kafka consumers", top=1)
    assert (found.document, found.title) == (name, "Kafka: consumer lag")
    assert await memory.steps(found) == ("Add consumers.",)
    assert await memory.add("The lag grows.\n\n1. Add consumers.\n", title="Kafka: consumer lag") == name
    assert await memory.add("Other words.\n", title="Kafka: consumer lag") == "kafka-consumer-lag-2.md"


async def test_a_file_is_added_by_copying_it(memory: KnowledgeBase, home: Path, tmp_path: Path) -> None:
    (tmp_path / "Kafka.md").write_text("# Kafka consumer lag\n\n1. Add consumers.\n")
    assert await memory.add(tmp_path / "Kafka.md") == "kafka.md"
    assert await memory.add(home / "runbooks" / "kafka.md") == "kafka.md"
    assert sorted(file.name for file in (home / "runbooks").iterdir()) == [
        "certificate.md", "connections.md", "kafka.md", "rollback.md",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("a.md", b"\xff\xfe", "not UTF-8 text"),
        ("a.md", b" \n", "empty"),
        ("a.exe", b"MZ", "is no document"),
        ("a.md", b"---\nfailure_modes: [oom]\n---\n# A\n", "unknown failure mode 'oom'"),
    ],
)
async def test_what_cannot_be_read_is_not_added(
    memory: KnowledgeBase, home: Path, tmp_path: Path, name: str, raw: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(KnowledgeError, match=said):
        await memory.add(tmp_path / name)
    assert len(list((home / "runbooks").iterdir())) == 3


async def test_a_file_that_is_not_there_cannot_be_added(memory: KnowledgeBase, tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"none\.md cannot be read: No such file"):
        await memory.add(tmp_path / "none.md")


async def test_validation_names_file_and_line(memory: KnowledgeBase, home: Path) -> None:
    (home / "runbooks" / "bad.md").write_text(
        "---\ntitle: Bad\nkind: rumbook\nfailure_modes: [bad_deploy]\nservcies: [a]\n---\n# Bad\n\ntext\n"
    )
    problems = [str(problem) for problem in await memory.validate()]
    assert problems == [
        "bad.md:5: unknown key 'servcies'; did you mean services?",
        "bad.md:3: unknown kind 'rumbook'; one of runbook, postmortem, known_issue, architecture",
        "bad.md:4: unknown failure mode 'bad_deploy'; did you mean bad_deployment?",
        "bad.md:1: no steps found: nobody can follow this runbook",
    ]
    assert not (home / "chroma").exists()


async def test_doctor_hears_how_it_is(memory: KnowledgeBase) -> None:
    await memory.sync()
    (check,) = await memory.check()
    assert check.state == "ok"
    assert check.text.startswith("3 documents, ")
