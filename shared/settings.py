"""Settings: environment variables `QUARTET_…`, or the same names in a file `.env`. Passwords have no default."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.envelope import MESSAGE_MAX_EVENTS

_SOURCE = SettingsConfigDict(env_prefix="QUARTET_", env_file=".env", extra="ignore", frozen=True, validate_by_name=True)


class MigrationSettings(BaseSettings):
    """What a migration needs: the URL of the migration role."""

    model_config = _SOURCE

    database_url: str


class Settings(BaseSettings):
    """What every service needs."""

    model_config = _SOURCE

    database_url: str
    """`postgresql://…` of the service's own role."""
    broker_url: str
    """`amqp://…` of the service's own user."""
    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=1, le=65535)
    http_replica_port: int | None = Field(None, ge=1, le=65535)
    """A port of this replica alone. With it, other replicas may listen on `http_port` too (Linux, SO_REUSEPORT)."""
    operator_key: SecretStr = Field(min_length=1)
    environment: Literal["development", "production"] = "production"
    """Only in development are the keys taken that `make up` draws for its customers."""
    log_format: Literal["auto", "text", "json"] = "auto"
    """`auto`: text in a terminal, JSON lines elsewhere."""
    log_level: str = "INFO"
    otlp_endpoint: str = Field("", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Where traces are handed over, by OTLP over HTTP: `http://127.0.0.1:4318`. Nothing is recorded without it."""

    batch_max_events: int = Field(500, ge=1, le=10_000)
    pack_max_events: int = Field(100, ge=1, le=MESSAGE_MAX_EVENTS)
    """Of one message; no more than a batch takes, because a message goes into one batch whole."""
    prefetch_max_messages: int = Field(20, ge=1, le=1_000)
    """Of each lane."""
    drain_timeout_s: float = Field(8.0, gt=0, le=60)
    """So long a service finishes what it has begun when it is told to stop."""
    inbox_retention_s: float = Field(14 * 86_400.0, ge=86_400.0)
    """Longer than any redelivery or replay may come late."""

    @model_validator(mode="after")
    def _a_message_fits_a_batch(self) -> Self:
        if self.pack_max_events > self.batch_max_events:
            raise ValueError("pack_max_events is more than batch_max_events")
        return self
