"""Ports that we need and somebody else holds."""

import socket
from collections.abc import Iterable

import psutil

from infra.native.program import Program
from infra.ports import HOST


def conflicts(programs: Iterable[Program]) -> list[str]:
    """Describe every port that a program needs and cannot have."""
    return [
        f"port {port}, which {program.name} needs, is taken{_by_whom(port)}"
        for program in programs
        for port in program.ports
        if not free(port)
    ]


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
