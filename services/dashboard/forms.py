"""What a person has entered in a form of a page, and what a service says when it is asked to act on it."""

from typing import Any
from urllib.parse import parse_qsl

import httpx
from fastapi import Request

from shared.http.problems import ProblemError

FIELDS_MAX = 300
FORM_TYPE = "application/x-www-form-urlencoded"


class Form:
    """The fields of a form, in order; a name may come several times."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    @classmethod
    async def of(cls, request: Request) -> "Form":
        """Read what was sent.

        Raises:
            ProblemError: it is no form.
        """
        if request.headers.get("content-type", "").partition(";")[0].strip() != FORM_TYPE:
            raise ProblemError(415, "This takes what a form of its page sends.")
        try:
            return cls(parse_qsl((await request.body()).decode(), max_num_fields=FIELDS_MAX))
        except ValueError as error:
            raise ProblemError(400, "That is no form, or one with too many fields.") from error

    def get(self, name: str) -> str:
        """Give a field; empty where there is none."""
        return next((value.strip() for key, value in self._pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """Give every field of a name."""
        return [value.strip() for key, value in self._pairs if key == name]


async def ask(client: httpx.AsyncClient, method: str, url: str, **asked: Any) -> Any:
    """Have somebody outside do something, and give the answer.

    Raises:
        ProblemError: they refuse, with what they say; or they do not answer.
    """
    try:
        answer = await client.request(method, url, **asked)
        document = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise ProblemError(502, f"Nobody answers there ({type(error).__name__}).") from error
    if answer.is_success:
        return document
    detail = document.get("detail") if isinstance(document, dict) else None
    raise ProblemError(answer.status_code, str(detail or answer.reason_phrase))
