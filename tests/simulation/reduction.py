"""Which steps need not be tried in every order, because nobody could tell the difference.

Source: P. Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, 1996 (persistent sets).
"""

from typing import Any
from uuid import UUID

from tests.simulation.broker import events_of, orders_of
from tests.simulation.choices import BUDGETS, EARLY, SILENCE, STALL, budgets_left, faults_of, steps, struck
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.steps import take
from tests.simulation.world import Action, World

CONSUMES = ("deliver", "handle")
"""Steps that take a message away."""
ONE_ORDERS = {EARLY, SILENCE, STALL}
"""Misfortunes that are those of one order. All others may strike in steps that are about none, or about several."""
assert set(BUDGETS) >= ONE_ORDERS


def enough(world: World, processes: ProcessSteps) -> list[Action]:
    """Give as many of the choices as it takes to see every end, and every broken promise."""
    going, left = steps(world), budgets_left(world)
    harmless = (step for step in going if step.kind in CONSUMES and not any(faults_of(step, left)))
    idle = next((step for step in harmless if _is_idle(world, step, processes)), None)
    return [idle] if idle is not None else _of_one_order(world, struck(world, going, left))


def _is_idle(world: World, step: Action, processes: ProcessSteps) -> bool:
    """Say whether a step does nothing but take its message away.

    Nobody can tell when that is done, so it is done at once: such are the second copies that an inbox drops, once
    nothing can go wrong any more while it does.
    """
    if step.kind == "deliver" and not _is_known(world, step):
        return False
    after = take(world, step, processes)
    return after is not None and after.is_but_for_a_message(world, step.service)


def _is_known(world: World, step: Action) -> bool:
    """Say whether an inbox has all that is delivered: else there is more to it than that its message is gone."""
    inbox = world.tables[step.service].inbox
    return all(event_id in inbox for parcel in step.what for event_id in events_of(parcel.body))


def _of_one_order(world: World, every: list[Action]) -> list[Action]:
    """Once orders do not touch each other any more, leave the others until one can do nothing more.

    They touch each other where they want the same stock, until inventory has decided about each; in a process that
    dies; and in an outbox that is swept.
    """
    if not _are_apart(world):
        return every
    waiting = {
        row.entry.logged.correlation_id
        for service, tables in world.tables.items()
        for event_id, row in tables.outbox.items()
        if event_id not in {posted.event_id for posted in world.confirmed(service)}
    }
    abouts = [(_about(world, action), action) for action in every]
    orders = sorted({about for about, _ in abouts if about is not None} - waiting)
    return [action for about, action in abouts if about == orders[0]] if orders else every


def _are_apart(world: World) -> bool:
    orders = [key for key in world.tables["order"].states if isinstance(key, UUID)]
    strikes_all = any(times for name, times in world.budgets if name not in ONE_ORDERS)
    decided = world.tables["inventory"].states
    return len(orders) > 1 and not strikes_all and not world.commands and all(order in decided for order in orders)


def _about(world: World, action: Action) -> UUID | None:
    """Name the order that an action is about; None where it is about all of them."""
    match action.kind:
        case "deliver":
            (parcel, *_) = action.what
            return orders_of(parcel.body)[0]
        case "wait" | "drain":
            return orders_of(action.what.body)[0]
        case "handle":
            question, _ = action.what
            return UUID(str(question.order_id))
        case "answer" | "silence":
            return _asked_of(world, action.service, action.what.intent_id)
        case "poll":
            return _asked_of(world, action.service, action.what)
    return None


def _asked_of(world: World, service: str, intent_id: Any) -> UUID | None:
    claims = [*world.asking(service), *(row.claim for row in world.tables[service].intents.values())]
    return next((UUID(str(claim.correlation_id)) for claim in claims if claim.intent_id == intent_id), None)
