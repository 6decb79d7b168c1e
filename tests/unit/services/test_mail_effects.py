"""What a mail server's answer means, and what a customer is told."""

import aiosmtplib
import pytest

from services.notification.effects import REASONS
from services.notification.events import Mail
from services.notification.mail_server import _is_final, _message
from shared.vocabulary.order import CancelReason
from tests.unit.services.builders import EMAIL, ORDER


def refused(*codes: int) -> aiosmtplib.SMTPRecipientsRefused:
    return aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(code, "no", EMAIL) for code in codes])


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (refused(550), True),
        (refused(553), True),
        (refused(450), False),
        (refused(550, 451), False),
        (aiosmtplib.SMTPNotSupported("SMTPUTF8"), True),
        (aiosmtplib.SMTPResponseException(554, "no"), True),
        (aiosmtplib.SMTPResponseException(421, "busy"), False),
        (ValueError("Address contains characters not permitted"), True),
        (aiosmtplib.SMTPConnectError("refused"), False),
        (aiosmtplib.SMTPServerDisconnected("gone"), False),
        (aiosmtplib.SMTPTimeoutError("silent"), False),
    ],
    ids=repr,
)
def test_final_or_passing(error: aiosmtplib.SMTPException, final: bool) -> None:
    """RFC 5321: an answer 5yz is for good, one of 4yz may pass, and so may every trouble on the way."""
    assert _is_final(error) is final


def test_every_reason_can_be_told() -> None:
    """No cancellation leaves its customer without a reason."""
    assert set(REASONS) == set(CancelReason)


def test_a_mail_is_known_by_its_order_and_kind() -> None:
    """A second delivery has the same Message-ID, a second mail another."""
    first, again = (_message("shop@example.com", EMAIL, ORDER, Mail.CONFIRMED, "text") for _ in range(2))
    other = _message("shop@example.com", EMAIL, ORDER, Mail.CANCELLED, "text")
    assert first["Message-ID"] == again["Message-ID"] == f"<{ORDER}.confirmed@quartet.example>"
    assert first["Message-ID"] != other["Message-ID"]
    assert (first["To"], first["From"]) == (EMAIL, "shop@example.com")
    assert EMAIL not in first["Subject"]
