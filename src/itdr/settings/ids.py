"""What the ids of tasks, datasets, models and variants may be: plain words and file names.

They stand in paths, targets and commands, so they mean nothing to a shell, a glob or a wildcard.
"""

from typing import Annotated

from pydantic import StringConstraints

ID = r"[A-Za-z0-9][A-Za-z0-9._-]*"

TaskId = Annotated[str, StringConstraints(pattern=f"^{ID}$")]
DatasetId = Annotated[str, StringConstraints(pattern=f"^{ID}$")]
ModelId = Annotated[str, StringConstraints(pattern=f"^{ID}$")]
