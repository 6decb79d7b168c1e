"""Every safeguard stands where `docs/guarantees.md` says, and the document says what the safeguards are."""

import ast
import re

import pytest

from tests.ablation.safeguard import Safeguard
from tests.ablation.safeguards import SAFEGUARDS
from tests.ablation.table import DOCUMENT, REPOSITORY, written


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda one: one.name)
def test_a_safeguard_is_where_it_is_said_to_be(safeguard: Safeguard) -> None:
    """What would be taken away stands in its file exactly once, and the test that would miss it exists."""
    for edit in safeguard.removed:
        edit.place(REPOSITORY)
    file, _, test = safeguard.test.partition("::")
    functions = {node.name for node in ast.walk(ast.parse((REPOSITORY / file).read_text())) if hasattr(node, "name")}
    assert not test or test.partition("[")[0] in functions


def test_the_document_is_up_to_date() -> None:
    """`python -m tests.ablation --write` has been run."""
    assert DOCUMENT.read_text() == written(DOCUMENT.read_text())


def test_every_test_that_the_document_names_exists() -> None:
    """A link that is called like a test leads to the file with that test."""
    named = re.findall(r"\[(test_\w+)\]\(\.\./(tests/[^)]+)\)", DOCUMENT.read_text())
    assert named
    for test, file in named:
        assert f"def {test}(" in (REPOSITORY / file).read_text(), (test, file)
