"""Keys and passwords go to 127.0.0.1 and nowhere else, whatever proxy the environment names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CODE = ("benchmarks", "infra", "scripts", "services", "shared")
CLIENTS = ("httpx.AsyncClient", "httpx.Client")


def clients() -> Iterator[tuple[str, ast.Call]]:
    """Find every HTTP client that is made anywhere."""
    for directory in CODE:
        for file in (REPOSITORY / directory).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in CLIENTS:
                    yield f"{file.relative_to(REPOSITORY)}:{node.lineno}", node


@pytest.mark.parametrize("client", [pytest.param(call, id=place) for place, call in clients()])
def test_no_client_looks_for_a_proxy(client: ast.Call) -> None:
    """With `HTTP_PROXY` set, httpx would hand the operator's key to that proxy in clear text."""
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in client.keywords}
    assert given.get("trust_env") == "False"
