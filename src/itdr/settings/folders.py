"""Where a named piece of the configuration lies: FOLDER/KIND/NAME.yaml.

FOLDER is config/, or a folder of the user's own that an experiment names under `config_folders`;
KIND is datasets or tasks. What the two hold together is one set of names.
"""

from collections.abc import Sequence
from pathlib import Path

from itdr.errors import SettingsError, nearest
from itdr.places import PROJECT

CONFIG = Path("config")
FOLDERS = (CONFIG,)
"""The folders of configuration, where an experiment or a command names none of its own."""


def settings_files(kind: str, folders: Sequence[Path] = FOLDERS) -> dict[str, Path]:
    """Return the files of a kind by id, folder by folder, each folder's in order of name.

    What config/ of the working directory lacks is taken from the checkout's.

    Raises:
        SettingsError: two folders have a file of the same id.
    """
    found: dict[str, Path] = {}
    for folder in dict.fromkeys(folders):
        places = (PROJECT / folder, folder) if folder == CONFIG else (folder,)
        files = {path.stem: path for place in places for path in (place / kind).glob("*.yaml")}
        for path in (files[name] for name in sorted(files)):
            if path.stem in found:
                raise SettingsError(
                    f"{path}: {path.stem!r} is the name of {found[path.stem]} already. Rename one."
                )
            found[path.stem] = path
    return found


def settings_file(kind: str, name: str, folders: Sequence[Path] = FOLDERS, where: str = "") -> Path:
    """Return the file of an id; `where` names the key or file that asks for it, for the error.

    Raises:
        SettingsError: there is none, or there are two.
    """
    found = settings_files(kind, folders)
    if name not in found:
        places = ", ".join(f"{folder / kind}" for folder in dict.fromkeys(folders))
        asked = f"{where}: " if where else ""
        raise SettingsError(
            f"{asked}unknown {kind.removesuffix('s')} {name!r}: no {name}.yaml in {places}."
            f"{nearest(name, found)} Known: {', '.join(found) or 'none'}."
        )
    return found[name]
