"""What a mail server's answer means, and what a customer is told."""

from uuid import UUID

import aiosmtplib
import pytest

from services.notification.effects import REASONS, performers_over
from services.notification.events import Mail, MailAccepted, MailRefused, SendCancelled, SendConfirmed
from services.notification.mail_server import _is_final, _message
from shared.ids import new_id
from shared.outcome import Intent
from shared.ports import Claim
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


@pytest.mark.parametrize("accepted", [True, False], ids=["accepted", "refused"])
@pytest.mark.parametrize(
    ("intent", "mail", "says"),
    [
        (SendConfirmed(order_id=ORDER, email=EMAIL), Mail.CONFIRMED, "is confirmed"),
        (
            SendCancelled(order_id=ORDER, email=EMAIL, reason=CancelReason.OUT_OF_STOCK),
            Mail.CANCELLED,
            REASONS[CancelReason.OUT_OF_STOCK],
        ),
    ],
    ids=["confirmed", "cancelled"],
)
async def test_a_mail_is_handed_over_and_the_answer_is_the_mail_servers(
    intent: Intent, mail: Mail, says: str, accepted: bool
) -> None:
    """Nothing is told as sent, or as refused, that was not handed over."""
    handed: list[tuple[str, UUID, Mail]] = []

    async def post(to: str, order_id: UUID, mail: Mail, text: str) -> bool:
        assert says in text
        handed.append((to, order_id, mail))
        return accepted

    reply = await performers_over(post)[type(intent)](Claim(new_id(), intent, ORDER, ORDER, None, 1, 1))
    assert handed == [(EMAIL, ORDER, mail)]
    assert reply.event == (MailAccepted if accepted else MailRefused)(order_id=ORDER, mail=mail)
