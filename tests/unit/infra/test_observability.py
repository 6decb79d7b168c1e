"""The alert rules and the dashboard speak of metrics and labels that there are."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from infra.home import REPOSITORY
from infra.ports import SERVICES
from infra.topology import TABLES
from services.order.sagas import OUTCOMES
from shared.metrics import Metrics, Sagas
from shared.store.backlog import Backlog, Intended, Known, Unsent
from tests.unit.shared.fakes import FakeClock

OBSERVABILITY = REPOSITORY / "infra" / "observability"
DOCUMENT = (REPOSITORY / "docs" / "metrics.md").read_text()
NAME = re.compile(r"\b(?:quartet|process|rabbitmq)_\w+|\bup\b")
LABELS = (
    re.compile(r"\bby \(([^)]*)\)"),
    re.compile(r"(\w+) ?(?:=~|!=|!~|=)\s*\""),
    re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)"),
)
THEIRS = {"up", "rabbitmq_queue_messages_ready"}
"""Prometheus's own, and the broker's."""
THEIR_LABELS = {"job", "instance", "queue", "le"}


def exposed() -> tuple[set[str], set[str]]:
    """Give the names of all samples that the four services show, and of their labels."""
    names, labels = set[str](), set[str]()
    for table in TABLES:
        metrics = Metrics(table, ["any"], FakeClock())
        metrics.show(Backlog(table.service, Unsent(0, None, 0), Known(None, None), [Intended("any")], [], []))
        if table.service == "order":
            Sagas(metrics, OUTCOMES)
        for family in metrics.registry.collect():
            suffixes = ("_bucket", "_count", "_sum") if family.type == "histogram" else ("",)
            names |= {family.name + suffix for suffix in suffixes} | {sample.name for sample in family.samples}
            labels |= {label for sample in family.samples for label in sample.labels}
    return names, labels


def rules() -> list[Any]:
    """Read the alert rules."""
    (group,) = yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())["groups"]
    return list(group["rules"])


def panels() -> Iterator[Any]:
    """Read the dashboard's panels."""
    for panel in json.loads((OBSERVABILITY / "dashboard.json").read_text())["panels"]:
        if panel["type"] != "row":
            yield panel


EXPRESSIONS = [(rule["alert"], rule["expr"], rule["annotations"]["summary"]) for rule in rules()] + [
    (panel["title"], target["expr"], target["legendFormat"]) for panel in panels() for target in panel["targets"]
]


@pytest.mark.parametrize(("title", "expression", "legend"), EXPRESSIONS, ids=[title for title, _, _ in EXPRESSIONS])
def test_what_is_asked_for_is_there(title: str, expression: str, legend: str) -> None:
    """Every metric, and every label."""
    names, labels = exposed()
    asked = set(NAME.findall(expression))
    assert asked
    assert asked <= names | THEIRS, title
    used = {
        label.strip()
        for pattern in LABELS
        for found in pattern.findall(expression + legend)
        for label in found.split(",")
    }
    assert used - {"value", ""} <= labels | THEIR_LABELS, title


def test_a_service_that_is_scraped_nowhere_is_told_of() -> None:
    """The name of a stopped container vanishes, and with it `up`, which then is not 0 but nothing at all."""
    gone = {job for rule in rules() for job in re.findall(r'absent\(up\{job="(\w+)"\}\)', rule["expr"])}
    assert gone == set(SERVICES)
    scraped = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())["scrape_configs"]
    assert gone <= {job["job_name"] for job in scraped}


def test_every_alert_says_what_it_is_about_and_how_urgent_it_is() -> None:
    """Once each."""
    alerts = [rule["alert"] for rule in rules()]
    assert len(set(alerts)) == len(alerts)
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]


def test_every_metric_of_ours_is_looked_at_and_explained() -> None:
    """By an alert or by a panel, for what nobody looks at need not be counted; and in the documentation."""
    asked = {name for _, expression, _ in EXPRESSIONS for name in NAME.findall(expression)}
    ours = {name for name in exposed()[0] if name.startswith("quartet_")}
    families = {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in ours}
    assert {family for family in families if not any(name.startswith(family) for name in asked)} == set()
    assert {family for family in families if f"`{family}`" not in DOCUMENT} == set()


def test_every_alert_is_explained() -> None:
    """With what helps."""
    assert [rule["alert"] for rule in rules()] == re.findall(r"^\| `([A-Z]\w+)` \|", DOCUMENT, re.MULTILINE)
