"""The dashboard as the terminal asks it, over HTTP: what it knows anybody on this machine may know."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeAlias

import httpx
import typer

from infra.failure import StackError
from infra.ports import DASHBOARD, HOST
from scripts.sentences import NOT_UP

Document: TypeAlias = dict[str, Any]

ANSWER_TIMEOUT_S = 5.0
NOT_FOUND = 404


class Onlooker(AbstractContextManager["Onlooker"]):
    """Asks the dashboard, past any proxy of the environment.

    Every method raises `StackError` where it is out of reach or refuses.
    """

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(
            base_url=f"http://{HOST}:{DASHBOARD}", timeout=ANSWER_TIMEOUT_S, transport=transport, trust_env=False
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self._client.close()

    def get(self, path: str, **query: object) -> Document | None:
        """Read something; None where there is no such thing."""
        try:
            answer = self._client.get(path, params={n: str(v) for n, v in query.items() if v is not None})
            document: Document = answer.json()
        except httpx.ReadTimeout as error:
            raise StackError(
                f"the dashboard listens, and answers nothing within {ANSWER_TIMEOUT_S:g} s: `make status`,"
                " or `make logs NAME=dashboard`"
            ) from error
        except (httpx.HTTPError, ValueError) as error:
            raise StackError(f"the dashboard does not answer ({type(error).__name__}). {NOT_UP}") from error
        if answer.is_success:
            return document
        if answer.status_code == NOT_FOUND:
            return None
        raise StackError(f"dashboard: {document.get('detail', answer.reason_phrase)}")


def looking(context: typer.Context) -> Onlooker:
    """Give what a command asks with: what it was given, or else the dashboard of this machine."""
    return context.obj if isinstance(context.obj, Onlooker) else Onlooker()
