"""What the code writes into a document stands between its marks, and nowhere else."""

import pytest

from infra.documents import filled

MARKS = ("<!-- a -->\n", "<!-- b -->\n")


def test_only_what_is_between_the_marks_changes() -> None:
    """Whatever stood there before is gone, and what is around it stays."""
    assert filled("x\n<!-- a -->\nold\n<!-- b -->\ny\n", {MARKS: ["1", "2"]}) == "x\n<!-- a -->\n1\n2\n<!-- b -->\ny\n"


@pytest.mark.parametrize("document", ["", "<!-- a -->\n", "<!-- a -->\n<!-- a -->\n<!-- b -->\n"])
def test_a_document_without_its_marks_is_refused(document: str) -> None:
    """Nobody can tell where a block belongs that has no marks, or two of one."""
    with pytest.raises(LookupError, match="once"):
        filled(document, {MARKS: ["1"]})
