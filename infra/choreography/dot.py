"""A drawing in DOT, for Graphviz: `quartet graph --format dot | dot -Tsvg`."""

from collections.abc import Iterator
from itertools import cycle

from infra.choreography.drawing import Drawing, Shape
from infra.choreography.mermaid import COLOURS, INK

SHAPES = {
    Shape.COMMAND: "parallelogram",
    Shape.EVENT: "ellipse",
    Shape.FINAL: "note",
    Shape.INTENT: "hexagon",
    Shape.REACTION: "box",
}


def dot(drawing: Drawing) -> str:
    """Say a drawing in DOT."""
    return "\n".join(_lines(drawing)) + "\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    colours = dict(zip(drawing.owners, cycle(COLOURS), strict=False))
    names = {point: f'"{point.shape}:{point.name}"' for point in drawing.points}
    yield f'digraph "{drawing.title}" {{'
    yield f'    graph [rankdir=LR]; node [style=filled, color="{INK}", fontname="sans-serif"];'
    for point in drawing.points:
        look = f'shape={SHAPES[point.shape]}, fillcolor="{colours[point.owner]}"'
        yield f'    {names[point]} [label="{point.label}", {look}];'
    for arrow in drawing.arrows:
        style = "dashed" if arrow.way_back else "solid"
        yield f'    {names[arrow.start]} -> {names[arrow.end]} [label="{arrow.label}", style={style}];'
    yield "}"
