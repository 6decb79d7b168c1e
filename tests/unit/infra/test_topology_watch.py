"""The watch: it tells once of each thing, declares what is missing, and nothing that a broker answers ends it."""

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from aio_pika.exceptions import AMQPConnectionError, ChannelPreconditionFailed
from loguru import logger

from infra.home import REPOSITORY
from infra.native.probes import NOTE_MAX_AGE_S, noted_lately
from infra.topology import TABLES
from infra.topology.__main__ import main
from infra.topology.drift import Found
from infra.topology.management import ANSWER_MAX_BYTES, Management
from infra.topology.watch import LOOK_INTERVAL_S, LOOK_TIMEOUT_S, Watch
from shared.topology import DELAY_TIERS_MS, Binding, Queue, Topology, topology_of
from tests.unit.infra import brokers
from tests.unit.shared.loop import until

WANTED = topology_of(TABLES)
SOUND = brokers.just_as(WANTED)
LANE = "payment.stock.reserved"
FEEDING = Binding("inventory.events", LANE, "stock.reserved")
OUTAGE = timedelta(minutes=5)
"""That the whole must bear without a loss."""
BROKER_URL = "amqp://topology:secret@nowhere:5672/quartet"


class FakeBroker:
    """Has what `sees` says, or raises it; refuses to declare what is in `refused`."""

    def __init__(self) -> None:
        self.sees: Found | BaseException = SOUND
        self.refused: set[str] = set()
        self.declared: list[str] = []
        self.closed = False

    async def found(self) -> Found:
        if isinstance(self.sees, BaseException):
            raise self.sees
        return self.sees

    async def close(self) -> None:
        self.closed = True

    async def declare(self, topology: Topology) -> None:
        names = [exchange.name for exchange in topology.exchanges] + [queue.name for queue in topology.queues]
        if self.refused & set(names):
            raise ChannelPreconditionFailed("inequivalent arg")
        self.declared += names + [binding.queue for binding in topology.bindings]


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def watch(broker: FakeBroker) -> Watch:
    return Watch(WANTED, broker, broker.declare)


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What is logged as an error."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="ERROR")
    yield lines
    logger.remove(sink)


async def test_a_deleted_queue_is_told_of_and_declared(watch: Watch, broker: FakeBroker, told: list[str]) -> None:
    """In one line, with its two bindings; and how to bring back what it held, since it was last seen empty."""
    assert await watch.look()
    assert (told, broker.declared) == ([], [])
    broker.sees = brokers.without(SOUND, Queue(LANE, {}))
    assert await watch.look()
    assert broker.declared == [LANE] * 3
    (line,) = told
    assert re.match(
        rf"queue {LANE} was missing, .*: quartet refill {LANE} --since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", line
    )


@pytest.mark.parametrize("queue", ["payment.delay.60000ms", "payment.dead", LANE])
async def test_what_it_held_was_logged_long_before(
    watch: Watch, broker: FakeBroker, told: list[str], queue: str
) -> None:
    """A refill goes by when an event was logged: before all its retries, and before an outage kept it in the outbox."""
    await watch.look()
    broker.sees = brokers.without(SOUND, Queue(queue, {}))
    before = datetime.now(UTC)
    await watch.look()
    sinces = [datetime.fromisoformat(since) for since in re.findall(r"--since (\S+Z)", told[0])]
    tried_for = timedelta(milliseconds=sum(DELAY_TIERS_MS))
    assert sinces
    assert all(since <= before - OUTAGE - tried_for for since in sinces)


async def test_how_far_back_is_not_known_at_first(watch: Watch, broker: FakeBroker, told: list[str]) -> None:
    """A queue that was never seen empty may have lost more than anybody saw."""
    broker.sees = brokers.without(SOUND, Queue(LANE, {}))
    await watch.look()
    (line,) = told
    assert line.endswith(f"refill with: quartet refill {LANE} --since …")


async def test_what_stays_as_it_is_is_told_once(watch: Watch, broker: FakeBroker, told: list[str]) -> None:
    """And again when it was well meanwhile."""
    for sees in (brokers.without(SOUND, FEEDING),) * 3 + (SOUND, brokers.without(SOUND, FEEDING)):
        broker.sees = sees
        await watch.look()
    assert len(told) == 2
    assert broker.declared == [LANE] * 4


async def test_one_that_is_refused_keeps_nothing_back(watch: Watch, broker: FakeBroker, told: list[str]) -> None:
    """The rest is declared all the same, and the refusal is told."""
    broker.sees, broker.refused = brokers.without(SOUND, Queue(LANE, {}), Queue("order.dead", {})), {"order.dead"}
    assert await watch.look()
    assert set(broker.declared) == {LANE, "order.dead"}  # the latter as what its exchange is bound to
    assert any("queue order.dead cannot be declared" in line for line in told)


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("no"), ValueError("what?"), TimeoutError(), AMQPConnectionError(), asyncio.CancelledError(),
     KeyError("a bug")],
    ids=repr,
)  # fmt: skip
async def test_no_look_ends_it(watch: Watch, broker: FakeBroker, error: BaseException) -> None:
    """Whatever a broker does, the next look is another one."""
    broker.sees = error
    assert not await watch.look()
    broker.sees = SOUND
    assert await watch.look()


async def test_a_look_that_succeeds_is_noted(watch: Watch, broker: FakeBroker, tmp_path: Path) -> None:
    """So it is seen from outside that somebody watches; at the end the broker is let go."""
    looked = tmp_path / "looked"
    watching = asyncio.create_task(watch.run(looked))
    await until(looked.exists, deadline_s=10)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert float(looked.read_text()) > 1_700_000_000
    assert broker.closed


def management(answer: httpx.Response) -> Management:
    """The management interface of a broker that always answers this."""
    return Management("http://nowhere:1/", BROKER_URL, httpx.MockTransport(lambda _: answer))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503),
        httpx.Response(401, json={"error": "not_authorized"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json={"error": "bad_request"}),
        httpx.Response(200, json=[{"name": "x"}]),
        httpx.Response(200, json=[None]),
        httpx.Response(200, content=b" " * (ANSWER_MAX_BYTES + 1) + b"[]"),
    ],
    ids=lambda answer: f"{answer.status_code} {answer.content[:20]!r}",
)
async def test_strange_answers(answer: httpx.Response) -> None:
    """They are none: nothing is taken for missing because of them."""
    with pytest.raises((httpx.HTTPError, ValueError)):
        await management(answer).found()


async def test_what_is_asked() -> None:
    """Three questions, as the user of the broker's address and about its virtual host."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=[])

    assert await Management("http://nowhere:1", BROKER_URL, httpx.MockTransport(answer)).found() == Found([], [], [])
    assert [request.url.path for request in asked] == [
        f"/api/{what}/quartet" for what in ("exchanges", "queues", "bindings")
    ]
    assert all(request.headers["authorization"] == "Basic dG9wb2xvZ3k6c2VjcmV0" for request in asked)


@pytest.mark.parametrize("arguments", [["--help"], ["--watch", "more"]], ids=str)
def test_arguments_that_it_does_not_know(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and exit code 2."""
    assert main(arguments) == 2
    assert capsys.readouterr().err == "topology: it takes --watch, or nothing\n"


def test_a_setting_that_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that names all of them, and exit code 2."""
    for name in ("BROKER_URL", "MANAGEMENT_URL", "LOOKED"):
        monkeypatch.delenv(f"QUARTET_{name}", raising=False)
    assert main(["--watch"]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert all(f"QUARTET_{name} (" in line for name in ("BROKER_URL", "MANAGEMENT_URL", "LOOKED"))


@pytest.mark.parametrize("note", [None, "", "soon", "1700000000\n"])
async def test_a_note_says_that_somebody_watches(tmp_path: Path, note: str | None) -> None:
    """None, one that is none, or one of long ago, of a watch that hangs, says that nobody does."""
    looked = tmp_path / "looked"
    if note is not None:
        looked.write_text(note)
    assert not await noted_lately(looked)
    looked.write_text(f"{time.time():.0f}\n")
    assert await noted_lately(looked)


def test_both_ways_of_running_it_believe_a_note_for_as_long() -> None:
    """And for longer than the longest look takes."""
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    check = compose["services"]["topology-watch"]["healthcheck"]["test"][-1]
    assert f"EPOCHSECONDS - at < {NOTE_MAX_AGE_S:.0f} " in check
    assert NOTE_MAX_AGE_S > LOOK_TIMEOUT_S + LOOK_INTERVAL_S
