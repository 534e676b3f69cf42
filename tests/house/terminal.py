"""The program as a person starts it: words in, lines and an exit code out."""

import os
import subprocess
import sys
from pathlib import Path

FOREIGN = ("AWS_", "SLACK_", "REDIS_", "CHROMA_")
"""Variables of whoever runs the tests that must not reach the program."""


def runbook(
    *words: str, home: Path, stdin: str | bytes = "", environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    ran = subprocess.run(
        [sys.executable, "-m", "runbook_bot", *words],
        capture_output=True,
        input=stdin.encode("utf-8", "surrogatepass") if isinstance(stdin, str) else stdin,
        timeout=180,
        check=False,
        env={**kept, "AWS_EC2_METADATA_DISABLED": "true", "RUNBOOK_HOME": str(home), **(environ or {})},
    )
    return subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode(), ran.stderr.decode())
