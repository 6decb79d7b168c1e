"""The documents hold: their links lead somewhere, the code that they name exists, their commands can be typed."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
WALKTHROUGH = REPOSITORY / "docs" / "walkthrough.md"
WALKTHROUGH_FILES_MAX = 8


def named(document: Path) -> str:
    """Name a test after its document."""
    return str(document.relative_to(REPOSITORY))


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    """A relative link names a file that exists, and its fragment a heading in it."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", document.read_text()):
        path, _, fragment = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        if fragment:
            assert fragment in {_anchor(h) for h in re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)}, target


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_make_target_exists(document: Path) -> None:
    """A `make …` that a document names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", document.read_text())) <= targets


def test_the_walkthrough_is_short_and_names_what_exists() -> None:
    """At most eight files in order, and every name in a step stands in the step's file."""
    steps = re.split(r"^\d+\. ", WALKTHROUGH.read_text(), flags=re.MULTILINE)[1:]
    assert 1 <= len(steps) <= WALKTHROUGH_FILES_MAX
    for step in steps:
        linked = re.search(r"\]\(\.\./([^)]+)\), ((?:`\w+`(?:, | and )?)+)\.", step)
        assert linked, step[:80]
        code = (REPOSITORY / linked[1]).read_text()
        for name in re.findall(r"`(\w+)`", linked[2]):
            assert re.search(rf"def {name}\(", code), f"{linked[1]} has no {name}"


def test_the_story_of_a_declined_payment_names_what_exists() -> None:
    """The README's first answer leads to functions that are there."""
    reactions = "".join(file.read_text() for file in REPOSITORY.glob("services/*/reactions.py"))
    story = WALKTHROUGH.read_text().partition("## What happens when a payment is declined?")[2].partition("\n## ")[0]
    functions = set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`", story))
    assert len(functions) >= 6
    for name in functions:
        assert f"def {name}(" in reactions, name


def _anchor(heading: str) -> str:
    """Make the fragment that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
