"""What an event is: a fact in the past tense, owned by one service, frozen, with a versioned type."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

PersonalData = Annotated[str, Field(repr=False, json_schema_extra={"x-personal-data": True})]
"""A value that says who somebody is. Marked in every schema, absent from every `repr`, so from every log."""

Secret = Annotated[str, Field(repr=False, json_schema_extra={"x-secret": True})]
"""A value that can be misused by whoever reads it. Marked and hidden in the same way."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The name card of an event class.

    `public` events leave their service through its outbox; private ones stay in its log.
    """

    name: str
    version: int
    owner: str
    public: bool
    command: bool = False
    """Somebody outside asks for it: no reaction causes it."""
    final: bool = False
    """Nobody reacts to it, on purpose: it is the end of a path, or a note in the log."""
    closes: "type[Event] | None" = None
    """The event that its owner answers with it, once for each order."""

    @property
    def type(self) -> str:
        """The CloudEvents `type`, such as `order.placed.v1`."""
        return f"{self.name}.v{self.version}"


class Event(BaseModel):
    """Something that happened. Subclass with `name`, `owner`, and where they differ the other fields of `Kind`.

    Unknown fields are dropped on reading, so an owner may add a field without a new version.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    kind: ClassVar[Kind]

    def __init_subclass__(cls, **_: Any) -> None:
        """Take the class arguments, which `__pydantic_init_subclass__` reads once the fields are known."""
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(
        cls, *, name: str = "", owner: str = "", version: int = 1, public: bool = True, **marks: Any
    ) -> None:
        """Register the class under its type.

        Raises:
            ValueError: two classes claim one type.
        """
        if not name:
            return
        cls.kind = Kind(name, version, owner, public, **marks)
        if VOCABULARY.setdefault(cls.kind.type, cls) is not cls:
            raise ValueError(f"two classes claim the event type {cls.kind.type}")


VOCABULARY: dict[str, type[Event]] = {}
"""Every event class that has been imported, by its type."""
