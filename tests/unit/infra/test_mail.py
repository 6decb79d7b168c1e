"""What the sink acknowledged is kept, counted by Message-ID, and shown without harm."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest
from asgi_lifespan import LifespanManager

from infra.mail import schema, smtp, store
from infra.mail.letter import read_letter
from infra.mail.settings import Settings
from infra.mail.web import create_app
from tests.unit.infra.merchant import DEADLINE_S


@dataclass
class Sink:
    """Both sides of the sink: mail goes in, HTTP shows it."""

    smtp_port: int
    http: httpx.AsyncClient

    async def send(self, content: EmailMessage | bytes, to: tuple[str, ...] = ("ann@example.com",)) -> str:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.smtp_port) as client:
            sent = bytes(content) if isinstance(content, EmailMessage) else content
            _, answer = await client.sendmail("shop@example.com", list(to), sent)
            return answer

    async def messages(self, **query: str | int) -> list[dict[str, Any]]:
        response = await self.http.get("/messages", params=query)
        assert response.status_code == 200
        found: list[dict[str, Any]] = response.json()["messages"]
        return found


@asynccontextmanager
async def running(directory: Path, keep_max: int = 100) -> AsyncIterator[Sink]:
    app = create_app(Settings(directory=directory, smtp_port=0, keep_max=keep_max))
    async with (
        LifespanManager(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mail") as http,
    ):
        yield Sink(app.state.smtp_port, http)


@pytest.fixture
async def sink(tmp_path: Path) -> AsyncIterator[Sink]:
    async with running(tmp_path) as sink:
        yield sink


def mail(message_id: str, subject: str = "Confirmed", body: str = "Thank you.") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Quartet <shop@example.com>"
    message["To"] = "ann@example.com"
    message["Message-ID"] = f"<{message_id}@quartet>"
    message["Subject"] = subject
    message.set_content(body)
    return message


async def test_a_message_is_shown_as_it_came(sink: Sink) -> None:
    await sink.send(mail("one", "Bestätigt: größer", "Grüße\nzwei Zeilen"))
    (shown,) = await sink.messages()
    assert shown.pop("received_at") == shown.pop("last_received_at")
    assert shown == {
        "message_id": "<one@quartet>",
        "from": "shop@example.com",
        "to": ["ann@example.com"],
        "subject": "Bestätigt: größer",
        "body": "Grüße\nzwei Zeilen\n",
        "arrivals": 1,
    }


async def test_one_message_id_is_one_message_counted(sink: Sink) -> None:
    """At least once delivered is once kept: the first copy stays, and its arrivals are counted."""
    for _ in range(3):
        await sink.send(mail("one"))
    await sink.send(mail("two"))
    await sink.send(mail("one", subject="Another"))
    newest = await sink.messages()
    assert [(one["message_id"], one["arrivals"]) for one in newest] == [("<two@quartet>", 1), ("<one@quartet>", 4)]
    assert newest[1]["subject"] == "Confirmed"
    assert newest[1]["last_received_at"] > newest[1]["received_at"]


async def test_messages_without_an_id_are_kept_each(sink: Sink) -> None:
    await sink.send(b"Subject: a\r\n\r\n")
    await sink.send(b"Subject: b\r\n\r\n")
    assert [(one["message_id"], one["subject"]) for one in await sink.messages()] == [(None, "b"), (None, "a")]


async def test_messages_are_filtered_and_paged(sink: Sink) -> None:
    for number in range(3):
        await sink.send(mail(f"{number}"), to=("ann@example.com", "Bob@example.com"))
    await sink.send(mail("other"), to=("eve@example.com",))
    assert len(await sink.messages(to="bob@example.com")) == 3
    assert await sink.messages(to="ob@example.com") == []
    assert [one["to"] for one in await sink.messages(message_id="<other@quartet>")] == [["eve@example.com"]]
    first = (await sink.http.get("/messages?limit=3")).json()
    rest = (await sink.http.get(f"/messages?limit=3&before={first['next']}")).json()
    assert [len(first["messages"]), len(rest["messages"]), rest["next"]] == [3, 1, None]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=٣", "before=0", "before=" + "9" * 99])
async def test_a_wrong_query_is_a_problem(sink: Sink, query: str) -> None:
    response = await sink.http.get(f"/messages?{query}")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_page_is_bounded_in_size(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "PAGE_MAX_CHARS", 1500)
    for number in range(3):
        await sink.send(mail(f"{number}", body="x" * 900))
    page = (await sink.http.get("/messages")).json()
    assert len(page["messages"]) == 1
    assert len(await sink.messages(before=page["next"])) == 1


async def test_the_page_escapes_what_came_by_mail(sink: Sink) -> None:
    evil = b"<script>alert('x')</script>"
    await sink.send(b"Message-ID: <i>\r\nSubject: " + evil + b"\r\n\r\n" + evil, to=("a&b@example.com",))
    page = await sink.http.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.count("&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;") == 2
    assert "a&amp;b@example.com" in page.text
    for mark in ("<script", "<i>"):
        assert mark not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_the_empty_page_says_so(sink: Sink) -> None:
    assert "Nothing has arrived yet." in (await sink.http.get("/")).text
    assert (await sink.http.get("/livez")).status_code == 200


async def test_messages_and_counts_survive_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as sink:
        await sink.send(mail("one"))
        before = await sink.messages()
    async with running(tmp_path) as sink:
        assert await sink.messages() == before
        await sink.send(mail("one"))
        assert [one["arrivals"] for one in await sink.messages()] == [2]


def test_a_commit_reaches_the_disk(tmp_path: Path) -> None:
    """WAL with synchronous FULL (2): SQLite then syncs the log before a commit returns."""
    connection = schema.open_store(tmp_path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


async def test_open_sessions_are_told_of_the_end(tmp_path: Path) -> None:
    async with running(tmp_path) as sink:
        reader, writer = await asyncio.open_connection("127.0.0.1", sink.smtp_port)
        assert (await reader.readline()).startswith(b"220 ")
    assert (await asyncio.wait_for(reader.read(), DEADLINE_S)).startswith(b"421 ")
    writer.close()


async def test_the_oldest_is_forgotten(tmp_path: Path) -> None:
    async with running(tmp_path, keep_max=3) as sink:
        for number in range(5):
            await sink.send(mail(f"{number}"))
            await sink.send(mail(f"{number}"))
        assert [one["message_id"][1] for one in await sink.messages()] == ["4", "3", "2"]


async def test_what_cannot_be_stored_is_not_acknowledged(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, say: the sender is told to try again, and the next mail is kept."""

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(schema, "keep", full)
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await sink.send(mail("one"))
        assert refused.value.code == 451
    assert await sink.messages() == []
    assert "Kept" in await sink.send(mail("one"))


async def test_waiting_letters_are_bounded(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WAITING_MAX_LETTERS", 0)
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await sink.send(mail("one"))
    assert refused.value.code == 451


async def test_a_message_is_bounded_in_size(sink: Sink) -> None:
    with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
        await sink.send(mail("one", body="x y\n" * smtp.MESSAGE_MAX_BYTES))
    assert refused.value.code == 552
    assert await sink.messages() == []


async def test_recipients_are_bounded(sink: Sink) -> None:
    await sink.send(mail("one"), to=tuple(f"a{number}@example.com" for number in range(smtp.RECIPIENTS_MAX + 1)))
    (shown,) = await sink.messages()
    assert len(shown["to"]) == smtp.RECIPIENTS_MAX


async def test_sessions_are_bounded(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "SESSIONS_MAX", 1)
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=sink.smtp_port):
        with pytest.raises(aiosmtplib.SMTPConnectError):
            await sink.send(mail("one"))
    assert "Kept" in await sink.send(mail("one"))


@pytest.mark.parametrize(
    ("content", "message_id", "subject", "body"),
    [
        (b"", None, "", ""),
        (b"no headers \xff\xfe\r\n", None, "", "no headers \ufffd\ufffd\n"),
        (b"Subject: =?nope?q?x?=\r\n\r\nb", None, "=?nope?q?x?=", "b"),
        (b"Subject: =?utf-8?b?!!!?=\r\n\r\nb", None, "", "b"),
        (b"Message-ID: \xff<z\r\nContent-Type: text/plain; charset=nope\r\n\r\n\xff", "\ufffd<z", "", "\ufffd"),
        (b"Content-Type: text/html\r\n\r\n<p>b</p>", None, "", "<p>b</p>"),
        (b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n", None, "", ""),
        (b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nYg=", None, "", "b"),
    ],
)
def test_whatever_comes_can_be_read(content: bytes, message_id: str | None, subject: str, body: str) -> None:
    letter = read_letter("shop@example.com", ["\udcff@example.com"], content)
    assert (letter.message_id, letter.subject, letter.body) == (message_id, subject, body)
    assert letter.recipients == ("?@example.com",)


async def test_parts_within_parts_are_refused(sink: Sink) -> None:
    """A message nested beyond reading is refused, and the session goes on."""
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1200))
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await sink.send(deep)
    assert refused.value.code == 554
    assert "Kept" in await sink.send(mail("one"))


@pytest.mark.parametrize("path", ["/", "/messages"])
@pytest.mark.parametrize(("host", "status"), [("evil.example:8026", 421), ("[", 421), ("localhost:8026", 200)])
async def test_mails_are_read_under_its_own_names_alone(sink: Sink, path: str, host: str, status: int) -> None:
    """A page from elsewhere that has its own name point here reads no mail; the probe names nobody."""
    assert (await sink.http.get(path, headers={"host": host})).status_code == status
    assert (await sink.http.get("/livez", headers={"host": ""})).status_code == 200
