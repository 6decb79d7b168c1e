"""HTTP at the edge: FastAPI, RFC 9457 problems, idempotent commands, health, AsyncAPI."""
