"""Settings of order alone."""

from pydantic import Field

from shared.settings import Settings


class OrderSettings(Settings):
    """How long an order may wait for its verdict, and a caller for its end."""

    order_deadline_s: float = Field(60.0, gt=0, le=86_400)
    wait_max_s: float = Field(30.0, gt=0, le=300)
    wait_poll_s: float = Field(0.25, gt=0, le=10)
    """How often one look is taken for all callers that wait: what another replica commits is seen by then."""
    catalogue_max_age_s: float = Field(5.0, ge=0, le=3600)
    """A price may be that old when an order is placed."""
    key_max_age_s: float = Field(5.0, ge=0, le=300)
    """So long a customer's key is known without a look: a revoked one opens nothing any more after that."""
