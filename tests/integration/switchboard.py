"""The way to services by their names, where they run in this process."""

from collections.abc import Mapping

import httpx

from infra.ports import SERVICES
from tests.integration.outside import AUTHORITIES
from tests.integration.stage import Actor


class Switchboard(httpx.AsyncBaseTransport):
    """The way to actors by their names, and to everybody else over the network. An actor that left does not answer."""

    def __init__(self, actors: Mapping[str, Actor]) -> None:
        self._actors = actors
        self._network = httpx.AsyncHTTPTransport(verify=AUTHORITIES, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand a request to whom it is meant for."""
        if request.url.host not in SERVICES:
            return await self._network.handle_async_request(request)
        if request.url.host not in self._actors:
            raise httpx.ConnectError("nobody listens")
        return await self._actors[request.url.host].transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections over the network."""
        await self._network.aclose()
