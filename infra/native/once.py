"""Programs that run once, such as the migration of a service's schema."""

import sys

from infra.home import REPOSITORY
from infra.native.environment import inherited
from infra.native.program import Program

ONCE_TIMEOUT_S = 180.0


def once(name: str, module: str, *arguments: str, needs: tuple[str, ...] = (), **variables: str) -> Program:
    """Run a module to its end, with `variables` in its environment."""
    return Program(
        name=name,
        argv=(sys.executable, "-m", module, *arguments),
        env=inherited(PYTHONUNBUFFERED="1", **variables),
        cwd=REPOSITORY,
        needs=needs,
        once=True,
        ready_timeout_s=ONCE_TIMEOUT_S,
    )


def migration(service: str, database_url: str, needs: tuple[str, ...] = (), name: str = "migrate") -> Program:
    """Bring the schema of a service up to date, as its migrator, whose URL it is."""
    where = ("-c", f"services/{service}/alembic.ini", "upgrade", "head")
    return once(f"{name}-{service}", "alembic", *where, needs=needs, QUARTET_DATABASE_URL=database_url)
