"""The four services as their operator asks them: with the key of the installation, over HTTP."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, TypeAlias

import httpx
import typer

from infra.credentials import OPERATOR_KEY, Credentials
from infra.failure import StackError
from infra.home import Home
from infra.ports import HOST, SERVICES
from scripts.sentences import NOT_UP

Document: TypeAlias = dict[str, Any]

HTTP_TIMEOUT_S = 30.0
NOT_FOUND = 404
CONFLICT = 409


class Operations(AbstractContextManager["Operations"]):
    """Asks services, past any proxy of the environment: the key is for them alone.

    Every method raises `StackError` where one is out of reach or refuses.
    """

    def __init__(self, key: str, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(
            headers={"X-Operator-Key": key}, timeout=HTTP_TIMEOUT_S, transport=transport, trust_env=False
        )

    @classmethod
    def of_this_installation(cls) -> Self:
        """Take the key that `make up` drew."""
        key = Credentials.read(Home.locate().secrets).values.get(OPERATOR_KEY)
        if not key:
            raise StackError(NOT_UP)
        return cls(key)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self._client.close()

    def get(self, service: str, path: str, *, timeout_s: float = HTTP_TIMEOUT_S, **query: object) -> Document | None:
        """Read something; None where the service has no such thing."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._document(service, "GET", path, NOT_FOUND, params=given, timeout=timeout_s)

    def post(self, service: str, path: str, body: Mapping[str, Any]) -> Document | None:
        """Have something done; None where what is there cannot be treated so."""
        return self._document(service, "POST", path, CONFLICT, json=body)

    def delete(self, service: str, path: str) -> Document | None:
        """Have something taken away; None where the service has no such thing."""
        return self._document(service, "DELETE", path, NOT_FOUND)

    def _document(self, service: str, method: str, path: str, none: int, **asked: Any) -> Document | None:
        try:
            answer = self._client.request(method, f"http://{HOST}:{SERVICES[service]}{path}", **asked)
            document: Document = answer.json() if answer.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise StackError(f"{service} does not answer ({type(error).__name__}). {NOT_UP}") from error
        if answer.is_success:
            return document
        if answer.status_code == none:
            return None
        raise StackError(f"{service}: {document.get('detail', answer.reason_phrase)}{_fields(document)}")


def _fields(document: Document) -> str:
    """Say which fields are wrong, and how."""
    return "".join(f" {error['field']}: {error['error']}." for error in document.get("errors", ()))


def asking(context: typer.Context) -> Operations:
    """Give what a command asks with: what it was given, or else the services of this installation."""
    return context.obj if isinstance(context.obj, Operations) else Operations.of_this_installation()
