"""The folder of unfinished training."""

from pathlib import Path
from typing import Any

from itdr.unfinished import claim


def open_checkpoints(folder: Path, manifest: dict[str, Any]) -> Path | None:
    """Return the newest whole checkpoint in the folder, or None at a first start.

    Raises:
        DataError: the folder belongs to a training with other data, model or settings.
    """
    if not claim(folder, manifest):
        return None
    # The Trainer writes this file last, so a checkpoint that has it is whole.
    whole = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
