"""The AsyncAPI page of every service: whole without any other server, and about the lanes that really are."""

import re
from html.parser import HTMLParser

import pytest

from infra.ports import SERVICES
from infra.topology import TABLES
from shared.topology import lanes_of
from tests.integration.stage import Stage

pytestmark = [pytest.mark.integration, pytest.mark.once]

CONTENT_TYPES = {"script": "text/javascript", "link": "text/css"}


class References(HTMLParser):
    """Collects what a page loads: by tag, the addresses in `src` and `href`."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one."""
        self.found += [(tag, value) for name, value in attrs if name in {"src", "href"} and value is not None]


def references(page: str) -> list[tuple[str, str]]:
    """Give what a page loads, but for what it holds itself."""
    parser = References()
    parser.feed(page)
    return [(tag, address) for tag, address in parser.found if not address.startswith("data:")]


@pytest.mark.parametrize("service", SERVICES)
async def test_the_page_loads_from_its_own_service_alone(stage: Stage, service: str) -> None:
    """Its script and its style are served beside it, and lead nowhere else."""
    actor = await stage.start(service)
    page = await actor.http.get("/asyncapi")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    loaded = references(page.text)
    assert {tag for tag, _ in loaded} == {"script", "link"}
    for tag, address in loaded:
        assert address.startswith("/"), address
        assert not address.startswith("//"), address
        answer = await actor.http.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(CONTENT_TYPES[tag])
        assert len(answer.text) > 10_000
        if tag == "link":
            assert re.findall(r"@import|url\(\s*['\"]?(?:https?:)?//", answer.text) == []


@pytest.mark.parametrize("service", SERVICES)
async def test_the_document_tells_of_every_lane_and_every_event(stage: Stage, service: str) -> None:
    """All that it reacts to is received, all that it publishes is sent, and personal data is marked."""
    actor = await stage.start(service)
    answer = await actor.http.get("/asyncapi.json")
    document = answer.json()
    assert document["asyncapi"].startswith("3.")
    (table,) = (one for one in TABLES if one.service == service)
    actions = [operation["action"] for operation in document["operations"].values()]
    assert actions.count("receive") == len(table.consumed)
    assert actions.count("send") == len(table.published)
    for lane in lanes_of(table):
        assert lane.queue in answer.text
    for event in table.published:
        assert event.kind.type in answer.text
    if service == "notification":
        assert "x-personal-data" in answer.text
