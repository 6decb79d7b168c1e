"""What the dashboard is told from outside, as `QUARTET_…`."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DashboardSettings(BaseSettings):
    """Where the others listen, and what opens them."""

    model_config = SettingsConfigDict(env_prefix="QUARTET_", env_file=".env", extra="ignore", frozen=True)

    database_url: str
    """`postgresql://…` of the dashboard's own role."""
    http_host: str = "127.0.0.1"
    http_port: int = Field(8000, ge=1, le=65535)
    http_names: tuple[str, ...] = ("127.0.0.1", "localhost")
    """By these names browsers may come, and by no other: a foreign name that leads here is somebody's trick."""
    operator_key: SecretStr = Field(min_length=1)
    """For reading what the services tell. What changes something is asked for with the key that a person enters."""

    order_url: str
    inventory_url: str
    payment_url: str
    notification_url: str
    provider_url: str | None = None
    """Without it no faults can be set."""
    broker_url: str | None = None
    """`amqp://…` of the dashboard's own user, who hears news, looks at queues, and can do nothing else. Without it the
    feeds are looked at more often."""
    management_url: str | None = None
    """`http://HOST:PORT` of the broker's management interface; without it no depth of a queue is known."""
    customer_key: SecretStr | None = None
    """Of a customer in development; without it no order can be placed here."""
    auditor_url: str | None = None
    """Without it no audit can be run."""

    stuck_after_s: float = Field(5.0, gt=0)
    """So long something may be awaited before an order counts as stuck."""
    inbox_retention_s: float = Field(14 * 86_400.0, ge=86_400.0)
    """The services': what is older no inbox knows any more, and then nobody can say that it was ignored."""
    log_format: Literal["auto", "text", "json"] = "auto"
    log_level: str = "INFO"

    @property
    def service_urls(self) -> dict[str, str]:
        """Where each service listens."""
        return {
            "order": self.order_url,
            "inventory": self.inventory_url,
            "payment": self.payment_url,
            "notification": self.notification_url,
        }
