"""The report of a run, kept as JSON and as one HTML page that loads nothing from anywhere."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from scripts.chaos.experiment import Result, Verdict
from scripts.chaos.vitals import Growth, Vital, growths

CHART_HEIGHT, SECOND_WIDTH = 80, 8
STYLE = """
:root { color-scheme: light dark; --ink: #1d232b; --paper: #fff; --soft: #667; --line: #d8dce2; --well: #2a7;
  --ill: #d33; --doubt: #b80; --fault: #d332; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe3e8; --paper: #14181d; --soft: #99a; --line: #333a43;
  --well: #3b8; --ill: #f66; --doubt: #eb4; --fault: #f663; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .3rem .6rem;
  border-bottom: 1px solid var(--line); vertical-align: top; }
table.timeline td.n { width: 4rem; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.soft, figcaption { color: var(--soft); } .held { color: var(--well); } .broken, .not-steady { color: var(--ill); }
.not-exercised, .interrupted { color: var(--doubt); } .verdict { font-weight: 600; white-space: nowrap; }
a { color: inherit; } figure { margin: 1rem 0; } svg { display: block; max-width: 100%; }
.well { fill: var(--well); } .ill { fill: var(--ill); } .fault { fill: var(--fault); }
section { border-top: 1px solid var(--line); margin-top: 2rem; }
"""


@dataclass(frozen=True, slots=True)
class Report:
    """A run: when it began, the seed it was drawn from, how the stack ran, and what came of it."""

    began_at: datetime
    seed: int
    stack: str
    results: Sequence[Result]
    vitals: Sequence[Vital] = ()

    @property
    def held(self) -> bool:
        """Whether every experiment confirmed what was believed, and there was one."""
        return bool(self.results) and all(result.verdict is Verdict.HELD for result in self.results)

    def write(self, directory: Path) -> Path:
        """Write both forms, and give the page."""
        stem = directory / f"{self.began_at:%Y%m%d-%H%M%S}"
        stem.with_suffix(".json").write_text(self.json())
        page = stem.with_suffix(".html")
        page.write_text(self.html())
        return page

    def json(self) -> str:
        """Give all of it for programs; times are in seconds since each experiment began."""
        told = {
            "began_at": self.began_at.isoformat(),
            "seed": self.seed,
            "stack": self.stack,
            "held": self.held,
            "results": [_told(result) for result in self.results],
            "vitals": [asdict(vital) for vital in self.vitals],
        }
        return json.dumps(told, indent=1)

    def html(self) -> str:
        """Give the page."""
        count = sum(result.verdict is Verdict.HELD for result in self.results)
        rows = "".join(_row(number, result) for number, result in enumerate(self.results))
        sections = "".join(_section(number, result) for number, result in enumerate(self.results))
        return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Quartet: chaos</title><style>{STYLE}</style>
<h1>Chaos: {count} of {len(self.results)} held</h1>
<p class="soft">{self.began_at:%Y-%m-%d %H:%M:%S %Z} · seed {self.seed} · {escape(self.stack)}</p>
<table><tr><th>experiment<th>verdict<th class="n">hits<th class="n">orders<th class="n">seconds<th>findings</tr>
{rows}</table>
{sections}
<section><h2>What the programs hold</h2><p class="soft">After each experiment, in the longest life of each program.</p>
<table><tr><th>program<th class="n">looks<th class="n">memory at first<th class="n">at last
<th class="n">open files at first<th class="n">at last</tr>
{"".join(map(_growth, growths(self.vitals)))}</table></section>
</html>
"""


def _told(result: Result) -> dict[str, object]:
    told = asdict(result)
    experiment = result.experiment
    about = {"name": experiment.name, "steady_state": experiment.steady_state, "hypothesis": experiment.hypothesis}
    return {**about, **{name: value for name, value in told.items() if name != "experiment"}}


def _row(number: int, result: Result) -> str:
    return (
        f'<tr><td><a href="#e{number}">{escape(result.experiment.name)}</a>'
        f'<td class="verdict {_css(result)}">{result.verdict}<td class="n">{result.hits:,}'
        f'<td class="n">{result.orders:,}<td class="n">{result.took_s:.0f}<td>{_lines(result.findings)}</tr>\n'
    )


def _growth(growth: Growth) -> str:
    first, last = growth.first, growth.last
    cells = (growth.looks, f"{first.memory_mb} MB", f"{last.memory_mb} MB", first.files or "", last.files or "")
    numbers = "".join(f'<td class="n">{cell}' for cell in cells)
    return f"<tr><td>{escape(growth.program)}{numbers}</tr>\n"


def _section(number: int, result: Result) -> str:
    moments = "".join(f'<tr><td class="n">{m.at_s:.1f} s<td>{escape(m.what)}</tr>' for m in result.timeline)
    answers = ", ".join(f"{count:,} × {escape(told)}" for told, count in sorted(result.answers.items()))
    return f"""<section id="e{number}"><h2>{escape(result.experiment.name)}
<span class="verdict {_css(result)}">{result.verdict}</span></h2>
<p>{escape(result.experiment.hypothesis)}</p><p class="soft">{escape(result.experiment.steady_state)}</p>
<figure>{_chart(result)}<figcaption>Requests answered in each of {len(result.by_second)} seconds, at most
{_most(result)} in one: {answers or "none"}. Red ones were answered otherwise than with success, or not at all, and were
asked again; the fault lasted as long as the shade.</figcaption>
</figure><table class="timeline">{moments}</table></section>
"""


def _chart(result: Result) -> str:
    """Draw a bar for each second of load, and a shade where the fault was."""
    most = max(_most(result), 1)
    width = max(1, len(result.by_second)) * SECOND_WIDTH
    parts = []
    if result.fault_s:
        begins, ends = (max(0.0, at_s - result.load_from_s) * SECOND_WIDTH for at_s in result.fault_s)
        shade_width = max(1.0, ends - begins)
        parts.append(f'<rect class="fault" x="{begins:.1f}" y="0" width="{shade_width:.1f}" height="{CHART_HEIGHT}"/>')
    for second, (well, ill) in enumerate(result.by_second):
        bottom = float(CHART_HEIGHT)
        for css, count in (("well", well), ("ill", ill)):
            height = count * CHART_HEIGHT / most
            bottom -= height
            x, bar = second * SECOND_WIDTH, SECOND_WIDTH - 1
            parts.append(f'<rect class="{css}" x="{x}" y="{bottom:.1f}" width="{bar}" height="{height:.1f}"/>')
    return (
        f'<svg width="{width}" height="{CHART_HEIGHT}" viewBox="0 0 {width} {CHART_HEIGHT}" role="img"'
        ' preserveAspectRatio="none"'
        f' aria-label="Requests answered in each second">{"".join(parts)}</svg>'
    )


def _most(result: Result) -> int:
    return max((well + ill for well, ill in result.by_second), default=0)


def _css(result: Result) -> str:
    return result.verdict.replace(" ", "-")


def _lines(findings: Sequence[str]) -> str:
    return "<br>".join(map(escape, findings))
