"""Settings of fine-tuning as a parameter gives them, checked without torch, which takes seconds to import."""

import difflib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Above = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Scheduler = Literal[  # those of transformers that need neither settings of their own nor scores between
    "linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup", "inverse_sqrt"
]  # fmt: skip


class Settings(BaseModel):
    """The settings of `models.training.finetuning.FineTuning`, their defaults, and the values that each may have."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    epochs: Above = 3
    least_steps: Count = 60
    learning_rate: Above = 2e-3
    batch_rows: Count = 16
    device_rows: Count | None = None
    max_tokens: Annotated[int, Field(ge=2)] = 1024
    weight_decay: Annotated[float, Field(ge=0)] = 0.1
    warmup_share: Annotated[float, Field(ge=0, lt=1)] = 0.03
    scheduler: Scheduler = "cosine"
    lora_rank: Annotated[int, Field(ge=0)] = 0
    bf16: bool | None = None
    activation_checkpointing: bool = False
    end_to_end: bool | None = None


def check_finetuning(value: object, what: str) -> None:
    """ValueError for a setting that does not exist or cannot have its value: what it is, what was found, what is expected."""
    try:
        settings = Settings.model_validate(value)
    except ValidationError as error:
        raise ValueError(f"{what}: {_told(error.errors()[0])}") from error
    if settings.device_rows is not None and settings.device_rows > settings.batch_rows:
        most, found = settings.batch_rows, settings.device_rows
        raise ValueError(f"{what}: device_rows: expected at most {most}, the batch_rows, found {found}")


def _told(error: dict) -> str:
    if not error["loc"]:
        return f"expected settings with values, found {error['input']!r}"
    name, found = error["loc"][0], error["input"]
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, Settings.model_fields, n=1)
        meant = f"Did you mean {close[0]!r}? " if close else ""
        return f"unknown setting {name!r}, with {found!r}. {meant}Known: {', '.join(Settings.model_fields)}"
    return f"{name}: expected {error['msg'].removeprefix('Input should be ')}, found {found!r}"
