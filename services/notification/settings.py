"""Settings of notification alone."""

from pydantic import Field

from shared.settings import Settings


class NotificationSettings(Settings):
    """Where mails go, and whom they come from."""

    smtp_url: str = Field(pattern=r"^smtp://[^:/]+:\d+$")
    mail_from: str = "Quartet <orders@quartet.example>"
