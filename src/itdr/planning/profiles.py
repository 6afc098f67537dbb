"""Workflow profiles that Snakemake would pass over without a word."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from itdr.errors import SettingsError, nearest
from itdr.settings.reading import load_yaml

_OPTION = "--workflow-profile"
_FILES = ("profile*.yaml", "config*.yaml")


def check_workflow_profile(
    words: Sequence[str], snakefile: Path, configfiles: Sequence[Path]
) -> None:
    """Refuse a workflow profile that is not there, or whose configuration is not what is run.

    Snakemake takes a profile that it does not find for none, and --configfile in place of the files
    that the profile names. Either way another experiment is run than was asked for.

    Args:
        words: the words of the command line, behind "snakemake".
        snakefile: the workflow.
        configfiles: those that Snakemake read.

    Raises:
        SettingsError: with what there is, or with the files to name.
    """
    name = _named(words)
    if name in (None, "", "none"):
        return
    folders = [Path(name), Path("profiles") / name, snakefile.parent / "profiles" / name]
    found = next((folder for folder in folders if folder.exists()), None)
    if found is None:
        places = [Path("profiles"), snakefile.parent / "profiles"]
        known = sorted({path.name for place in places if place.is_dir() for path in place.iterdir()
                        if path.is_dir()})  # fmt: skip
        raise SettingsError(
            f"{_OPTION} {name}: there is no such profile.{nearest(name, known)} Here are "
            f"{', '.join(known) or 'none'}; a path to a folder with profile.yaml will do, too."
        )
    given = {path.resolve() for path in configfiles}
    missing = [file for file in _configfiles(found) if Path(file).resolve() not in given]
    if missing:
        files = " ".join(map(str, [*missing, *configfiles]))
        raise SettingsError(
            f"{_OPTION} {name}: --configfile takes the place of {', '.join(missing)}, which this "
            "profile lays over the paper's experiment, so that another experiment would be run. "
            f"Name all: --configfile {files}"
        )


def _named(words: Sequence[str]) -> str | None:
    """Return what --workflow-profile is given, None where it is not; the last one counts."""
    named = None
    for place, word in enumerate(words):
        option, equals, value = word.partition("=")
        # Options may be cut short, and no other one begins so.
        if len(option) > len("--work") and _OPTION.startswith(option):
            named = value if equals else next(iter(words[place + 1 :]), "")
    return named


def _configfiles(profile: Path) -> list[str]:
    """Return the configuration files that a profile names."""
    if profile.is_file():
        files = [profile]
    else:
        files = [path for pattern in _FILES for path in sorted(profile.glob(pattern))]
    value: Any = load_yaml(files[-1]).get("configfile", []) if files else []
    return [value] if isinstance(value, str) else [str(file) for file in value]
