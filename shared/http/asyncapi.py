"""The AsyncAPI document of a service as JSON and as a page, served without a CDN.

The page's script and style are those of @asyncapi/react-component 3.1.5 (Apache 2.0), kept beside this file.
"""

import html
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from faststream.rabbit import RabbitBroker
from faststream.specification import AsyncAPI

from shared.envelope import CONTENT_TYPE

FILES = Path(__file__).with_name("asyncapi")
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/asyncapi/default.min.css"></head>
<body style="font-family: system-ui, sans-serif">
<div id="asyncapi"></div>
<script src="/asyncapi/index.js"></script>
<script>
fetch("/asyncapi.json").then(answer => answer.json()).then(schema => AsyncApiStandalone.render(
  {{schema, config: {{show: {{sidebar: true}}}}}}, document.getElementById("asyncapi")));
</script>
</body></html>"""


def asyncapi_router(service: str, version: str, broker: RabbitBroker) -> APIRouter:
    """Serve `/asyncapi` and `/asyncapi.json`."""
    router = APIRouter(include_in_schema=False)
    title = f"Quartet: {service}"
    document = AsyncAPI(broker, title=title, version=version, schema_version="3.0.0")

    @router.get("/asyncapi.json")
    async def schema() -> Response:
        return Response(
            orjson.dumps(_corrected(document.to_specification().to_jsonable())), media_type="application/json"
        )

    @router.get("/asyncapi")
    async def page() -> HTMLResponse:
        return HTMLResponse(_PAGE.format(title=html.escape(title)))

    @router.get("/asyncapi/index.js")
    async def script() -> Response:
        return Response(
            (FILES / "index.js.gz").read_bytes(),
            media_type="text/javascript",
            headers={**_FOREVER, "Content-Encoding": "gzip"},
        )

    @router.get("/asyncapi/default.min.css")
    async def style() -> Response:
        return Response((FILES / "default.min.css").read_bytes(), media_type="text/css", headers=_FOREVER)

    return router


def _corrected(document: dict[str, Any]) -> dict[str, Any]:
    """Say what FastStream cannot know: the content type is ours, and the correlation id is inside each event."""
    document["defaultContentType"] = CONTENT_TYPE
    for message in document["components"]["messages"].values():
        message["correlationId"] = {"location": "$message.payload#/0/correlationid"}
    return document
