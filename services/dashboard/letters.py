"""Dead letters: grouped by reason, opened, and dealt with through the services, which record every act.

What is to be done is shown first, as the service itself foretells it. To do it, a person enters the operator's key.
"""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from services.dashboard import documents
from services.dashboard.feeds import SilentError
from services.dashboard.forms import Form, ask
from services.dashboard.parts import Parts
from services.dashboard.rendering import render
from shared.http.problems import ProblemError
from shared.letters import TEXT_MAX_CHARACTERS

ACTS = ("replay", "drop")
FORBIDDEN = 403
LETTERS_MAX = 200
"""So many are shown, or dealt with, at once."""

Text = Annotated[str | None, Query(max_length=TEXT_MAX_CHARACTERS, pattern=r"^[^\x00]*$")]


def letters(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(include_in_schema=False)
    service_path = Annotated[str, Path(pattern=f"^({'|'.join(parts.services.names)})$")]

    @router.get("/dead-letters")
    async def groups() -> Response:
        vitals = await parts.pulse.take()
        told = [(name, each) for name, backlog in vitals.backlogs.items() for each in backlog.dead_letters]
        by_reason = sorted(told, key=lambda pair: (pair[1].error_class, pair[1].lane))
        return render("letters.html", page="letters", behind=documents.behind(parts), groups=by_reason,
                      silent=vitals.silent)  # fmt: skip

    @router.get("/dead-letters/{service}")
    async def group(service: service_path, lane: Text = None, error_class: Text = None) -> Response:
        found = await _document(parts, service, "/dead-letters", lane=lane, error_class=error_class, limit=LETTERS_MAX)
        return render("group.html", page="letters", behind=documents.behind(parts), service=service, lane=lane,
                      error_class=error_class, **found)  # fmt: skip

    @router.get("/dead-letters/{service}/{letter_id}")
    async def letter(service: service_path, letter_id: UUID) -> Response:
        found = await _document(parts, service, f"/dead-letters/{letter_id}")
        return render("letter.html", page="letters", behind=documents.behind(parts), service=service, letter=found)

    @router.post("/dead-letters/{service}/preview")
    async def preview(request: Request, service: service_path) -> Response:
        form = await Form.of(request)
        return await _foretell(parts, service, _act(form), form)

    @router.post("/dead-letters/{service}/act")
    async def deal(request: Request, service: service_path) -> Response:
        form = await Form.of(request)
        act, meant = _act(form), _letters(form)
        if act == "drop" and not form.get("why"):
            raise ProblemError(422, "A drop needs a reason, for the record.")
        try:
            body = _body(act, meant, form.get("why"), dry_run=False)
            treated = await _do(parts, service, act, body, form.get("key"))
        except ProblemError as problem:
            if problem.status != FORBIDDEN:
                raise
            return await _foretell(parts, service, act, form, refused=problem.detail)
        return render("act.html", page="letters", behind=documents.behind(parts), service=service, act=act,
                      ids=meant, why=form.get("why"), done=True, refused="", **treated)  # fmt: skip

    return router


async def _foretell(parts: Parts, service: str, act: str, form: Form, refused: str = "") -> Response:
    """Show what an act would do, as the service says; and why it was refused, where a wrong key was shown."""
    meant = _letters(form)
    body = _body(act, meant, form.get("why") or "a look at what it would do", dry_run=True)
    foretold = await _do(parts, service, act, body, parts.settings.operator_key.get_secret_value())
    return render("act.html", FORBIDDEN if refused else 200, page="letters", behind=documents.behind(parts),
                  service=service, act=act, ids=meant, why=form.get("why"), done=False, refused=refused,
                  **foretold)  # fmt: skip


def _act(form: Form) -> str:
    if (act := form.get("act")) not in ACTS:
        raise ProblemError(422, "A letter is replayed or dropped.")
    return act


def _letters(form: Form) -> list[str]:
    try:
        found = [str(UUID(text)) for text in form.all("letter")]
    except ValueError as error:
        raise ProblemError(422, "That is no letter's id.") from error
    if not 0 < len(found) <= LETTERS_MAX:
        raise ProblemError(422, f"Choose some letters, {LETTERS_MAX} at the most.")
    return found


def _body(act: str, meant: Sequence[str], why: str, *, dry_run: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"letters": list(meant), "dry_run": dry_run}
    return body | {"why": why} if act == "drop" else body


async def _do(parts: Parts, service: str, act: str, body: dict[str, Any], key: str) -> dict[str, Any]:
    url = f"{parts.settings.service_urls[service]}/dead-letters/{act}"
    headers = httpx.Headers([(b"X-Operator-Key", key.encode())])
    answer: dict[str, Any] = await ask(parts.outside, "POST", url, json=body, headers=headers)
    return answer


async def _document(parts: Parts, service: str, path: str, **query: object) -> dict[str, Any]:
    try:
        return await parts.services.document(service, path, **query)
    except SilentError as error:
        if error.why.endswith("404"):
            raise ProblemError(404, "There is no such dead letter any more.") from error
        raise ProblemError(503, f"{error}.") from error
