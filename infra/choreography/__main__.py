"""`python -m infra.choreography`: writes into `docs/choreography.md` what the code says."""

from pathlib import Path

from infra.choreography.page import written
from infra.choreography.reading import choreography

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "choreography.md"

if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(), choreography()))
