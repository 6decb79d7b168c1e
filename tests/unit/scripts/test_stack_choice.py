"""Which way `make up` goes."""

from collections.abc import Callable

import pytest

from infra.failure import StackError
from infra.run import Mode, Run
from scripts.stack_choice import INSTEAD, choose


def answers() -> str:
    return ""


def silent() -> str:
    return "no Docker engine answers"


def never() -> str:
    raise AssertionError("nobody needs to know")


@pytest.mark.parametrize(
    ("mode", "scale", "up", "engine", "expected"),
    [
        ("auto", "", None, answers, Run(Mode.DOCKER, 1)),
        ("auto", "", None, silent, Run(Mode.NATIVE, 1)),
        ("auto", "2", None, silent, Run(Mode.NATIVE, 2)),
        ("docker", "4", None, answers, Run(Mode.DOCKER, 4)),
        ("native", "1", None, never, Run(Mode.NATIVE, 1)),
        ("auto", "", Run(Mode.NATIVE, 2), never, Run(Mode.NATIVE, 2)),
        ("native", "2", Run(Mode.NATIVE, 2), never, Run(Mode.NATIVE, 2)),
        ("docker", "", Run(Mode.DOCKER, 3), never, Run(Mode.DOCKER, 3)),
    ],
)
def test_what_is_chosen(mode: str, scale: str, up: Run | None, engine: Callable[[], str], expected: Run) -> None:
    """What is asked for; else what is up; else Docker where an engine answers. It is always said why."""
    choice = choose(mode, scale, up, engine)
    assert choice.run == expected
    assert choice.why.endswith(".")


@pytest.mark.parametrize(
    ("mode", "scale", "up", "engine", "sentence"),
    [
        ("podman", "", None, never, "MODE is auto, docker or native, not 'podman'"),
        ("auto", "0", None, never, "SCALE is 1 to 4, not '0'"),
        ("auto", "5", None, never, "SCALE is 1 to 4, not '5'"),
        ("auto", "two", None, never, "SCALE is 1 to 4, not 'two'"),
        ("docker", "", None, silent, "MODE=docker needs a Docker engine with Compose, but no Docker engine answers"),
        ("docker", "", Run(Mode.NATIVE, 1), never, "Quartet is up natively, with SCALE=1: `make down` first"),
        ("auto", "1", Run(Mode.DOCKER, 2), never, "Quartet is up in Docker, with SCALE=2: `make down` first"),
    ],
)
def test_what_cannot_be(mode: str, scale: str, up: Run | None, engine: Callable[[], str], sentence: str) -> None:
    """Is one clear line."""
    with pytest.raises(StackError) as refusal:
        choose(mode, scale, up, engine)
    assert str(refusal.value) == sentence


def test_auto_says_why() -> None:
    """So that nobody wonders where the containers are."""
    assert choose("auto", "", None, silent).why == "Natively, because no Docker engine answers."
    assert choose("auto", "", None, answers).why.startswith("In Docker, because an engine answers")


def test_it_can_be_observed_in_docker() -> None:
    """Whoever does not ask for it gets it only where it is so already."""
    observed = Run(Mode.DOCKER, 1, observe=True)
    assert choose("auto", "", None, answers, observe=True).run == observed
    assert choose("auto", "", observed, never, observe=True).run == observed
    assert choose("auto", "", observed, never).run == observed
    assert not choose("auto", "", None, answers).run.observe


@pytest.mark.parametrize(
    ("mode", "up", "engine", "sentence"),
    [
        ("native", None, never, "OBSERVE=1 needs Docker, and Quartet goes natively, as MODE=native says."),
        ("auto", None, silent, "OBSERVE=1 needs Docker, and Quartet goes natively, because no Docker engine answers."),
        ("auto", Run(Mode.DOCKER, 1), never, "Quartet is up in Docker, with SCALE=1: `make down` first"),
        ("auto", Run(Mode.NATIVE, 1), never, "Quartet is up natively, with SCALE=1: `make down` first"),
    ],
)
def test_it_cannot_be_observed(mode: str, up: Run | None, engine: Callable[[], str], sentence: str) -> None:
    """That is one clear line too; it says what helps."""
    with pytest.raises(StackError) as refusal:
        choose(mode, "", up, engine, observe=True)
    assert str(refusal.value) in (sentence, f"{sentence} {INSTEAD}")
