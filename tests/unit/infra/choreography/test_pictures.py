"""What is drawn and written: all of it, in words that Mermaid, Graphviz and programs read."""

import json
import re

import pytest

from infra.choreography.__main__ import DOCUMENT
from infra.choreography.as_json import VERSION, as_json, document
from infra.choreography.dot import dot
from infra.choreography.drawing import Drawing, Shape, part, whole
from infra.choreography.mermaid import mermaid
from infra.choreography.page import written
from infra.choreography.reading import choreography
from tests.unit.infra.choreography.toys import dance

DANCE = choreography()
DRAWINGS = [whole(DANCE), *(part(DANCE, service) for service in DANCE.services)]
MERMAID = re.compile(
    r"flowchart LR"
    r'|    (command|event|intent|reaction|final)_\w+(\(\["|\[/"|\("|\{\{"|\[")[\w.]+("\]\)|"/\]|"\)|"\}\}|"\]):::\w+'
    r"|    \w+ (-->|-\.->)(\|\w+\|)? \w+"
    r"|    classDef \w+ fill:#\w+,stroke:#\w+,color:#\w+"
)
README = DOCUMENT.parents[1] / "README.md"


def titled(drawing: Drawing) -> str:
    """Name a test after what is drawn."""
    return drawing.title


def test_the_whole_dance_is_drawn() -> None:
    """Every reaction is an arrow, every event and intent a point, but for the notes that accompany something else."""
    drawn = whole(DANCE)
    assert {(each.start.name, each.label) for each in drawn.arrows if each.start.shape is not Shape.INTENT} == {
        (reaction.event, reaction.function) for reaction in DANCE.reactions
    }
    missing = {*DANCE.events, *DANCE.intents} - {point.name for point in drawn.points}
    assert missing == {
        "payment.amount_learned",
        "payment.stock_learned",
        "payment.charge_intended",
        "payment.undo_intended",
        "notification.recorded",
    }


def test_the_parts_are_drawn() -> None:
    """Every reaction of a service, and all that it hears, says and intends, is in its picture."""
    for service in DANCE.services:
        drawn = {point.name for point in part(DANCE, service).points}
        for reaction in DANCE.reactions:
            if reaction.service == service:
                assert {reaction.name, reaction.event, *reaction.causes, *reaction.intends} <= drawn
                assert set(reaction.withdraws) <= drawn


def test_the_way_back_is_dotted() -> None:
    """What leads to the cancellation, and what comes of it alone; a mail's answer comes of a confirmation, too."""
    back = {(each.start.name, each.end.name) for each in whole(DANCE).arrows if each.way_back}
    assert {
        ("payment.declined", "order.cancelled"),
        ("order.cancelled", "stock.released"),
        ("payment.undo_answered", "payment.voided"),
    } <= back
    forward = {("order.placed", "stock.rejected"), ("notification.mail_accepted", "notification.sent")}
    assert not forward & back


@pytest.mark.parametrize("drawing", [*DRAWINGS, whole(dance())], ids=titled)
def test_mermaid(drawing: Drawing) -> None:
    """Every line is one of the four kinds, and every point that an arrow names is defined."""
    lines = mermaid(drawing).splitlines()
    assert not [line for line in lines if not MERMAID.fullmatch(line)]
    points = {line.split()[0].split("(")[0].split("[")[0].split("{")[0] for line in lines if ":::" in line}
    arrows = [re.split(r" -\S+ ", line.strip()) for line in lines if "->" in line]
    assert {name for arrow in arrows for name in arrow} == points
    assert len(arrows) == len(drawing.arrows)


@pytest.mark.parametrize("drawing", DRAWINGS, ids=titled)
def test_dot(drawing: Drawing) -> None:
    """Every point and every arrow is there, and every quote is closed."""
    text = dot(drawing)
    assert text.count(" -> ") == len(drawing.arrows)
    assert text.count("shape=") == len(drawing.points)
    assert text.count("{") == text.count("}") == 1
    assert not [line for line in text.splitlines() if line.count('"') % 2]


def test_the_document_for_programs_is_as_described() -> None:
    """Each field of each kind of thing stands in its row of the page, and none that is not there."""
    written_as = json.loads(as_json(DANCE))
    assert written_as == document(DANCE)
    assert written_as["version"] == VERSION
    described = {
        name: set(re.findall(r"`(\w+)`", fields))
        for name, fields in re.findall(r"^\| `?([\w ]+)`? \| (`\w+`.*) \|$", _programs(), re.MULTILINE)
    }
    found = {kind: {field for each in written_as[kind] for field in each} for kind in list(described)[1:]}
    assert described == {"the document": set(written_as), **found}


def _programs() -> str:
    text = DOCUMENT.read_text().partition("## For programs")[2]
    return re.sub(r"\([^)]*\)", "", text)  # what is in brackets explains


def test_the_page_is_up_to_date() -> None:
    """`python -m infra.choreography` has been run."""
    assert DOCUMENT.read_text() == written(DOCUMENT.read_text(), DANCE)


def test_the_readme_draws_what_is_so() -> None:
    """An event leads from its owner to all who react; those that are left out only close the order's books."""
    drawn: dict[str, tuple[str, set[str]]] = {}
    for owner, event, reactors in re.findall(
        r"^    (\w+) -[-.] ([a-z]+\.[a-z]+) (?:-->|\.->) ([\w &]+)$", README.read_text(), re.MULTILINE
    ):
        drawn[event] = (owner, set(reactors.split(" & ")))
    told = {
        name: (event.owner, {reaction.service for reaction in DANCE.who_reacts(name)})
        for name, event in DANCE.events.items()
        if event.public
    }
    assert drawn == {name: told[name] for name in drawn}
    for name in told.keys() - drawn.keys():
        assert all(DANCE.events[end].final for end in DANCE.what_may_follow(name)), name
