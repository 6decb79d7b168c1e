"""What can be set from outside, as `QUARTET_…`."""

from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict

_SOURCE = SettingsConfigDict(env_prefix="QUARTET_", frozen=True)


class Settings(BaseSettings):
    """What it takes to declare: the broker, as its user `topology`."""

    model_config = _SOURCE

    broker_url: str


class WatchSettings(Settings):
    """What it takes to watch, too."""

    model_config = _SOURCE

    management_url: str
    """`http://HOST:PORT` of the broker's management interface; user and virtual host are those of `broker_url`."""
    looked: Path
    """A file that says when the last look succeeded, in seconds since 1970: so it is seen that somebody watches."""
    log_format: Literal["auto", "text", "json"] = "auto"
    log_level: str = "INFO"
