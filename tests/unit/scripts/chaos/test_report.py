"""The report: all that happened, in a page that needs nothing else."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripts.chaos.experiment import Moment, Result, Verdict
from scripts.chaos.report import Report
from tests.unit.scripts.chaos.fakes import experiment

BEGAN_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def result(verdict: Verdict) -> Result:
    """One that had a finding."""

    async def fault(_: object) -> int:
        return 1

    return Result(
        experiment(fault),
        verdict,
        hits=1_234,
        findings=["order <1> & more"],
        timeline=[Moment(0.5, "steady"), Moment(1.5, "<b>killed</b>")],
        orders=60,
        answers={"2xx": 60, "no answer": 2},
        by_second=[(20, 0), (10, 2), (30, 0)],
        load_from_s=0.5,
        fault_s=(1.5, 2.5),
        took_s=9.0,
    )


def report(*verdicts: Verdict) -> Report:
    """A run with such results."""
    return Report(BEGAN_AT, 7, "natively, with SCALE=1", [result(verdict) for verdict in verdicts])


@pytest.mark.parametrize(
    ("verdicts", "held"),
    [
        ([Verdict.HELD, Verdict.HELD], True),
        ([Verdict.HELD, Verdict.NOT_EXERCISED], False),
        ([Verdict.BROKEN], False),
        ([Verdict.NOT_STEADY], False),
        ([], False),
    ],
)
def test_it_held_if_all_did(verdicts: list[Verdict], held: bool) -> None:
    """A run of nothing shows nothing."""
    assert report(*verdicts).held is held


def test_both_forms_are_written(tmp_path: Path) -> None:
    """Under the same name, which says when it was."""
    page = report(Verdict.HELD).write(tmp_path)
    assert page == tmp_path / "20260102-030405.html"
    assert json.loads(page.with_suffix(".json").read_text())["seed"] == 7


def test_json_holds_all_of_it() -> None:
    """Functions left out."""
    told = json.loads(report(Verdict.BROKEN).json())
    (one,) = told["results"]
    assert (told["held"], one["name"], one["verdict"], one["hits"]) == (False, "a-name", "broken", 1234)
    assert one["hypothesis"] == "It is believed."
    assert one["timeline"][1] == {"at_s": 1.5, "what": "<b>killed</b>"}
    assert one["answers"]["no answer"] == 2


def test_the_page_shows_what_was_said_as_text() -> None:
    """Whatever a finding quotes, it is no markup."""
    page = report(Verdict.BROKEN, Verdict.HELD).html()
    assert "1 of 2 held" in page
    assert "order &lt;1&gt; &amp; more" in page
    assert "<b>" not in page
    assert page.count("1,234") == 2


def test_the_page_loads_nothing() -> None:
    """It can be sent to somebody, and looked at in the light and in the dark."""
    page = report(Verdict.HELD).html()
    assert not re.search(r"https?://|<script|<link|url\(|@import", page)
    assert "prefers-color-scheme: dark" in page


def test_the_chart_has_a_bar_for_each_second_and_a_shade_for_the_fault() -> None:
    """The shade lies where the fault was, one second after the load began."""
    chart = report(Verdict.HELD).html()
    assert '<rect class="fault" x="8.0" y="0" width="8.0"' in chart
    assert chart.count('<rect class="well"') == chart.count('<rect class="ill"') == 3
    assert '<rect class="ill" x="8" y="48.0" width="7" height="5.3"/>' in chart


def test_a_long_chart_is_narrowed_and_says_its_scale() -> None:
    """Five minutes fit the page as well, and a bar can be read as a number."""
    page = " ".join(report(Verdict.HELD).html().split())
    assert "max-width: 100%" in page
    assert 'preserveAspectRatio="none"' in page
    assert "in each of 3 seconds, at most 30 in one: 60 × 2xx" in page
