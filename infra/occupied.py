"""Ports that we need and somebody else holds."""

import socket
from collections.abc import Mapping

import psutil

from infra.failure import StackError
from infra.ports import HOST

CONFLICTS_NAMED = 2


def insist_on_free(needed: Mapping[int, str]) -> None:
    """Insist that every port is free; `needed` says who needs it.

    Raises:
        StackError: some are not; the first of them are named, with who holds them.
    """
    taken = [
        f"port {port}, which {name} needs, is taken{_by_whom(port)}" for port, name in needed.items() if not free(port)
    ]
    if taken:
        more = f"; and {len(taken) - CONFLICTS_NAMED} more" if len(taken) > CONFLICTS_NAMED else ""
        raise StackError("; ".join(taken[:CONFLICTS_NAMED]) + more)


def free(port: int) -> bool:
    """Tell whether one could listen there; connections of an earlier server that are still closing do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _by_whom(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return " by a program that this user cannot see"
