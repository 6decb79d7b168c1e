"""The ports of replicas: one that they share, and one for each."""

import socket
import sys
from contextlib import ExitStack

import pytest

from shared.service import _replica_sockets
from shared.settings import Settings
from tests.unit.infra.programs import free_port

HOST = "127.0.0.1"


def settings(port: int, own: int | None) -> Settings:
    return Settings(
        database_url="postgresql://x", broker_url="amqp://x", http_port=port, http_replica_port=own, operator_key="x"
    )


def test_a_service_that_is_alone_leaves_its_port_to_the_server() -> None:
    """Which takes it for itself."""
    assert _replica_sockets(settings(free_port(), None)) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux spreads connections over a shared port")
def test_replicas_listen_on_one_port_and_on_their_own() -> None:
    """Each of them is reached on either."""
    shared = free_port()
    with ExitStack() as opened:
        replicas = [_replica_sockets(settings(shared, free_port())) or [] for _ in range(2)]
        listening = [opened.enter_context(one) for sockets in replicas for one in sockets]
        ports = [one.getsockname()[1] for one in listening]
        assert ports.count(shared) == 2
        assert len(set(ports)) == 3
        for port in ports:
            opened.enter_context(socket.create_connection((HOST, port), timeout=1))


def test_an_own_port_is_shared_with_nobody() -> None:
    """Two replicas told the same one by mistake would answer for each other."""
    shared, own = free_port(), free_port()
    with ExitStack() as opened:
        for one in _replica_sockets(settings(shared, own)) or []:
            opened.enter_context(one)
        with pytest.raises(OSError, match="in use"):
            _replica_sockets(settings(shared, own))
