"""What can be set from outside, as `QUARTET_MAIL_…`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

KEEP_MAX_MESSAGES = 1_000_000


class Settings(BaseSettings):
    """`directory` holds the messages; past `keep_max` of them the oldest is forgotten."""

    model_config = SettingsConfigDict(env_prefix="QUARTET_MAIL_", frozen=True)

    host: str = "127.0.0.1"
    smtp_port: int = Field(default=8025, ge=0, le=65_535)
    http_port: int = Field(default=8026, ge=1, le=65_535)
    directory: Path = Path(".quartet/mail")
    keep_max: int = Field(default=10_000, ge=1, le=KEEP_MAX_MESSAGES)
