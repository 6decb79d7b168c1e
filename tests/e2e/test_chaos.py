"""`quartet chaos` on a stack that is up: experiments that hold, one that is interrupted, and what must be refused."""

import json
import os
import signal
import subprocess

import psutil
import pytest

from infra.run import Mode
from scripts.chaos.experiment import Verdict
from tests.e2e.conftest import COMMAND_TIMEOUT_S, Checkout, on

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    on((Mode.NATIVE, 1)),
]

CHAOS = ".venv/bin/quartet chaos"
CHEAP = ("kill-notification", "duplicate-storm")


def test_experiments_hold_and_leave_a_report(stack: Checkout) -> None:
    """Each hit what it meant to, orders were placed, and the audit found nothing."""
    printed = stack.type(f"{CHAOS} run {' '.join(CHEAP)} --seed 3")
    page = next(line.partition(": ")[2] for line in printed.splitlines() if line.startswith("report: "))
    told = json.loads((stack.path / page).with_suffix(".json").read_text())
    assert (told["held"], told["seed"]) == (True, 3)
    assert [one["name"] for one in told["results"]] == list(CHEAP)
    for one in told["results"]:
        assert (one["verdict"], one["findings"]) == (Verdict.HELD, [])
        assert one["hits"] > 0
        assert one["orders"] > 0
        assert one["hypothesis"] in printed
    assert all(name in (stack.path / page).read_text() for name in CHEAP)


def test_interrupted_it_undoes_first_what_it_broke(stack: Checkout) -> None:
    """Ctrl-C while the broker is frozen: the broker goes on, and the exit code says that it was interrupted."""
    (broker,) = [line["pid"] for line in stack.status()["programs"] if line["name"] == "rabbitmq"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUARTET_")}
    typed = [".venv/bin/quartet", "chaos", "run", "freeze-broker"]
    with subprocess.Popen(typed, cwd=stack.path, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        seen = next((line for line in running.stdout if "is frozen" in line), "")
        assert seen, "it ended before it broke anything"
        assert psutil.Process(broker).status() == psutil.STATUS_STOPPED
        running.send_signal(signal.SIGINT)
        printed, _ = running.communicate(timeout=COMMAND_TIMEOUT_S)
    assert running.returncode == 130
    assert "goes on" in printed
    assert psutil.Process(broker).status() != psutil.STATUS_STOPPED
    assert stack.status()["ready"]
