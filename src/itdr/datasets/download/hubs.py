"""Hugging Face, Kaggle and Google Drive through their own clients, with our words for errors."""

import logging
import re
from logging import INFO
from pathlib import Path

from tenacity import before_sleep_log

from itdr.datasets.download.drive import PassingError, bring_file
from itdr.errors import DownloadError
from itdr.retry import RetryPolicy
from itdr.settings.dataset import DatasetSettings, Published

log = logging.getLogger("itdr")

_HF_LOGIN = (
    "Accept the terms on its page, make a token at https://huggingface.co/settings/tokens and put "
    "it into the environment variable HF_TOKEN."
)
_KAGGLE_LOGIN = (
    "Make an account and a token at https://www.kaggle.com/settings, then set the environment "
    "variable KAGGLE_API_TOKEN (or KAGGLE_USERNAME and KAGGLE_KEY), or put kaggle.json into "
    "~/.kaggle/."
)


def bring(
    dataset: DatasetSettings, item: Published, folder: Path, retry_policy: RetryPolicy, by_hand: str
) -> Path:
    """Bring a file of a hub to somewhere below `folder` and return where it lies.

    The clients keep what has come of a broken download below `folder` and go on with it.

    Raises:
        DownloadError: a login is missing, there is no such file, or the network fails.
    """
    client = {"huggingface": _huggingface, "kaggle": _kaggle, "gdrive": _gdrive}[dataset.kind]
    folder.mkdir(parents=True, exist_ok=True)
    what = f"{dataset.id}: {item.name} from {dataset.repository or dataset.kind}"
    log.info("%s: fetching", what)
    try:
        retrying = retry_policy.retrying(PassingError, before_sleep=before_sleep_log(log, INFO))
        return retrying(client, dataset, item, folder, f"{what}: ", by_hand)
    except ImportError as error:
        raise DownloadError(
            f"the package {error.name} is not installed; install it. {by_hand}"
        ) from error
    except PassingError as error:
        raise DownloadError(
            f"{error}. Given up after {retry_policy.retries + 1} failures. Run it again to go on. "
            f"{by_hand}"
        ) from error


def commit_of(item: Published, folder: Path) -> str | None:
    """Return the commit of Hugging Face that a file below `folder` came from, where it is known.

    huggingface_hub reads its note in a function of its own alone (`_local_folder`).
    """
    notes = folder / ".cache" / "huggingface" / "download" / f"{item.at[0]}.metadata"
    lines = notes.read_text("utf-8", "replace").splitlines() if notes.is_file() else []
    return lines[0] if lines and re.fullmatch("[0-9a-f]{40}", lines[0]) else None


def _huggingface(
    dataset: DatasetSettings, item: Published, folder: Path, what: str, by_hand: str
) -> Path:
    from huggingface_hub import errors, hf_hub_download

    try:
        return Path(
            hf_hub_download(
                str(dataset.repository),
                item.at[0],
                repo_type="dataset",
                revision=dataset.revision,
                local_dir=folder,
            )
        )
    except errors.GatedRepoError as error:
        raise DownloadError(f"{what}its terms must be accepted. {_HF_LOGIN} {by_hand}") from error
    except errors.RepositoryNotFoundError as error:
        raise DownloadError(
            f"{what}there is no such dataset, or it is private. {_HF_LOGIN} {by_hand}"
        ) from error
    except (errors.RevisionNotFoundError, errors.RemoteEntryNotFoundError) as error:
        raise DownloadError(
            f"{what}no {item.at[0]!r} at revision {dataset.revision or 'main'}. {by_hand}"
        ) from error
    except errors.OfflineModeIsEnabled as error:
        raise DownloadError(f"{what}HF_HUB_OFFLINE is set. Unset it. {by_hand}") from error
    except (
        errors.LocalEntryNotFoundError,
        errors.XetDownloadError,
        errors.HTTPError,
    ) as error:
        response = getattr(error, "response", None)
        if response is not None and response.status_code in (401, 403):
            refused = f"{what}refused ({response.status_code})."
            raise DownloadError(f"{refused} {_HF_LOGIN} {by_hand}") from error
        raise PassingError(f"{what}{error}") from error


def _kaggle(
    dataset: DatasetSettings, item: Published, folder: Path, what: str, by_hand: str
) -> Path:
    import kagglehub
    import requests
    from kagglehub import exceptions

    handle = str(dataset.repository)
    if dataset.revision is not None:
        handle += f"/versions/{dataset.revision}"
    try:
        return Path(kagglehub.dataset_download(handle, path=item.at[0], output_dir=str(folder)))
    except (exceptions.UnauthenticatedError, exceptions.CredentialError) as error:
        raise DownloadError(f"{what}not logged in. {_KAGGLE_LOGIN} {by_hand}") from error
    except exceptions.NotFoundError as error:
        raise DownloadError(f"{what}no {item.at[0]!r} there. {by_hand}") from error
    except exceptions.DataCorruptionError as error:
        raise PassingError(f"{what}{error}") from error
    except requests.RequestException as error:
        status = error.response.status_code if error.response is not None else None
        if status in (401, 403):
            raise DownloadError(f"{what}refused ({status}). {_KAGGLE_LOGIN} {by_hand}") from error
        if status == 404:
            raise DownloadError(f"{what}no {item.at[0]!r} there. {by_hand}") from error
        raise PassingError(f"{what}{error}") from error


def _gdrive(
    dataset: DatasetSettings, item: Published, folder: Path, what: str, by_hand: str
) -> Path:
    return bring_file(item.at[0], folder / item.name, what, by_hand)
