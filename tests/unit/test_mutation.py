"""What `make mutants` stands on: the code that it changes is the code that runs, and a survivor has a name."""

import pytest

from tests.mutation.mutant import Mutant, change, listed
from tests.mutation.undecorated import undecorated

DECORATED = """
made = []

def noted(name):
    def note(function):
        made.append(name)
        return function
    return note

@noted("last")
@noted("first")
def seven():
    return 7

class Counter:
    @property
    def next(self):
        return seven() + 1
"""


def test_decorators_are_calls() -> None:
    """Without decorators a module does the same, in the same order."""
    plain = undecorated(DECORATED)
    assert "@" not in plain
    for code in (DECORATED, plain):
        names: dict[str, object] = {}
        exec(code, names)  # noqa: S102 - the code stands above
        assert names["made"] == ["first", "last"]
        assert eval("Counter().next", names) == 8  # noqa: S307 - so does this


@pytest.mark.parametrize(
    ("name", "module", "function"),
    [
        ("services.order.reactions.x__cancel__mutmut_12", "services.order.reactions", "_cancel"),
        ("shared.shell.xǁShellǁ_take__mutmut_3", "shared.shell", "Shell._take"),
    ],
)
def test_a_mutant_is_named_after_its_function(name: str, module: str, function: str) -> None:
    """As a person would look for it."""
    mutant = Mutant(name, "survived")
    assert (mutant.module, mutant.function) == (module, f"{module}.{function}")


def test_what_was_not_tried_is_not_listed() -> None:
    """And whatever no test noticed has survived, the one that none looked at too."""
    results = "\n".join(f"    a.x_f__mutmut_{n}: {s}" for n, s in enumerate(["killed", "no tests", "not checked"]))
    assert [(each.status, each.survived) for each in listed(results)] == [("killed", False), ("no tests", True)]


def test_a_change_is_told_by_its_lines() -> None:
    """By those of the mutant, or where it only lacks some by those."""
    head = "--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n def f():\n"
    assert change(head + "-    a = 1\n+    a = None\n     return a\n") == "a = None"
    assert change(head + "-    case 1:\n-        return 2\n") == "without case 1: return 2"
