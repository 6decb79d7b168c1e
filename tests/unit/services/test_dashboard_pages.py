"""The dashboard's pages and doors, without a database: what is escaped, what is refused, how things are said."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.dashboard.app import create_app
from services.dashboard.dance import dance
from services.dashboard.documents import trace_id
from services.dashboard.forms import Form
from services.dashboard.lanes import sequence
from services.dashboard.log import Happened
from services.dashboard.picture import id_range
from services.dashboard.rendering import PAGES, render
from services.dashboard.settings import DashboardSettings
from services.dashboard.story import tell
from services.dashboard.words import milliseconds, moment, number, seconds, short
from shared.http.problems import ProblemError

ID = UUID("0190d1a5-0000-7000-8000-000000000001")
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVIL = "<img src=x onerror=alert(1)>'\""
HOST = "127.0.0.1:8000"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    urls = {f"{name}_url": "http://nowhere.invalid" for name in ("order", "inventory", "payment", "notification")}
    nowhere = "postgresql://nobody:nothing@127.0.0.1:1/nowhere"
    return create_app(DashboardSettings(database_url=nowhere, operator_key="key", **urls))  # type: ignore[arg-type]  # pydantic reads it


@pytest_asyncio.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        yield client


@pytest.mark.parametrize("path", ["/try/order", "/try/faults", "/consistency", "/dead-letters/payment/act"])
@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:8001", f"https://{HOST}"])
async def test_what_comes_from_elsewhere_is_refused(http: httpx.AsyncClient, path: str, origin: str | None) -> None:
    """A page of others, open in the same browser, has nothing done here."""
    answer = await http.post(path, data={"act": "drop"}, headers={"origin": origin} if origin else {})
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[", ""])
async def test_a_foreign_name_is_refused(http: httpx.AsyncClient, host: str) -> None:
    """A name that somebody has pointed at this machine opens nothing (DNS rebinding)."""
    assert (await http.get("/static/live.js", headers={"host": host})).status_code == 421
    assert (await http.get("/livez", headers={"host": host})).status_code == 200


async def test_browsers_are_told_to_allow_nothing(http: httpx.AsyncClient) -> None:
    """No script and no style but our own files; nobody frames a page; nothing is kept."""
    answer = await http.get("/static/live.js")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (answer.headers["x-content-type-options"], answer.headers["referrer-policy"]) == ("nosniff", "same-origin")


async def test_a_problem_is_a_page_for_browsers_and_a_document_for_programs(http: httpx.AsyncClient) -> None:
    """What does not exist, and a database that is away."""
    page = await http.get("/nowhere", headers={"accept": "text/html"})
    assert (page.status_code, "text/html" in page.headers["content-type"]) == (404, True)
    assert "Not Found" in page.text
    document = await http.get("/api/orders/seven")
    assert (document.status_code, document.headers["content-type"]) == (422, "application/problem+json")
    away = await http.get("/orders", headers={"accept": "text/html"})
    assert (away.status_code, "Service Unavailable" in away.text) == (503, True)
    assert (await http.get("/readyz")).status_code == 503


def test_whatever_others_wrote_is_escaped() -> None:
    """In every place where their words stand."""
    row = {"order_id": ID, "state": "running", "status": "running", "customer_id": EVIL, "placed_at": AT, "events": 1,
           "last_event": EVIL, "reason": EVIL, "waiting_for": f"payment.{EVIL}", "waits_s": 3.0}  # fmt: skip
    counts = dict.fromkeys(("running", "completed", "compensating", "compensated", "stuck"), 0)
    pages = [
        render("orders.html", page="orders", orders=[row], next=None, behind=[], state="", q=EVIL, before=None,
               counts=counts, states=tuple(counts)),
        render("problem.html", page="", behind=[], problem={"title": EVIL, "detail": EVIL}),
        render("order.html", page="orders", behind=[], **_evil_order()),
    ]  # fmt: skip
    for page in pages:
        text = bytes(page.body).decode()
        assert "<img" not in text
        assert EVIL not in text
        assert "&lt;img" in text


def _evil_order() -> dict[str, Any]:
    event = {
        "event_id": ID, "name": EVIL, "type": EVIL, "service": "payment", "version": 1, "public": True, "at": AT,
        "since_ms": 0.0, "attempts": 2,
        "after_ms": None, "cause": None, "cause_name": None, "causation_id": ID, "by": [EVIL],
        "answered": None, "intends": [f"payment.{EVIL}"], "traceparent": EVIL, "data": {EVIL: EVIL},
    }  # fmt: skip
    wait = {
        "kind": "intent", "name": f"payment.{EVIL}", "service": "payment", "event": EVIL, "event_id": ID,
        "decides": False, "since": AT, "waits_s": 3.0, "overdue_since": AT, "why": EVIL,
        "intent": {"due_at": AT.isoformat(), "attempts": 1, "parked_at": None, "last_error": EVIL},
    }  # fmt: skip
    order = {
        "order_id": ID, "state": "stuck", "status": "running", "reason": EVIL, "settled": False, "customer_id": EVIL,
        "placed_at": AT, "took_ms": 1.0, "events": 1, "trace_id": EVIL, "log": [event], "next": [wait],
        "silent": [{"service": "payment", "silent_since": AT, "why": EVIL}],
    }  # fmt: skip
    return {"order": order, "diagram": sequence(order, ("order", "inventory", "payment", "notification"))}


def test_an_attempt_that_was_not_the_first_is_said() -> None:
    """In the list, and in a box of the diagram, whose name is cut for it where it is long."""
    context = _evil_order()
    context["order"]["log"][0]["name"] = "payment.captured_and_told_to_everybody"
    for attempts, said in ((1, False), (3, True)):
        context["order"]["log"][0]["attempts"] = attempts
        diagram = sequence(context["order"], ("order", "inventory", "payment", "notification"))
        page = bytes(
            render("order.html", page="orders", behind=[], order=context["order"], diagram=diagram).body
        ).decode()
        assert ("attempt 3" in page) is said
        (box, *_) = diagram["boxes"]
        assert box["label"].endswith("… ↻3" if said else "…")
        assert len(box["label"]) == len(box["label"].rstrip()) <= 25


def test_every_page_that_is_named_is_there(app: FastAPI) -> None:
    """What the top of a page leads to."""
    paths = {getattr(route, "path", "") for route in _routes(app)}
    assert {path for _, path, _ in PAGES} <= paths


def _routes(app: FastAPI) -> list[object]:
    found: list[object] = []
    ahead: list[object] = list(app.routes)
    while ahead:
        route = ahead.pop()
        found.append(route)
        ahead += list(getattr(getattr(route, "original_router", None), "routes", ()))
    return found


async def test_what_is_no_form_is_refused(http: httpx.AsyncClient) -> None:
    """Nor one with more fields than any page sends."""
    ours = {"origin": f"http://{HOST}"}
    assert (await http.post("/try/order", json={}, headers=ours)).status_code == 415
    many = "&".join(f"letter={ID}" for _ in range(400))
    headers = ours | {"content-type": "application/x-www-form-urlencoded"}
    assert (await http.post("/dead-letters/payment/act", content=many, headers=headers)).status_code == 400
    for fields in ("act=burn", "act=replay", "act=replay&letter=seven", f"act=drop&letter={ID}"):
        answer = await http.post("/dead-letters/payment/act", content=fields, headers=headers)
        assert answer.status_code == 422, fields
    assert (await http.post("/dead-letters/nobody/act", content="act=drop", headers=headers)).status_code == 422
    assert Form([("a", " 1 "), ("a", "2")]).all("a") == ["1", "2"]
    assert issubclass(ProblemError, Exception)


@pytest.mark.parametrize(
    ("length_ms", "said"),
    [(None, ""), (0.4, "0 ms"), (12, "12 ms"), (3_400, "3,400 ms"), (310_000, "5 min 10 s"), (-8, "-8 ms")],
)
def test_lengths_of_time_are_said_as_exactly_as_is_of_use(length_ms: float | None, said: str) -> None:
    """Milliseconds where they matter."""
    assert milliseconds(length_ms) == said


def test_ages_times_and_counts() -> None:
    """As people say them."""
    lengths = {4: "4 s", 60: "1 min", 310: "5 min 10 s", 7_500: "2 h 5 min", 3_600: "1 h", 273_600: "3 d 4 h"}
    assert [seconds(length) for length in lengths] == list(lengths.values())
    now = datetime.now(UTC)
    assert moment(now) == f"{now:%H:%M:%S}.{now.microsecond // 1000:03}"
    assert moment(AT) == "01-02 03:04:05"
    assert moment(now - timedelta(days=2)).startswith(f"{now - timedelta(days=2):%m-%d}")
    assert (number(None), number(12_345), short(ID)) == ("–", "12,345", "0190d1a5…000001")


def test_what_is_a_part_of_an_id_and_what_is_a_customer() -> None:
    """Eight digits at least; a whole id has one order at the most."""
    assert id_range(str(ID)) == (ID, ID)
    least, greatest = id_range("0190d1a5-00") or (None, None)
    assert least is not None
    assert greatest is not None
    assert least < ID < greatest
    assert [id_range(text) for text in ("", "ann", "0190d1a", "0190d1a5x", f"{ID}0")] == [None] * 5


def test_a_trace_is_found_past_what_is_none() -> None:
    """A message may say anything of its trace: the page is there all the same, with the first that makes sense."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    said = [None, "", "nonsense", "00-short-b7ad6b7169203331-01", f"00-{trace}-b7ad6b7169203331-01"]
    log = [
        Happened(uuid4(), ID, "order", "order.placed", "order.placed.v1", number, uuid4(), AT, traceparent=each)
        for number, each in enumerate(said, 1)
    ]
    assert trace_id(tell(dance(), log)) == trace
    assert trace_id(tell(dance(), log[:-1])) is None
