"""Which way `up` goes: what was asked for, held against what is up and what this machine has."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.failure import StackError
from infra.run import SCALE_MAX, Mode, Run

AUTO = "auto"
MODES = (AUTO, *Mode)
SCALES = tuple(map(str, range(1, SCALE_MAX + 1)))
INSTEAD = "A collector of your own is named by OTEL_EXPORTER_OTLP_ENDPOINT; metrics are at /metrics of every service."


@dataclass(frozen=True, slots=True)
class Choice:
    """What to run, and a line that says why this way."""

    run: Run
    why: str


def choose(mode: str, scale: str, up: Run | None, why_no_engine: Callable[[], str], observe: bool = False) -> Choice:
    """Decide; `mode` and `scale` as they were typed ("" where not), `up` is what runs.

    `why_no_engine` is "" where a Docker engine answers.

    Raises:
        StackError: there is no such mode or scale, another one is up, or there is no engine to do it; or it is to be
            observed, which is for containers.
    """
    if mode not in MODES:
        raise StackError(f"MODE is {', '.join(MODES[:-1])} or {MODES[-1]}, not {mode!r}")
    if scale not in {"", *SCALES}:
        raise StackError(f"SCALE is {SCALES[0]} to {SCALES[-1]}, not {scale!r}")
    if up:
        if mode not in {AUTO, up.mode} or scale not in {"", str(up.scale)} or (observe and not up.observe):
            raise StackError(f"Quartet is up {up}: `make down` first")
        return Choice(up, f"Quartet was brought up {up}.")
    chosen, why = _mode(mode, why_no_engine)
    if observe and chosen is Mode.NATIVE:
        raise StackError(f"OBSERVE=1 needs Docker, and Quartet goes {why[0].lower()}{why[1:]} {INSTEAD}")
    return Choice(Run(chosen, int(scale or 1), observe), why)


def _mode(mode: str, why_no_engine: Callable[[], str]) -> tuple[Mode, str]:
    if mode == Mode.NATIVE:
        return Mode.NATIVE, "Natively, as MODE=native says."
    reason = why_no_engine()
    if not reason:
        why = "as MODE=docker says." if mode == Mode.DOCKER else "because an engine answers (MODE=native does without)."
        return Mode.DOCKER, f"In Docker, {why}"
    if mode == Mode.DOCKER:
        raise StackError(f"MODE=docker needs a Docker engine with Compose, but {reason}")
    return Mode.NATIVE, f"Natively, because {reason}."
