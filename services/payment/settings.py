"""Settings of payment alone."""

from pydantic import Field

from shared.settings import Settings


class PaymentSettings(Settings):
    """Where the provider is, and how long it may be silent."""

    provider_url: str
    charge_attempts_max: int = Field(6, ge=1, le=100)
    """After so many asks without an answer the payment is declined, for the provider's silence."""
    charge_patience_s: float = Field(45.0, gt=0, le=86_400)
    """And after so long, however often it was asked: below the order's deadline, so that the reason is the true one."""
    undo_alarm_after_s: float = Field(300.0, gt=0, le=86_400)
    """An undo that is older is an error in the log; it is asked for all the same, for ever."""
    undo_alarm_interval_s: float = Field(60.0, gt=0, le=86_400)
    """Between two such lines of one process, however many undos wait."""
