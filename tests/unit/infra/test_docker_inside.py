"""What runs inside containers: the health check, and the writer of the servers' configuration."""

import http.server
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.docker.configuration import SOURCE, TARGET, main, write
from infra.rabbitmq.users import USERS, definitions
from tests.unit.infra.programs import free_port


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers 200 to /livez and 503 to the rest."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/livez" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep silent."""


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def healthy(port: int, path: str) -> bool:
    script = SOURCE / "docker" / "healthy.sh"
    return subprocess.run(["/bin/bash", script, str(port), path], capture_output=True, check=False).returncode == 0


def test_healthy_is_what_answers_200(port: int) -> None:
    """Anything else is not, an answer that does not come included."""
    assert healthy(port, "/livez")
    assert not healthy(port, "/readyz")
    assert not healthy(free_port(), "/livez")


def test_the_servers_find_their_configuration(tmp_path: Path) -> None:
    """As it lies in the repository, readable for users whom nobody knows here, and the users as hashes alone."""
    for name in ("postgres", "rabbitmq"):
        (tmp_path / name).mkdir()
    write(SOURCE, tmp_path, definitions({user: f"secret-of-{user}" for user in USERS}))
    written = {str(file.relative_to(tmp_path)): file for file in tmp_path.glob("*/*")}
    assert set(written) == {
        *("postgres/postgresql.conf", "postgres/roles.sql"),
        *("rabbitmq/rabbitmq.conf", "rabbitmq/definitions.json"),
    }
    for name, file in written.items():
        assert file.stat().st_mode & 0o777 == 0o644
        assert "secret-of" not in file.read_text()
        if name != "rabbitmq/definitions.json":
            assert file.read_text().startswith((SOURCE / name).read_text())
    assert f"load_definitions = {TARGET}/rabbitmq/definitions.json\n" in written["rabbitmq/rabbitmq.conf"].read_text()


def test_a_missing_password_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """And an exit code that keeps the rest from starting."""
    monkeypatch.delenv("QUARTET_TOPOLOGY_BROKER_PASSWORD", raising=False)
    assert main() == 2
    assert capsys.readouterr().err == "configuration: QUARTET_TOPOLOGY_BROKER_PASSWORD is not set\n"
