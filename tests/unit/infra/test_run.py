"""What is remembered of a run, and how its replicas are called."""

from pathlib import Path

import pytest

from infra.run import Mode, Run, is_called, replica_names


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    """By every later command."""
    run = Run(Mode.DOCKER, 2)
    run.write(tmp_path / "running.json")
    assert Run.read(tmp_path / "running.json") == run
    assert str(run) == "in Docker, with SCALE=2"
    observed = Run(Mode.DOCKER, 2, observe=True)
    observed.write(tmp_path / "running.json")
    assert Run.read(tmp_path / "running.json") == observed
    assert str(observed) == "in Docker, with SCALE=2 and OBSERVE=1"


def test_a_run_of_before_was_not_observed(tmp_path: Path) -> None:
    """What an older `make up` wrote down is read all the same."""
    (tmp_path / "running.json").write_text('{"mode": "docker", "scale": 1}')
    assert Run.read(tmp_path / "running.json") == Run(Mode.DOCKER, 1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"mode": "elsewhere", "scale": 1}', '{"mode": "docker"}'])
def test_what_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    """It may be of another version, or of a disk that was full."""
    (tmp_path / "running.json").write_text(text)
    assert Run.read(tmp_path / "running.json") is None
    assert Run.read(tmp_path / "nowhere.json") is None


def test_a_service_that_is_alone_has_no_number() -> None:
    """Replicas count from 1."""
    assert replica_names("order", 1) == ("order",)
    assert replica_names("order", 3) == ("order-1", "order-2", "order-3")


@pytest.mark.parametrize(
    ("name", "wanted", "expected"),
    [
        ("order", "", True),
        ("order", "order", True),
        ("order-2", "order", True),
        ("order-2", "order-2", True),
        ("order-2", "order-1", False),
        ("migrate-order", "order", False),
        ("migrate-order", "migrate", False),
        ("order", "payment", False),
    ],
)
def test_a_name_means_its_replicas_too(name: str, wanted: str, expected: bool) -> None:
    """And nothing that only looks like one."""
    assert is_called(name, wanted) is expected
