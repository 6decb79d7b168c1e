"""The promises, as a table. Each row names the function that says how a fact breaks it; all of them are pure."""

from infra.audit.facts import Letter, LogPage, Part, Posted, Saga, Shelf
from infra.audit.rules import goods, inside, money, pending, secrecy, together
from infra.audit.rules.rule import Kind, Rule

INSTANT, SETTLED, OVERDUE = Kind.INSTANT, Kind.SETTLED, Kind.OVERDUE

PARTS: tuple[Rule[Part], ...] = (
    Rule("gapless", "the versions of a log run from 1 without a gap, up to its state's", INSTANT, inside.gapless),
    Rule("allowed", "nothing is logged but what a reaction makes of the state before", INSTANT, inside.allowed),
    Rule("as-told", "the state folded from the log is the state that is stored", INSTANT, inside.as_told),
    Rule("one-effect", "an event has one effect, logged in one go", INSTANT, inside.one_effect),
    Rule("correlated", "an event is logged under its order's id, to be found by it", INSTANT, inside.correlated),
    Rule("own-address", "what is told of an order goes to the address it was placed with", INSTANT, inside.own_address),
    Rule("caused", "what is logged follows from an event that the inbox has as done", INSTANT, inside.caused),
    Rule("effective", "of an event that the inbox has as done something is logged", INSTANT, inside.effective),
    Rule("dead-kept", "what the inbox calls dead is kept as a letter", INSTANT, inside.dead_is_kept),
    Rule("intended", "what waits for an answer has the intent that asks for it", INSTANT, inside.intended),
    Rule("one-mail", "at most one notification of a kind for an order", INSTANT, inside.one_notification),
    Rule("no-card", "no card number in events and intents", INSTANT, secrecy.no_card),
    Rule("no-token", "no payment token but in order.placed, and where it waits", INSTANT, secrecy.no_token),
)
"""Of what one schema holds of one order."""

SHELVES: tuple[Rule[Shelf], ...] = (
    Rule("stock-adds-up", "no stock is negative; received = available + reserved + sold", INSTANT, goods.adds_up),
    Rule("stock-held", "as much is reserved and sold as orders have", INSTANT, goods.held_for_orders, whole=True),
    Rule("stock-received", "received is what the receipts add up to", INSTANT, goods.received_as_logged, whole=True),
)
"""Of the stock of one SKU."""

OUTBOXES: tuple[Rule[Posted], ...] = (
    Rule("in-the-log", "what waits in an outbox is in the log", INSTANT, pending.is_in_the_log),
)
"""Of one row of an outbox, of whatever order."""

SAGAS: tuple[Rule[Saga], ...] = (
    Rule("within-amount", "captured ≤ the amount, refunded ≤ captured", INSTANT, money.within_the_amount),
    Rule("line-by-line", "payment and the provider's ledger agree line by line", SETTLED, money.line_by_line),
    Rule("key-closed", "no cancelled order whose key would still be charged", SETTLED, money.closed_for_good),
    Rule("paid-once", "confirmed: one full capture, nothing refunded", SETTLED, money.paid_once),
    Rule("nothing-kept", "cancelled: no money is kept", SETTLED, money.nothing_kept),
    Rule("sold-in-full", "confirmed: every line is sold to the order", SETTLED, together.sold_in_full),
    Rule("nothing-held", "cancelled: no stock is held", SETTLED, together.nothing_held),
    Rule("answered-once", "a cancellation has one closing event of each", SETTLED, together.answered_once),
    Rule("reacted-to", "what was published was reacted to, or is on its way", SETTLED, together.reacted_to),
    Rule("told", "every public event that was acted on is in its owner's log", SETTLED, together.told_by_its_owner),
    Rule("known", "every key at the provider is an order's", SETTLED, money.known),
    Rule("ends", "no order is open for longer than the bound", OVERDUE, pending.ends_in_time),
    Rule("asked", "no intent waits for longer than the bound", OVERDUE, pending.asked_in_time),
    Rule("published", "no event is in an outbox for longer than the bound", OVERDUE, pending.published_in_time),
    Rule("not-parked", "no intent and no outbox row is parked", OVERDUE, pending.nothing_parked),
)
"""Of one order, in all services and at the provider."""

LETTERS: tuple[Rule[Letter], ...] = (
    Rule("no-secret-letter", "no card number and no token in dead letters", INSTANT, secrecy.no_secret_in_letter),
)
"""Of one dead letter, whatever it is about."""

LOG_PAGES: tuple[Rule[LogPage], ...] = (
    Rule("no-card-log", "no card number in the programs' logs", INSTANT, secrecy.no_card_in_log),
)
"""Of some lines of a log."""


def between(saga: Saga) -> list[Rule[Saga]]:
    """Give the rules about an order that can be told now: those between the books wait until they are closed."""
    at_rest = saga.is_at_rest
    return [rule for rule in SAGAS if at_rest or rule.kind is not SETTLED]
