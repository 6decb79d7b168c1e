"""Two replicas, of whom one asks at a time: somebody says who, question by question.

So two transactions are interleaved in ever other ways, and each way can be played again. Who has to wait for a lock of
the other is passed over until the lock is gone.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto
from threading import Condition
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

LOOK_INTERVAL_S = 0.002
RACE_TIMEOUT_S = 30.0
"""Above every timeout of a statement or a lock."""

Choose = Callable[[Sequence[int]], int]
"""Says whose turn it is, of those who could go on."""
KeptWaiting = Callable[[], Collection[int]]
"""Says who waits for a lock that another holds."""


class DeadlockError(Exception):
    """Each waits for a lock of the other."""


class _At(Enum):
    GATE, ASKING, OVER = auto(), auto(), auto()


class Turnstile:
    """Lets replicas through, which are known by their numbers, one question at a time."""

    def __init__(self, choose: Choose, kept_waiting: KeptWaiting = tuple) -> None:
        self._choose = choose
        self._kept_waiting = kept_waiting
        self._changed = Condition()
        self._at: dict[int, _At] = {}
        self._turn: int | None = None
        self._is_open = False

    def run(self, *works: Callable[[], T]) -> list[T]:
        """Do the work of each replica in a thread of its own, and give what each gives.

        Raises:
            DeadlockError: nobody could go on. By then the database has ended it.
        """
        self._at = dict.fromkeys(range(len(works)), _At.ASKING)
        with ThreadPoolExecutor(len(works)) as threads:
            running = [threads.submit(self._until_over, number, work) for number, work in enumerate(works)]
            try:
                is_deadlock = self._let_through()
            finally:
                self._open()
            results = [each.result() for each in running]
        if is_deadlock:
            raise DeadlockError("each waits for a lock that the other holds")
        return results

    def pass_as(self, number: int) -> None:
        """Wait for the turn. Called by whoever is about to ask."""
        with self._changed:
            if self._is_open:
                return
            self._move(number, _At.GATE)
            passed = self._changed.wait_for(lambda: self._turn == number or self._is_open, RACE_TIMEOUT_S)
            assert passed, f"replica {number} never had its turn"
            self._turn = None
            self._move(number, _At.ASKING)

    def _until_over(self, number: int, work: Callable[[], T]) -> T:
        try:
            return work()
        finally:
            self._move(number, _At.OVER)

    def _move(self, number: int, place: _At) -> None:
        with self._changed:
            self._at[number] = place
            self._changed.notify_all()

    def _let_through(self) -> bool:
        """Give turns until all are through; say whether that takes the database to end a deadlock."""
        ends_s = monotonic() + RACE_TIMEOUT_S
        while monotonic() < ends_s:
            self._settle()
            with self._changed:
                ready = [number for number, at in self._at.items() if at is _At.GATE]
                if not ready:
                    return _At.ASKING in self._at.values()
                self._turn = self._choose(ready)
                self._move(self._turn, _At.ASKING)
        raise AssertionError("a race that never ends")

    def _open(self) -> None:
        with self._changed:
            self._is_open = True
            self._changed.notify_all()

    def _settle(self) -> None:
        """Wait until everybody is at the gate, through, or kept waiting by a lock of another."""
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: not self._asking(), LOOK_INTERVAL_S):
                    return
                asking = self._asking()
            kept_waiting = self._kept_waiting()
            with self._changed:
                if asking == self._asking() and asking <= set(kept_waiting):
                    return

    def _asking(self) -> set[int]:
        return {number for number, at in self._at.items() if at is _At.ASKING}
