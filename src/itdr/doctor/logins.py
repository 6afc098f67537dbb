"""Logins of hubs, found as their clients find them. Messages say where they are, never what.

huggingface_hub.get_token does not say where it found one, and its constants are those of this
process: with them the checks could not be tried on machines that tests describe.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from itdr.doctor.machine import Machine


def hub_token(machine: Machine) -> str | None:
    """Return where a token for Hugging Face is, or None."""
    return next((where for where, token in _hub_tokens(machine) if token), None)


def read_hub_token(machine: Machine) -> str | None:
    """Return the token for Hugging Face, or None."""
    return next((token for _, token in _hub_tokens(machine) if token), None)


def _hub_tokens(machine: Machine) -> Iterator[tuple[str, str]]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        yield name, machine.variables.get(name, "").strip()
    named = machine.variables.get("HF_TOKEN_PATH")
    file = Path(named) if named else machine.hub_folder / "token"
    yield str(file), _text(file)


def kaggle_login(machine: Machine) -> tuple[str | None, str]:
    """Return where a login for Kaggle is, or None and what is wrong."""
    variables, own = machine.variables, machine.home / ".kaggle"
    if variables.get("KAGGLE_API_TOKEN", "").strip():
        return "KAGGLE_API_TOKEN", ""
    for file in (own / "access_token", own / "access_token.txt"):
        if _text(file):
            return str(file), ""
    if variables.get("KAGGLE_USERNAME") and variables.get("KAGGLE_KEY"):
        return "KAGGLE_USERNAME and KAGGLE_KEY", ""
    folder = variables.get("KAGGLE_CONFIG_DIR")
    file = (Path(folder) if folder else own) / "kaggle.json"
    if not file.is_file():
        return None, "no login for Kaggle"
    try:
        value = json.loads(_text(file))
        whole = all(str(value[key]).strip() for key in ("username", "key"))
    except (ValueError, KeyError, TypeError):
        whole = False
    return (str(file), "") if whole else (None, f"{file} holds no username and key")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
