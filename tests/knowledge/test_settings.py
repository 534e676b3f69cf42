"""The `knowledge:` part of the configuration, and what its room may cost at start."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from runbook_bot.knowledge.config import KnowledgeSettings


def test_the_keys_of_the_design_are_taken() -> None:
    settings = KnowledgeSettings.model_validate(
        {
            "sources": [{"type": "filesystem", "path": "docs", "watch": False}],
            "store": {"type": "chroma", "url": "http://chroma:8000", "embedding": "lsi"},
            "retrieval": {"top_k": 5, "rerank": False},
        }
    )
    assert settings.sources[0].path == Path("docs")


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"sources": [{"type": "confluence", "path": "x"}]}, "sources.0.type"),
        ({"store": {"path": "a", "url": "http://b"}}, "path and url exclude each other"),
        ({"store": {"url": "chroma:8000"}}, "url must look like"),
        ({"store": {"url": "http://me:pw@chroma"}}, "must not hold a user name"),
        ({"store": {"embedding": "minilm"}}, "store.embedding"),
        ({"retrieval": {"top_k": 0}}, "retrieval.top_k"),
        ({"rerank": True}, "rerank"),
    ],
)
def test_what_is_wrong_is_named(said: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KnowledgeSettings.model_validate(said)
    errors = caught.value.errors()
    assert any(named in ".".join(map(str, error["loc"])) or named in error["msg"] for error in errors)


def test_loading_the_settings_loads_nothing_heavy() -> None:
    script = (
        "import sys, runbook_bot.knowledge.config\n"
        "sys.exit(', '.join({'chromadb', 'numpy', 'sqlite3', 'markdown_it'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_loading_the_memory_does_not_load_chroma() -> None:
    script = "import sys, runbook_bot.knowledge.memory\nsys.exit('chromadb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
