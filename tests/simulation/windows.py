"""Rare moments that a campaign has to have met: one that never does proves nothing about them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from uuid import UUID

from services.order.events import Deadline
from services.order.state import Order, Status
from services.payment.events import ChargeResult
from services.payment.state import Declined
from shared.vocabulary.payment import DeclineReason
from tests.simulation.instants import Effect, Fault, Instant
from tests.simulation.world import Action, World

Seen = Callable[[World, Action, World], bool]
"""Tells whether a step was such a moment."""


def _order(world: World, order_id: UUID) -> Order | None:
    order: Order | None = world.tables["order"].states.get(order_id, (None, 0))[0]
    return order


def _is(world: World, order_id: UUID, status: Status) -> bool:
    order = _order(world, order_id)
    return order is not None and order.status is status


def _delivered(action: Action, queue: str) -> Iterator[UUID]:
    """Name the orders of the messages that come from a lane."""
    for parcel in action.what if action.kind == "deliver" else ():
        if parcel.queue == queue:
            yield _of(parcel.body)


def _of(body: bytes) -> UUID:
    return UUID(body.partition(b'"subject":"')[2][:36].decode())


def _captured(world: World, after: World) -> Iterator[UUID]:
    """Name the orders whose money was taken in this step."""
    if after.provider is world.provider:
        return
    for key, account in after.provider.accounts.items():
        took = account.charge is not None and account.charge[0] is ChargeResult.CAPTURED
        if took and world.provider.account(key).charge is None:
            yield key


def _late_capture(before: World, action: Action, after: World) -> bool:
    return any(_is(before, key, Status.CANCELLED) for key in _captured(before, after))


def _capture_after_silence(before: World, action: Action, after: World) -> bool:
    states = before.tables["payment"].states
    return any(
        isinstance(state := states.get(key, (None, 0))[0], Declined) and state.reason is DeclineReason.PROVIDER_SILENT
        for key in _captured(before, after)
    )


def _refused(before: World, action: Action, after: World) -> bool:
    return action.kind == "handle" and action.what[0].kind == "charge" and _closed(before, action.what[0].order_id)


def _closed(world: World, order_id: UUID) -> bool:
    account = world.provider.account(order_id)
    return account.undo is not None and account.charge is None


def _release_first(before: World, action: Action, after: World) -> bool:
    states = before.tables["inventory"].states
    return any(order_id not in states for order_id in _delivered(action, "inventory.order.cancelled"))


def _stock_first(before: World, action: Action, after: World) -> bool:
    states = before.tables["payment"].states
    return any(order_id not in states for order_id in _delivered(action, "payment.stock.reserved"))


def _cancelled_first(before: World, action: Action, after: World) -> bool:
    return any(_is(before, each, Status.CANCELLED) for each in _delivered(action, "order.stock.committed"))


def _captured_too_late(before: World, action: Action, after: World) -> bool:
    return any(_is(before, each, Status.CANCELLED) for each in _delivered(action, "order.payment.captured"))


def _deadline_against_capture(before: World, action: Action, after: World) -> bool:
    if action.kind != "poll":
        return False
    kinds = {row.claim.intent_id: kind for (_, kind), row in before.tables["order"].intents.items()}
    is_deadline = kinds.get(action.what) == Deadline.kind
    return is_deadline and any(parcel.queue == "order.payment.captured" for parcel in before.parcels)


def _cancels_confirmed(before: World, action: Action, after: World) -> bool:
    order_id = action.what.order_id if action.kind == "command" else None
    return order_id is not None and _is(before, order_id, Status.CONFIRMED) and _is(after, order_id, Status.CANCELLED)


def _two_ask(before: World, action: Action, after: World) -> bool:
    asking = after.memories[action.service].asking
    return len({claim.intent_id for claim in asking}) < len(asking)


def _two_replicas_ask(before: World, action: Action, after: World) -> bool:
    asking, other = after.memories[action.service].asking, after.others[action.service].asking
    return not {claim.intent_id for claim in asking}.isdisjoint(claim.intent_id for claim in other)


def _dies_confirmed(before: World, action: Action, after: World) -> bool:
    old, new = before.memories[action.service], after.memories[action.service]
    return action.kind != "turn" and old.life != new.life and bool(old.confirmed - new.confirmed)


def _sold_out(before: World, action: Action, after: World) -> bool:
    old, new = before.tables["inventory"].logs, after.tables["inventory"].logs
    return new is not old and any(
        entry.logged.type == "stock.rejected.v1"
        for stream, log in new.items()
        for entry in log[len(old.get(stream, ())) :]
    )


def _with(at: Instant, effect: Effect) -> Seen:
    fault = Fault(at, effect)
    return lambda before, action, after: action.fault == fault


def _kind(kind: str, budget: str = "") -> Seen:
    return lambda before, action, after: action.kind == kind and action.budget == budget


WINDOWS: Mapping[str, Seen] = {
    "the money is taken after the order was cancelled": _late_capture,
    "the money is taken after the silence was given up on": _capture_after_silence,
    "a charge comes when its key is closed": _refused,
    "the release comes before the reservation": _release_first,
    "the stock is known before the order is": _stock_first,
    "stock is committed for an order that was cancelled": _cancelled_first,
    "a capture is told to an order that was cancelled": _captured_too_late,
    "the deadline passes while the capture is on its way": _deadline_against_capture,
    "a confirmed order is cancelled": _cancels_confirmed,
    "two workers ask for one intent": _two_ask,
    "two replicas ask for one intent": _two_replicas_ask,
    "there is not enough": _sold_out,
    "a process dies between confirm and delete": _dies_confirmed,
    "a process dies between commit and publish": _with(Instant.PUBLISH, Effect.HANG),
    "a process dies between commit and ack": _with(Instant.COMMITTED, Effect.CRASH),
    "a process dies between publish and confirm": _with(Instant.PUBLISHED, Effect.CRASH),
    "a process dies before the copy that waits is confirmed": _with(Instant.IS_SET_BACK, Effect.CRASH),
    "the answer of a commit is lost": _with(Instant.COMMITTED, Effect.FAIL),
    "an ack is lost": _with(Instant.ACK, Effect.FAIL),
    "a confirm is lost": _with(Instant.PUBLISHED, Effect.FAIL),
    "the provider is silent": _kind("silence", "silence"),
    "a dead letter is replayed": _kind("replay"),
    "a dead letter is replayed at once": _kind("replay", "early replay"),
    "what was parked is released": _kind("release"),
    "part of a publish is confirmed": _with(Instant.PUBLISH, Effect.PART),
    "a customer asks again for what was placed": _with(Instant.ANSWER, Effect.FAIL),
    "a queue is lost, and refilled": _kind("refill"),
}


class Watch:
    """Counts the moments that were met, of those that are looked for."""

    def __init__(self, windows: Collection[str] = tuple(WINDOWS)) -> None:
        self._windows = [(name, WINDOWS[name]) for name in windows]
        self.met: Counter[str] = Counter()

    def __call__(self, before: World, action: Action, after: World) -> None:
        """Look at a step."""
        for name, seen in self._windows:
            if seen(before, action, after):
                self.met[name] += 1

    @property
    def missed(self) -> list[str]:
        """Name what was never met."""
        return [name for name, _ in self._windows if not self.met[name]]
