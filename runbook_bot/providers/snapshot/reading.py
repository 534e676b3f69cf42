"""From a folder to a snapshot, whichever of the known layouts it has."""

import csv
from pathlib import Path
from types import ModuleType

import yaml

from runbook_bot.errors import UsageError
from runbook_bot.providers.snapshot import opensre, own, rootcausebench
from runbook_bot.providers.snapshot.snapshot import Draft, Snapshot

LAYOUTS: tuple[ModuleType, ...] = (own, opensre, rootcausebench)


def read_snapshot(folder: Path) -> Snapshot:
    """Raises `UsageError` naming the folder and what is wrong with it."""
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    for place in (folder, folder / "data"):
        for layout in LAYOUTS:
            if layout.fits(place):
                return _read(place, layout)
    raise UsageError(f"{folder} holds no snapshot: there is neither a {own.HEAD} nor a layout that is known")


def _read(place: Path, layout: ModuleType) -> Snapshot:
    draft = Draft(place.name)
    try:
        layout.read(place, draft)
    except (yaml.YAMLError, csv.Error, AttributeError, KeyError, TypeError, ValueError, OSError) as problem:
        told = f"there is no {problem}" if isinstance(problem, KeyError) else " ".join(str(problem).split())[:300]
        raise UsageError(f"the snapshot in {place} cannot be read: {told}") from None
    return draft.finished()
