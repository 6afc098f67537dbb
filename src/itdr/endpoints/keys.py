"""Keys of endpoints, from the environment and nowhere else."""

from collections.abc import Mapping

from itdr.errors import SettingsError
from itdr.settings.endpoint import EndpointSettings


def read_key(settings: EndpointSettings, environment: Mapping[str, str]) -> str | None:
    """Return the key of an endpoint, None where it needs none; messages never hold it.

    Raises:
        SettingsError: the variable is not set, or holds what no key can be.
    """
    name = settings.key_variable
    if name is None:
        return None
    secret = environment.get(name, "").strip()
    if not secret:
        raise SettingsError(
            f"the environment variable {name} is not set; it must hold the key for "
            f"{settings.base_url}. Set it in the shell that runs this; keys are read from nowhere "
            "else."
        )
    if not all("!" <= character <= "~" for character in secret):
        raise SettingsError(
            f"the environment variable {name} holds a blank or a letter that no key can have."
        )
    return secret


def without_secret(text: str, secret: str, shortest: int) -> str:
    """Return a text with "[key]" in place of every part of a secret of `shortest` characters.

    Some servers repeat the beginning and the end of a key that they refuse.
    """
    size = min(shortest, len(secret))
    parts = {secret[at : at + size] for at in range(len(secret) - size + 1)}
    hidden = bytearray(len(text))
    for at in range(len(text) - size + 1):
        if text[at : at + size] in parts:
            hidden[at : at + size] = b"\1" * size
    shown, before = [], 0
    for character, hide in zip(text, hidden, strict=True):
        if not hide:
            shown.append(character)
        elif not before:
            shown.append("[key]")
        before = hide
    return "".join(shown)
