"""A message's properties, whatever somebody has written there: what cannot be read is none, and ends no connection.

pamqp raises on a time past the year 9999, on a text that is not UTF-8, on a table nested too deep. aiormq ends the
connection then, with every lane that it carries, and the message comes again at the next one, for ever.
"""

from loguru import logger
from pamqp.commands import Basic
from pamqp.header import ContentHeader

SIZES_BYTES = 12
"""What stands before the properties, and says how long the body is: without it nothing that follows can be read."""

_unmarshal = ContentHeader.unmarshal


def read_whatever_they_are() -> None:
    """Have every connection of this process read them so."""
    ContentHeader.unmarshal = _read  # type: ignore[assignment, method-assign]  # pamqp has no other way


def _read(header: ContentHeader, data: bytes) -> None:
    try:
        _unmarshal(header, data)
    except Exception as error:
        if len(data) < SIZES_BYTES:
            raise
        logger.warning("the properties of a message cannot be read: {}: {}", type(error).__name__, error)
        header.properties = Basic.Properties()
