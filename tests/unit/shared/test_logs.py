"""Logs: lines of many reactions at once, and never at the cost of what they tell of."""

import errno
import io
from types import SimpleNamespace
from uuid import UUID

import orjson
import pytest

from shared import logs
from shared.ids import new_id

ORDER = new_id()
LINES = [("order.placed.v1 → stock.reserved", ORDER, new_id()), ("stock.reserved.v1 ignored: so", ORDER, UUID(int=7))]


class Disk(io.BytesIO):
    """What a log is written to; `full` once it is."""

    full = False

    def write(self, data: object) -> int:
        """Take bytes, or say that there is no room."""
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]  # whatever is written


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(logs, "sys", SimpleNamespace(stderr=SimpleNamespace(buffer=disk)))
    monkeypatch.setattr(logs, "_json_lines_of", {"service": "inventory"})
    return disk


def test_a_line_for_each(disk: Disk) -> None:
    """Each line is a JSON object with the message, the service, and the order and the event that it is about."""
    logs.info_all(LINES)
    told = [orjson.loads(line) for line in disk.getvalue().splitlines()]
    assert [(line["message"], line["order_id"], line["event_id"]) for line in told] == [
        (text, str(order_id), str(event_id)) for text, order_id, event_id in LINES
    ]
    assert {(line["service"], line["level"]) for line in told} == {("inventory", "INFO")}


def test_a_full_disk_costs_the_lines_alone(disk: Disk) -> None:
    """The batch that they tell of is committed: the service goes on."""
    disk.full = True
    logs.info_all(LINES)
