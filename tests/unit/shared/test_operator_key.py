"""The operator's key: who does not show it is refused, and there is always one to show."""

import pytest
from fastapi import Depends, FastAPI
from pydantic import ValidationError

from shared.http.operator import operator_only
from shared.http.problems import add_problem_handlers
from shared.settings import Settings
from tests.unit.shared.http import check_problem, client


def settings(key: str) -> Settings:
    return Settings(database_url="postgresql://x", broker_url="amqp://x", http_port=1, operator_key=key)


@pytest.mark.parametrize("shown", [None, "", "secre", "secret2", "SECRET", "Bearer secret", "ÿ"])
async def test_no_other_key_will_do(shown: str | None) -> None:
    """Nor none at all; the refusal says what is missing."""
    app = FastAPI()
    add_problem_handlers(app)

    @app.get("/", dependencies=[Depends(operator_only(settings("secret").operator_key))])
    async def done() -> None:
        return None

    async with client(app) as http:
        headers = {} if shown is None else {b"X-Operator-Key": shown.encode("latin-1")}
        document = check_problem(await http.get("/", headers=headers), 403)
        assert "X-Operator-Key" in document["detail"]
        assert (await http.get("/", headers={"X-Operator-Key": "secret"})).status_code == 200


def test_there_is_a_key() -> None:
    """An empty one would be shown by everybody."""
    with pytest.raises(ValidationError):
        settings("")
