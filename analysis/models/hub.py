"""Models of the hub: which commit a name stands for, and whether the hub can be asked at all."""

import re
from functools import cache
from pathlib import Path

from transformers import AutoConfig

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def hub_revision(name: str) -> str | None:
    """Commit of a model of the hub as it will be loaded; `None` for one that does not say.

    Raises
    ------
    OSError
        The hub does not know it, or cannot be reached and it was never loaded here.
    """
    local = is_local(None, name)
    return AutoConfig.from_pretrained(name, trust_remote_code=False, local_files_only=local)._commit_hash


def is_local(folder: Path | None, name: str) -> bool:
    """Whether only what is on this machine can be loaded: a folder, or no answer from the hub."""
    return folder is not None or not hub_answers(name)


@cache
def hub_answers(name: str) -> bool:
    """Whether the hub can be reached, asked once: transformers tries a hub that is not there for half a minute, file by file."""
    import httpx2  # the client of huggingface_hub, whose errors it lets through
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        HfApi().model_info(name, timeout=10)
    except HfHubHTTPError:
        return True  # it answers, if not with this model
    except (httpx2.HTTPError, OfflineModeIsEnabled, OSError):
        return False
    return True


def hub_models_named(value) -> list[list]:
    """Name and commit of every model of the hub among a method's options (a text, a list or a mapping)."""
    if isinstance(value, dict | list | tuple):
        parts = value.values() if isinstance(value, dict) else value
        return [found for one in parts for found in hub_models_named(one)]
    if not isinstance(value, str) or not HUB_ID.fullmatch(value) or Path(value).expanduser().exists():
        return []
    try:
        return [[value, hub_revision(value)]]
    except OSError:  # no model of the hub: the method itself says what it expects there
        return []
