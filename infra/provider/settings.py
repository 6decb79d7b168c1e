"""What can be set from outside, as `QUARTET_PROVIDER_…`, and the operator's key, which Quartet shares with it."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

HOLD_MAX_MS = 600_000
LATE_MAX_MS = 600_000


class Settings(BaseSettings):
    """Times are milliseconds; the ledger is the path of an SQLite file."""

    model_config = SettingsConfigDict(env_prefix="QUARTET_PROVIDER_", frozen=True, validate_by_name=True)

    operator_key: SecretStr = Field(validation_alias="QUARTET_OPERATOR_KEY")
    """Who sets faults shows it. There is no default: without it anybody could."""
    host: str = "127.0.0.1"
    port: int = Field(default=8090, ge=1, le=65_535)
    ledger: Path = Path(".quartet/provider/ledger.sqlite")
    hold_ms: int = Field(default=30_000, ge=0, le=HOLD_MAX_MS)
    late_ms: int = Field(default=1_500, ge=0, le=LATE_MAX_MS)
