"""What taking a step comes to: from a world and an action to the next world."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from shared.desk import replayed
from tests.simulation.broker import LANES, come_back, routed, taken
from tests.simulation.choices import DEADLY
from tests.simulation.process import Asking, Memory, Question
from tests.simulation.process_steps import Done, ProcessSteps
from tests.simulation.tables import OutboxRow, without
from tests.simulation.world import Action, Command, World


def take(world: World, action: Action, processes: ProcessSteps) -> World | None:
    """Give the world after a step; None where what was to go wrong never came up."""
    if action.kind in OUTSIDE:
        after = OUTSIDE[action.kind](world, action)
    elif action.kind == "handle":
        after = _handle(world, action, is_keyed="provider key" not in processes.removed)
    else:
        subject, lifted = INSIDE[action.kind](world, action)
        service = action.service
        done = processes.do(world.tables[service], world.memories[service], action, subject, world.gone)
        if done is None:
            return take(world, action._replace(fault=None, budget=""), processes) if action.budget == DEADLY else None
        after = absorbed(lifted, action, done)
    return after.spent(action.budget) if action.budget else after


def absorbed(world: World, action: Action, done: Done) -> World:
    """Give the world after what a process did in it."""
    service, commands, answers = action.service, world.commands, world.answers
    if action.kind == "command":
        commands = tuple(_asked_then(commands, action.what, done.heard))
    if done.died:
        answers = _unheard(world, service)
    return world._replace(
        tables={**world.tables, service: done.tables},
        memories={**world.memories, service: done.memory},
        parcels=(*world.parcels, *done.sent, *done.unacked),
        questions=(*world.questions, *done.questions),
        commands=commands,
        answers=answers,
        endless=service if done.is_endless else "",
    )


def _asked_then(commands: Iterable[Command], asked: Command, heard: UUID | None) -> Iterator[Command]:
    """Give what customers ask after one was asked: the same again if there was no answer; else what needed one."""
    for each in commands:
        if each.name == asked.name:
            yield from () if heard else [each.again()]
        elif heard and each.after == asked.name and not each.is_placement and each.order_id != heard:
            yield each.about(heard)
        else:
            yield each


def _unheard(world: World, service: str) -> Mapping[Any, Any]:
    """Leave out the answers to a process that has died."""
    dead = {(service, Asking(claim.intent_id, claim.token)) for claim in world.memories[service].asking}
    return without(world.answers, dead)


def _as_it_is(world: World, action: Action) -> tuple[Any, World]:
    return action.what, world


def _of_command(world: World, action: Action) -> tuple[Any, World]:
    """Take its id, which tells what is asked: the first order of one world wants other goods than that of another."""
    return action.what.event_id, world


def _of_parcels(world: World, action: Action) -> tuple[Any, World]:
    """Take the messages out of their queues."""
    left = world.parcels
    for parcel in action.what if action.kind == "deliver" else (action.what,):
        left = taken(left, parcel)
    return action.what, world._replace(parcels=left)


def _of_answer(world: World, action: Action) -> tuple[Any, World]:
    place = action.service, action.what
    return (action.what, world.answers[place]), world._replace(answers=without(world.answers, {place}))


def _of_silence(world: World, action: Action) -> tuple[Any, World]:
    """Let who asks wait in vain; what they asked may still arrive, and be carried out."""
    place = action.service, action.what
    return action.what, world._replace(answers=without(world.answers, {place}))


INSIDE: Mapping[str, Callable[[World, Action], tuple[Any, World]]] = {
    "command": _of_command,
    "deliver": _of_parcels,
    "drain": _of_parcels,
    "sweep": _as_it_is,
    "tidy": _as_it_is,
    "poll": _as_it_is,
    "answer": _of_answer,
    "silence": _of_silence,
}
"""What a step of a process takes out of the world."""


def _wait(world: World, action: Action) -> World:
    return world._replace(parcels=(*taken(world.parcels, action.what), *come_back(action.what)))


def _handle(world: World, action: Action, *, is_keyed: bool) -> World:
    """Let an outside party see a question. The answer goes back, if anybody still waits for it."""
    question, decision = action.what
    rest = list(world.questions)
    rest.remove(question)
    provider, mails = world.provider, world.mails
    answer: Any = None
    if question.kind == "charge":
        provider, answer = provider.charge(question.order_id, question.money, decision, is_keyed=is_keyed)
    elif question.kind == "undo":
        provider, answer = provider.undo(question.order_id)
    else:
        mails, answer = (*mails, (question.order_id, question.kind)) if decision else mails, decision
    answers = world.answers
    if _is_waited_for(world, question):
        answers = {**answers, (question.service, question.asking): answer}
    return world._replace(questions=tuple(rest), provider=provider, mails=mails, answers=answers)


def _is_waited_for(world: World, question: Question) -> bool:
    return any((c.intent_id, c.token) == question.asking for c in world.asking(question.service))


def _crash(world: World, action: Action) -> World:
    memory = Memory(world.memories[action.service].life + 1)
    memories = {**world.memories, action.service: memory}
    return world._replace(memories=memories, answers=_unheard(world, action.service))


def _turn(world: World, action: Action) -> World:
    """Let the other replica of a service go on."""
    service = action.service
    here, there = world.memories[service], world.others[service]
    return world._replace(memories={**world.memories, service: there}, others={**world.others, service: here})


def _replay(world: World, action: Action) -> World:
    """Let an operator send a letter back to its lane: a fresh message, and the inbox takes its event again.

    Whatever ended processes is mended by then.
    """
    letter, tables = action.what, world.tables[action.service]
    row = tables.inbox.get(letter.event_id)
    buried = {letter.event_id} if row is not None and row.outcome == "dead" else set()
    tables = replace(tables, letters=without(tables.letters, {letter.letter_id}), inbox=without(tables.inbox, buried))
    return world._replace(
        tables={**world.tables, action.service: tables},
        parcels=(*world.parcels, *routed(replayed(action.service, letter))),
        deadly="",
    )


def _release(world: World, action: Action) -> World:
    """Let an operator have a parked intent tried anew."""
    tables = world.tables[action.service]
    row = tables.intents[action.what]
    row = row._replace(parked=False, claim=replace(row.claim, attempts=0, raised=0))
    return world._replace(tables={**world.tables, action.service: tables.with_intent(action.what, row)})


def _lose(world: World, action: Action) -> World:
    """Delete a queue with all that lies in it."""
    kept = tuple(parcel for parcel in world.parcels if parcel.queue != action.what)
    return world._replace(parcels=kept, gone=world.gone | {action.what}, lossy=world.lossy | {action.what})


def _declare(world: World, action: Action) -> World:
    """Let the watch over the topology find that a queue is not there."""
    return world._replace(gone=world.gone - {action.what})


def _refill(world: World, action: Action) -> World:
    """Let an operator have the owner publish again what it has logged for a lane."""
    tables, kind = world.tables[action.service], LANES[action.what].event.kind
    again = {
        entry.logged.event_id: OutboxRow(entry, world.generation + 1)
        for log in tables.logs.values()
        for entry in log
        if entry.logged.type == kind.type
    }
    return world._replace(
        tables={**world.tables, action.service: replace(tables, outbox={**tables.outbox, **again})},
        lossy=world.lossy - {action.what},
        generation=world.generation + 1,
    )


OUTSIDE: Mapping[str, Callable[[World, Action], World]] = {
    "wait": _wait,
    "crash": _crash,
    "turn": _turn,
    "replay": _replay,
    "release": _release,
    "lose": _lose,
    "declare": _declare,
    "refill": _refill,
}
"""The steps that no process takes."""
