"""Puts a file where none is: for its owner alone, whole or not at all, and never over what somebody wrote."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from runbook_bot.errors import SettingsError


def lay(path: Path, text: str, *, over: str | None = None) -> bool:
    """Whether it was written. `over`: an existing file may be written anew if it begins with this.

    Raises `SettingsError` where it cannot be written.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        if over is not None and path.is_file() and path.read_text(encoding="utf-8", errors="replace").startswith(over):
            aside.replace(path)
            return True
        os.link(aside, path)  # fails where there is one, however it came there meanwhile
    except FileExistsError:
        return False
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            aside.unlink()
    return True


def folder(path: Path) -> None:
    """Makes it where it is not there. Raises `SettingsError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{path} cannot be made: {error.strerror}") from error
