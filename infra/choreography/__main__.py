"""`python -m infra.choreography`: writes down what the code says, in `docs/choreography.md` and for the dashboard."""

from pathlib import Path

from infra.choreography.as_json import as_json
from infra.choreography.page import written
from infra.choreography.reading import choreography

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = REPOSITORY / "docs" / "choreography.md"
FOR_THE_DASHBOARD = REPOSITORY / "services" / "dashboard" / "choreography.json"

if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(), choreography()))
    FOR_THE_DASHBOARD.write_text(as_json(choreography()))
