"""`python healthy.py PORT PATH`: a container's health check; exit code 0 where a GET is answered with 200.

It runs every few seconds in every container, so it imports as little as it can.
"""

import socket
import sys

TIMEOUT_S = 4.0
STATUS_BYTES = 12  # "HTTP/1.1 200"


def healthy(port: int, path: str) -> bool:
    """Ask once."""
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(STATUS_BYTES).endswith(b" 200")
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(int(sys.argv[1]), sys.argv[2]) else 1)
