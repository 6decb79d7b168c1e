"""What is typed, and with which code `quartet simulate` exits."""

import shlex
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from tests.simulation import shown
from tests.simulation.__main__ import app
from tests.simulation.shown import BROKEN, HELD, USAGE
from tests.simulation.spread import Tally

CALM = ("--budget", "crash=0", "--budget", "duplicate=0")


def _typed(*words: str) -> Result:
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize(
    "words",
    [
        ("--replay", "-5"),
        ("--replay", "1", "--path", "0.1"),
        ("--replay", "1", "--schedules", "9"),
        ("--world", "one", "--seed", "2"),
        ("--budget", "crash=1"),
        ("--in", "one", "--world", "one"),
        ("--traces", "--world", "one"),
        ("--world", "one", "--without", "sorted locks"),
        ("--without", "feed horizon"),
        ("--world", "last", "--without", "nonsense"),
        ("--world", "last", "--without", "lease fencing"),
        ("--world", "read", "--without", "sorted locks"),
        ("--world", "last", "--budget", "silence=1"),
        ("--world", "last", "--budget", "crash=3"),
        ("--world", "last", "--budget", "crash=²"),
        ("--world", "last", "--budget", "crash=1", "--budget", "crash=0"),
        ("--world", "last", "--path", "²"),
        ("--world", "one", "--path", "²"),
        ("--world", "one", "--path", "0..1"),
        ("--world", "last", "--path", "0.9"),
        ("--world", "last", "--path", ""),
        ("--world", "last", "--path", "9" * 5_000),
        ("--world", "one", "--budget", f"crash={'9' * 5_000}"),
        ("--in", "last"),
    ],
    ids=lambda words: " ".join(words)[:80],
)
def test_what_would_not_be_heeded_is_refused(words: tuple[str, ...]) -> None:
    """Nothing that is typed is left aside in silence."""
    assert _typed(*words).exit_code == USAGE


@pytest.mark.parametrize(
    ("world", "without", "else_"), [("late", "mandatory publish", HELD), ("released", "row locks", USAGE)]
)
def test_a_path_shows_what_breaks(world: str, without: str, else_: int) -> None:
    """The command that a counterexample is printed with tells it again, safeguard and all, and exits as it did."""
    found = _typed("--world", world, "--without", without)
    assert found.exit_code == BROKEN
    again = next(line for line in found.output.splitlines() if "--path" in line).partition("quartet simulate ")[2]
    words = shlex.split(again)
    assert words[-2:] == ["--without", without]
    told = _typed(*words)
    assert told.exit_code == BROKEN
    assert told.output.strip() == found.output.partition(f"{again}\n")[2].strip()
    assert _typed(*words[:-2]).exit_code == else_


def test_where_transactions_overlap_no_promise_breaks() -> None:
    """What is looked at is summed up, and with which exit code it ends."""
    told = _typed("--world", "opposite", "--budget", "crash=1")
    assert told.exit_code == HELD
    assert "No promise breaks." in told.output


def test_what_a_campaign_found_it_has_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A break that is not there when its schedule is played alone is none the less one, and no good sign."""
    found: Callable[..., Tally] = lambda *_: _tally(broken=True)  # noqa: E731 - a stand-in, said in a line
    monkeypatch.setattr(shown, "run", found)
    told = _typed("--schedules", "1")
    assert told.exit_code == BROKEN
    assert "breaks none alone" in told.output


def test_a_clean_schedule_is_told_and_held() -> None:
    """One schedule alone."""
    assert _typed("--replay", "1").exit_code == HELD


def _tally(*, broken: bool) -> Tally:
    tally = Tally(broken=[0] if broken else [])
    tally.schedules[1], tally.steps[1], tally.took_ns[1] = 1, 1, 1
    return tally
