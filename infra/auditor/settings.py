"""What the auditor is told from outside, as `QUARTET_…`."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.ports import AUDITOR, HOST


class Settings(BaseSettings):
    """Where it listens, and where the books are."""

    model_config = SettingsConfigDict(env_prefix="QUARTET_", frozen=True)

    http_host: str = HOST
    http_port: int = Field(AUDITOR, ge=1, le=65_535)
    database_url: str
    """`postgresql://…` of the role `auditor`, who reads all schemas and writes nothing."""
    broker_url: str
    """`amqp://…` of the user `observer`."""
    provider_url: str
    logs: Path | None = None
    """The directory of the programs' logs; without it the rules about them are not asked."""
    log_format: Literal["auto", "text", "json"] = "auto"
    log_level: str = "INFO"
