"""What `/readyz` says while something is away."""

from tests.integration.asking import is_problem
from tests.integration.stage import Actor
from tests.waiting import eventually


async def is_not_ready(actor: Actor, *wrong: str) -> dict[str, str]:
    """Insist that a service says that it is not ready, because of just these; give its verdicts."""
    answer = await actor.http.get("/readyz")
    is_problem(answer, 503)
    assert answer.headers["retry-after"]
    verdicts: dict[str, str] = answer.json()["checks"]
    assert {name for name, verdict in verdicts.items() if verdict != "ok"} == set(wrong)
    return verdicts


async def not_ready(actor: Actor, *wrong: str) -> None:
    """Wait until it says so."""
    await eventually(lambda: is_not_ready(actor, *wrong))
