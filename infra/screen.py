"""What whoever brings the stack up or down tells a person meanwhile."""

from collections.abc import Mapping
from typing import Protocol

from infra.standing import Phase, State


class Screen(Protocol):
    """Shows a person how it goes."""

    def say(self, text: str) -> None:
        """Show what is being done."""

    def murmur(self, text: str) -> None:
        """Show that it goes on; called many times a second, and most of it may be left out."""

    def show(self, phase: Phase, states: Mapping[str, State]) -> None:
        """Show how the programs stand, by their names; called several times a second."""
