"""The outer edge of the command line: settings for a command, its event loop, and every error turned into one line."""

import asyncio
import os
import secrets
import signal
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from runbook_bot.cli.terminal import complain
from runbook_bot.errors import RunbookError

if TYPE_CHECKING:
    from runbook_bot.settings import Settings

T = TypeVar("T")


def settings(*, service: bool = False) -> "Settings":
    """The settings, with the log set up: a service logs to standard error, other commands into their own file."""
    from runbook_bot import log
    from runbook_bot.settings import Settings, home_from

    if service:
        log.configure(os.environ)
    else:
        log_quietly()
    return Settings.load(home_from(os.environ), os.environ)


def log_quietly() -> None:
    """Log into a file in `RUNBOOK_HOME`, so that a command's own words stay readable."""
    from runbook_bot import log
    from runbook_bot.settings import home_from

    log.configure(os.environ, file=home_from(os.environ).absolute() / log.LOG_FILE)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end; SIGTERM is answered like Ctrl-C, by cancelling, so that everything is closed in order."""

    async def until_told() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await main

    return asyncio.run(until_told())


def run_service(main: Coroutine[Any, Any, None]) -> None:
    """Run a service: being told to stop is how it ends, not a failure."""
    try:
        run(main)
    except asyncio.CancelledError:
        return


def guarded(command: Callable[[], object]) -> int:
    """The exit code of a command, with one line on standard error where it failed."""
    try:
        command()
    except RunbookError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except asyncio.CancelledError:
        return 143
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains about it while it ends
        return 1
    except Exception as error:  # noqa: BLE001  # the outer edge: a person gets one line, the log the traceback
        return _crashed(error)
    return 0


def _crashed(error: Exception) -> int:
    import structlog

    if not structlog.is_configured():
        log_quietly()
    reference = secrets.token_hex(4)
    structlog.get_logger("runbook_bot").critical("crashed", reference=reference, exc_info=error)
    complain(f"something unforeseen went wrong ({type(error).__name__}); the log says more under {reference}")
    return 1
