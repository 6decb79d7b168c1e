"""Letting go of something whose other side may be frozen, or gone."""

import asyncio
from collections.abc import Awaitable, Callable

from aio_pika.exceptions import AMQPError, ChannelInvalidStateError
from loguru import logger


async def within(timeout_s: float, close: Callable[[], Awaitable[object]]) -> None:
    """Close, and wait for no goodbye beyond `timeout_s` seconds."""
    try:
        async with asyncio.timeout(timeout_s):
            await close()
    except (AMQPError, ChannelInvalidStateError, ExceptionGroup, OSError, TimeoutError) as error:
        logger.info("closed without a goodbye: {}", type(error).__name__)
