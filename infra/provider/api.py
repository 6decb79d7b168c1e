"""The provider's HTTP interface. Everything is by `key`; money is integer minor units."""

import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Body, Depends, FastAPI, Path, Query, Request
from fastapi.security import APIKeyHeader
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from infra.own_names import OwnNames
from infra.provider import problems
from infra.provider.faults import FaultRates, Faults
from infra.provider.ledger import open_ledger
from infra.provider.limits import BodyLimit
from infra.provider.patience import Patience
from infra.provider.problems import Problem
from infra.provider.records import Ask, Charged, KeyReused, Refused
from infra.provider.settings import Settings
from infra.provider.teller import Gone, Teller
from infra.provider.wire import KEY_MAX_CHARS, KEY_PATTERN, ChargeBody, change_of, charge_of, line_of, undo_of

PAGE_MAX_LINES = 1000
LINE_MAX = 2**63 - 1
NAMES = ("127.0.0.1", "localhost", "provider")
"""By its address natively, in containers by its name."""

Key = Annotated[str, Path(max_length=KEY_MAX_CHARS, pattern=KEY_PATTERN)]
After = Annotated[int, Query(ge=0, le=LINE_MAX)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX_LINES)]
OPERATOR_KEY = APIKeyHeader(name="X-Operator-Key", auto_error=False)
router = APIRouter()


def create_app(settings: Settings, *, chance: random.Random | None = None, patience: Patience | None = None) -> FastAPI:
    """Put the provider together; `chance` decides the faults, `patience` does the waiting."""
    faults = Faults(chance or random.Random())
    patience = patience or Patience()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_ledger(settings.ledger) as ledger:
            app.state.operator_key = settings.operator_key.get_secret_value()
            app.state.teller = Teller(ledger, faults, patience, settings.hold_ms, settings.late_ms)
            yield

    app = FastAPI(title="Payment provider", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.include_router(router)
    app.add_middleware(BodyLimit)
    app.add_middleware(OwnNames, names=NAMES)
    problems.install(app)
    return app


def operator_only(request: Request, given: Annotated[str | None, Depends(OPERATOR_KEY)]) -> None:
    """Let nobody pass who does not show the operator's key."""
    if not secrets.compare_digest((given or "").encode(), request.app.state.operator_key.encode()):
        raise HTTPException(403, "This needs the operator's key, in the header X-Operator-Key")


@router.post("/v1/charges")
async def charge(request: Request, body: Annotated[ChargeBody, Body()]) -> Response:
    """Charge once for each key: 200 captured, 402 declined, 409 closed before, 422 key of another charge."""
    ask = Ask(body.key, body.amount, body.currency, body.token)
    match await teller_of(request).charge(ask, gone(request)):
        case Charged(charge=line):
            return JSONResponse(charge_of(line), status_code=200 if line.kind == "captured" else 402)
        case Refused(undo=line):
            # `status` tells the charge's, as in every other answer; RFC 9457 (3.1) has readers of problems
            # ignore one that is no number.
            return Problem(
                409, "key-closed", "The key was closed by an undo", key=line.key, id=line.id, status="refused"
            )
        case KeyReused():
            return Problem(422, "key-reused", "The key stands for another amount, currency or token")


@router.post("/v1/charges/{key}/undo")
async def undo(request: Request, key: Key) -> Response:
    """Close the key for good: what was captured is refunded, what was not can never be."""
    undone = await teller_of(request).undo(key, gone(request))
    return JSONResponse(undo_of(undone.undo))


@router.get("/v1/charges/{key}")
async def query(request: Request, key: Key) -> Response:
    """Tell what is recorded for a key; 404 when nothing is, which does not mean that nothing will be."""
    account = await teller_of(request).ledger.account(key)
    if account.charge is None and account.undo is None:
        raise HTTPException(404, "Nothing is recorded for this key")
    return JSONResponse(
        {
            "key": key,
            "charge": account.charge and charge_of(account.charge),
            "undo": account.undo and undo_of(account.undo),
        }
    )


@router.get("/v1/ledger")
async def ledger(request: Request, after: After = 0, limit: Limit = 100) -> Response:
    """Page through the ledger in the order of writing; `next` is the next page's `after`, null at the end."""
    lines = await teller_of(request).ledger.page(after, limit + 1)
    page = lines[:limit]
    return JSONResponse(
        {"lines": [line_of(line) for line in page], "next": page[-1].line if len(lines) > limit else None}
    )


@router.get("/v1/ledger/summary")
async def summary(request: Request) -> Response:
    """Count and sum the ledger by kind and currency."""
    totals = await teller_of(request).ledger.totals()
    return JSONResponse({"lines": sum(total["count"] for total in totals), "totals": totals})


@router.get("/v1/faults")
async def faults(request: Request) -> Response:
    """Show the fault rates, and how often each was really injected since the start."""
    return JSONResponse(teller_of(request).faults.report())


@router.put("/v1/faults", dependencies=[Depends(operator_only)])
async def set_faults(request: Request, rates: Annotated[FaultRates, Body()]) -> Response:
    """Replace all the rates, once that is written down; the counts go on."""
    teller = teller_of(request)
    await teller.ledger.record_faults(rates.model_dump_json())
    teller.faults.rates = rates
    return JSONResponse(teller.faults.report())


@router.get("/v1/faults/changes")
async def fault_changes(request: Request, after: After = 0, limit: Limit = 100) -> Response:
    """Page through what operators have set, in order; `next` is the next page's `after`, null at the end."""
    changes = await teller_of(request).ledger.fault_changes(after, limit + 1)
    page = changes[:limit]
    return JSONResponse(
        {"changes": [change_of(one) for one in page], "next": page[-1].change if len(changes) > limit else None}
    )


@router.get("/livez")
async def livez() -> Response:
    """Say that the program runs."""
    return JSONResponse({"status": "ok"})


def teller_of(request: Request) -> Teller:
    """Find the teller that the lifespan put in place."""
    teller: Teller = request.app.state.teller
    return teller


def gone(request: Request) -> Gone:
    """Return a wait for the moment when whoever asked has hung up."""

    async def hung_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return hung_up
