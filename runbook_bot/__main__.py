"""The front door: `runbook-bot`, also `python -m runbook_bot`."""

import sys

from runbook_bot.cli.app import app
from runbook_bot.cli.edge import guarded


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(guarded(lambda: app(prog_name="runbook-bot")))


if __name__ == "__main__":
    main()
