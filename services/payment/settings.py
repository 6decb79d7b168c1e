"""Settings of payment alone."""

from pydantic import Field

from shared.settings import Settings


class PaymentSettings(Settings):
    """Where the provider is, and how long it may be silent."""

    provider_url: str
    charge_attempts_max: int = Field(6, ge=1, le=100)
    """After so many asks without an answer the payment is declined, for the provider's silence."""
