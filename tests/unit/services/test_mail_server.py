"""The connections to the mail server: kept between mails, and begun anew where the conversation broke off."""

from collections.abc import AsyncIterator

import aiosmtplib
import pytest

from services.notification.events import Mail
from services.notification.mail_server import IDLE_MAX_S, MailServer
from tests.unit.services.builders import EMAIL, ORDER
from tests.unit.services.smtp import Sink


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as sink:
        yield sink


async def send(server: MailServer) -> bool:
    return await server.post(EMAIL, ORDER, Mail.CONFIRMED, "text")


async def test_mails_share_a_connection(sink: Sink) -> None:
    """One mail after the other goes over one connection."""
    server = MailServer(sink.url, "shop@example.com")
    assert [await send(server) for _ in range(5)] == [True] * 5
    assert (sink.mails, sink.connections) == (5, 1)


async def test_a_refusal_for_good(sink: Sink) -> None:
    """What is refused for good is said so, and the next mail is sent."""
    server = MailServer(sink.url, "shop@example.com")
    sink.answer = "550 no such person"
    assert await send(server) is False
    sink.answer = ""
    assert await send(server) is True


@pytest.mark.parametrize("to", ["", "a\r\nb", "\ud800", "_?<", "?u\0f :?\0\\;.faB", "qt?b, .; ,\0_u,"], ids=ascii)
async def test_what_can_be_no_address(sink: Sink, to: str) -> None:
    """However the standard library fails at it, it is refused for good: asking again would not change that."""
    server = MailServer(sink.url, "shop@example.com")
    assert await server.post(to, ORDER, Mail.CONFIRMED, "text") is False
    assert await send(server) is True
    assert sink.mails == 1


async def test_a_refusal_that_may_pass(sink: Sink) -> None:
    """Trouble that may pass is raised, to be asked again; the next mail begins a conversation of its own."""
    server = MailServer(sink.url, "shop@example.com")
    sink.answer = "451 try again"
    with pytest.raises(aiosmtplib.SMTPException):
        await send(server)
    sink.answer = ""
    assert await send(server) is True
    assert sink.connections == 2


async def test_a_server_that_hung_up(sink: Sink) -> None:
    """A connection that the server has closed meanwhile is opened again."""
    server = MailServer(sink.url, "shop@example.com")
    await send(server)
    await sink.hang_up()
    assert await send(server) is True
    assert sink.connections == 2


async def test_a_connection_that_was_idle_for_long(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was not used for long may be gone without a word, and is not relied on."""
    server = MailServer(sink.url, "shop@example.com")
    await send(server)
    monkeypatch.setattr("services.notification.mail_server.IDLE_MAX_S", -IDLE_MAX_S)
    assert await send(server) is True
    assert sink.connections == 2
