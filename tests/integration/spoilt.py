"""Ways to spoil an evening's books, each with the rules that it breaks, and no other."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from tests.integration.evening import Evening

CANCELLED, CONFIRMED = "order.cancelled.v1", "order.confirmed.v1"
CAPTURED, CLOSED, COMMITTED = "payment.captured.v1", "order.stock_book_closed.v1", "stock.committed.v1"
RECORDED, SENT, SUNG = "notification.recorded.v1", "notification.sent.v1", "notification.sung.v1"
PLACED, INTENDED, RELEASED = "order.placed.v1", "payment.charge_intended.v1", "stock.released.v1"


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What is done to the database as the superuser, or to the provider's ledger, and what breaks of it."""

    name: str
    breaks: tuple[str, ...]
    statements: tuple[str, ...] = ()
    """With `{sold}` and its like for ids."""
    forge: Callable[[Evening], None] = lambda evening: None

    def __str__(self) -> str:
        return self.name


def event(service: str, type_: str, change: str, kind: str = "sold") -> str:
    """Change an event of a log."""
    return f"UPDATE {service}_service.events SET {change} WHERE stream_id = '{{{kind}}}' AND type = '{type_}'"  # noqa: S608 - ours


def erased(service: str, type_: str, kind: str = "sold") -> str:
    """Take an event out of a log."""
    return f"DELETE FROM {service}_service.events WHERE stream_id = '{{{kind}}}' AND type = '{type_}'"  # noqa: S608 - ours


def state(table: str, change: str, kind: str = "sold") -> str:
    """Change a state."""
    return f"UPDATE {table} SET {change} WHERE order_id = '{{{kind}}}'"  # noqa: S608 - ours


def cause(service: str, type_: str, change: str, kind: str = "sold") -> str:
    """Change the inbox's row of what caused an event."""
    found = f"SELECT causation_id FROM {service}_service.events WHERE stream_id = '{{{kind}}}' AND type = '{type_}'"  # noqa: S608 - ours
    return f"UPDATE {service}_service.inbox SET {change} WHERE event_id = ({found})"  # noqa: S608 - ours


def stock(change: str) -> str:
    """Change the stock of what was ordered."""
    return f"UPDATE inventory_service.stock SET {change} WHERE sku = 'rosin'"  # noqa: S608 - ours


def noted(note: str) -> str:
    """Add a field to an event."""
    return f"payload = payload || jsonb_build_object('note', '{note}')"


def priced(kind: str, change: str) -> tuple[str, str]:
    """Change what an order costs, in its row and in its log."""
    logged = change.format("(payload #>> '{{total,amount}}')::bigint")
    return (
        state("order_service.orders", f"amount = {change.format('amount')}", kind),
        event("order", PLACED, f"payload = jsonb_set(payload, '{{{{total,amount}}}}', to_jsonb({logged}))", kind),
    )


def received(outcome: str, reason: str) -> str:
    """Put an event into the inbox of a service that does not react to it."""
    return (
        f"INSERT INTO order_service.inbox SELECT event_id, type, now(), '{outcome}', {reason}"  # noqa: S608 - ours
        " FROM inventory_service.events WHERE stream_id = '{sold}' AND type = 'stock.reserved.v1'"
    )


def unsent(parked_at: str) -> str:
    """Leave an event in the outbox."""
    return (
        f"INSERT INTO order_service.outbox (event_id, available_at, parked_at) SELECT event_id, now(), {parked_at}"  # noqa: S608 - ours
        " FROM order_service.events WHERE stream_id = '{sold}' AND type = 'order.placed.v1'"
    )


def intent(parked_at: str, about: str = "{sold}") -> str:
    """Leave an intent that was due an hour ago."""
    columns = "intent_id, stream_id, kind, payload, correlation_id, causation_id, due_at, parked_at"
    values = (
        f"'{uuid4()}', '{about}', 'undo', '{{{{}}}}', '{about}', '{uuid4()}', now() - interval '1 hour', {parked_at}"
    )
    return f"INSERT INTO payment_service.intents ({columns}) VALUES ({values})"  # noqa: S608 - ours


def letter(body: str, reason: str) -> str:
    """Leave a dead letter."""
    return (
        "INSERT INTO order_service.dead_letters"  # noqa: S608 - ours
        " (letter_id, lane, body, error_class, reason, attempts, first_failed_at, last_failed_at)"
        f" VALUES (gen_random_uuid(), 'order.stock.rejected', '{body}', 'Bug', '{reason}', 1, now(), now())"
    )


ADDRESSED = """payload = payload || '{{"email": "eve@example.org"}}'"""
IGNORED = "outcome = 'ignored', reason = 'forged'"
UNKNOWN = "event_id = gen_random_uuid()"


def renamed(evening: Evening) -> None:
    """Call the charge of what was sold something else."""
    for line in evening.lines:
        if (line["key"], line["kind"]) == (evening.orders["sold"], "captured"):
            line["id"] = "forged"


def reopened(evening: Evening) -> None:
    """Forget that the key of what was declined was closed."""
    evening.lines = [
        line for line in evening.lines if (line["key"], line["kind"]) != (evening.orders["declined"], "voided")
    ]


WAYS = (
    Spoilt("a version is missing", ("gapless",), (event("inventory", COMMITTED, "version = 5"),)),
    Spoilt(
        "more is sold than was held",
        ("allowed",),
        (event("inventory", COMMITTED, "payload = jsonb_set(payload, '{{lines,0,quantity}}', '7')"),),
    ),
    Spoilt("what nobody knows", ("allowed", "one-effect"), (event("notification", SENT, f"type = '{SUNG}'"),)),
    Spoilt(
        "an event of another order",
        ("allowed",),
        (event("payment", CAPTURED, f"payload = payload || jsonb_build_object('order_id', '{uuid4()}')"),),
    ),
    Spoilt("another state", ("as-told",), (state("payment_service.payments", "charge_id = 'forged'"),)),
    Spoilt("an effect of nothing", ("one-effect",), (event("order", CLOSED, UNKNOWN),)),
    Spoilt(
        "an event under another order's id",
        ("correlated",),
        (event("payment", CAPTURED, "correlation_id = gen_random_uuid()"),),
    ),
    Spoilt("a confirmation to another address", ("own-address",), (event("order", CONFIRMED, ADDRESSED),)),
    Spoilt("a cancellation to another address", ("own-address",), (event("order", CANCELLED, ADDRESSED, "back"),)),
    Spoilt("a cause that was not received", ("caused",), (cause("payment", CAPTURED, UNKNOWN),)),
    Spoilt("an effect of what was ignored", ("caused",), (cause("payment", CAPTURED, IGNORED),)),
    Spoilt("an advance without effect", ("effective",), (received("advanced", "NULL"),)),
    Spoilt("a dead event without letter", ("dead-kept",), (received("dead", "'forged'"),)),
    Spoilt(
        "a mail that is recorded twice",
        ("allowed", "one-effect", "one-mail"),
        (event("notification", SENT, f"type = '{RECORDED}'"),),
    ),
    Spoilt(
        "a mail that nobody sends",
        ("intended",),
        (
            cause("notification", SENT, IGNORED),
            erased("notification", SENT),
            state("notification_service.correspondence", "confirmed = 'recorded', version = version - 1"),
        ),
    ),
    Spoilt(
        "a state that nobody can read",
        ("as-told", "known"),
        (state("order_service.orders", """lines = '[{{"sku": 1}}]'"""),),
    ),
    Spoilt("a card in an event", ("no-card",), (event("order", PLACED, noted("by 4111 1111 1111 1111")),)),
    Spoilt("a token in another event", ("no-token",), (event("payment", INTENDED, noted("tok_approved")),)),
    Spoilt("a card in a letter", ("no-secret-letter",), (letter("5555555555554444", "forged"),)),
    Spoilt("a card in why it is a letter", ("no-secret-letter",), (letter("[]", "what is 5555555555554444?"),)),
    Spoilt(
        "a card in why an intent failed",
        ("no-card", "not-parked"),
        (intent("now()"), "UPDATE payment_service.intents SET last_error = 'what is 5555555555554444?'"),
    ),
    Spoilt(
        "stock that does not add up",
        ("stock-adds-up",),
        ("ALTER TABLE inventory_service.stock DROP CONSTRAINT stock_check", stock("available = available + 1")),
    ),
    Spoilt(
        "stock that is sold and nowhere", ("stock-held",), ("DELETE FROM inventory_service.stock WHERE sku = 'rosin'",)
    ),
    Spoilt("stock reserved for nobody", ("stock-held",), (stock("available = available - 1, reserved = 1"),)),
    Spoilt(
        "stock that nobody brought", ("stock-received",), (stock("available = available + 1, received = received + 1"),)
    ),
    Spoilt("more is captured than it costs", ("within-amount",), priced("back", "{} - 1")),
    Spoilt("a charge by another name", ("line-by-line",), forge=renamed),
    Spoilt(
        "a key that is still open",
        ("key-closed",),
        (state("payment_service.payments", "undo_id = NULL", "declined"),),
        reopened,
    ),
    Spoilt("less is captured than it costs", ("paid-once",), priced("sold", "{} + 1")),
    Spoilt(
        "money of a cancelled order is kept",
        ("nothing-kept",),
        priced("back", "{} + 1"),
        lambda evening: evening.forge("captured", evening.orders["back"], 1),
    ),
    Spoilt(
        "less is sold than was ordered",
        ("sold-in-full",),
        (
            state("order_service.orders", "lines = jsonb_set(lines, '{{0,quantity}}', '9')"),
            event("order", PLACED, "payload = jsonb_set(payload, '{{lines,0,quantity}}', '9')"),
        ),
    ),
    Spoilt(
        "stock of a cancelled order is held",
        ("as-told", "nothing-held", "stock-held"),
        (
            state(
                "inventory_service.reservations",
                """status = 'held', lines = '[{{"sku": "rosin", "quantity": 1}}]'""",
                "declined",
            ),
        ),
    ),
    Spoilt(
        "a cancellation that inventory never answered",
        ("answered-once", "told"),
        (
            cause("inventory", RELEASED, IGNORED, "short"),
            erased("inventory", RELEASED, "short"),
            state("inventory_service.reservations", "status = 'rejected', version = 1", "short"),
        ),
    ),
    Spoilt("an event that got lost on its way", ("caused", "reacted-to"), (cause("order", CLOSED, UNKNOWN),)),
    Spoilt(
        "a key that is no order's",
        ("known", "line-by-line"),
        forge=lambda evening: evening.forge("voided", str(uuid4()), 0),
    ),
    Spoilt("a key that is no id", ("known",), forge=lambda evening: evening.forge("voided", "gift", 0)),
    Spoilt(
        "an order that does not end",
        ("ends",),
        (
            cause("order", CLOSED, IGNORED),
            erased("order", CLOSED),
            state("order_service.orders", "stock = 'open', settled = false, version = version - 1"),
        ),
    ),
    Spoilt("an intent that nobody carries out", ("asked",), (intent("NULL"),)),
    Spoilt("an intent about nobody's order", ("asked",), (intent("NULL", str(uuid4())),)),
    Spoilt("an intent that is parked", ("not-parked",), (intent("now()"),)),
    Spoilt("an event that stays in the outbox", ("published",), (unsent("NULL"),)),
    Spoilt(
        "an outbox row of nothing",
        ("in-the-log",),
        ("INSERT INTO payment_service.outbox (event_id, available_at) VALUES (gen_random_uuid(), now())",),
    ),
    Spoilt("an event that is parked", ("not-parked",), (unsent("now()"),)),
)
