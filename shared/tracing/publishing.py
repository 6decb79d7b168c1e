"""Spans of publishing: one for each event of a message, from the first try to the broker's answer."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from shared.ports import Message, NotConfirmedError, Publisher
from shared.retries import LAST_FAILED_AT
from shared.tracing.context import CURRENT, SpanContext, failed_attempt, read
from shared.tracing.spans import Recorder, Span, harmless


class ToldPublisher:
    """A publisher that tells of what it publishes, as `verb`."""

    def __init__(self, publisher: Publisher, recorder: Recorder, verb: str, service: str) -> None:
        self._publisher = publisher
        self._recorder = recorder
        self._verb = verb
        self._service = service

    async def publish(self, messages: Iterable[Message]) -> Sequence[NotConfirmedError | None]:
        """Publish all at once, and tell of each event."""
        messages, began_ns = list(messages), time.time_ns()
        answers = await self._publisher.publish(messages)
        ended_ns = time.time_ns()
        for message, error in zip(messages, answers, strict=True):
            self._tell(message, error, (began_ns, ended_ns))
        return answers

    @harmless
    def _tell(self, message: Message, error: NotConfirmedError | None, times: tuple[int, int]) -> None:
        for event in orjson.loads(message.body):
            parent = read(event.get("traceparent"))
            if parent is not None:
                span = self._span(message, event, parent, times)
                self._recorder.record(span if error is None else span._replace(error=type(error).__name__))

    def _span(self, message: Message, event: Mapping[str, Any], parent: SpanContext, times: tuple[int, int]) -> Span:
        """Make the span of one event. It is nobody's parent: the cause of what follows is the event itself."""
        attributes = {
            "messaging.system": "rabbitmq",
            "messaging.destination.name": message.exchange,
            "messaging.rabbitmq.destination.routing_key": message.routing_key,
            "quartet.event": event["type"],
            "quartet.event_id": event["id"],
            "quartet.order_id": event["correlationid"],
        }
        links: list[SpanContext] = []
        if isinstance(failed_at := message.headers.get(LAST_FAILED_AT), str):
            links.append(failed_attempt(parent, event["id"], self._service, failed_at))
        if (asked := CURRENT.get()) is not None:  # who asked for it, such as an operator's request for a replay
            links.append(asked)
        name = f"{self._verb} {event['type']}"
        return Span(name, "producer", parent.another(), parent, *times, attributes, tuple(links))
