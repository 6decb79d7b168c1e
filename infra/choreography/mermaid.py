"""A drawing in Mermaid, which GitHub shows as a picture. Source: Mermaid's documentation of flowcharts."""

from collections.abc import Iterator
from itertools import cycle

from infra.choreography.drawing import Drawing, Point, Shape

BRACKETS = {
    Shape.COMMAND: ('[/"', '"/]'),
    Shape.EVENT: ('(["', '"])'),
    Shape.FINAL: ('("', '")'),
    Shape.INTENT: ('{{"', '"}}'),
    Shape.REACTION: ('["', '"]'),
}
COLOURS = ("#dbeafe", "#dcfce7", "#fef3c7", "#fce7f3")
"""Of the owners, in their order; they are used again where there are more."""
INK = "#1f2937"


def mermaid(drawing: Drawing) -> str:
    """Say a drawing in Mermaid."""
    return "\n".join(_lines(drawing)) + "\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    yield "flowchart LR"
    for point in drawing.points:
        opening, closing = BRACKETS[point.shape]
        yield f"    {_id(point)}{opening}{point.label}{closing}:::{point.owner}"
    for arrow in drawing.arrows:
        line = "-.->" if arrow.way_back else "-->"
        label = f"|{arrow.label}|" if arrow.label else ""
        yield f"    {_id(arrow.start)} {line}{label} {_id(arrow.end)}"
    for owner, colour in zip(drawing.owners, cycle(COLOURS), strict=False):
        yield f"    classDef {owner} fill:{colour},stroke:{INK},color:{INK}"


def _id(point: Point) -> str:
    """Name a point by letters that no keyword of Mermaid's is made of."""
    kind = point.shape if point.shape in (Shape.INTENT, Shape.REACTION) else Shape.EVENT
    return f"{kind}_{point.name.replace('.', '_')}"
