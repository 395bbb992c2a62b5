"""PyPI mcp: finds out by itself how to sign in and which protocol to speak, and lives a day.

    python pypi_mcp.py http://127.0.0.1:8000
"""

import asyncio
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from day import live_a_day, new_viennese
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from pydantic import AnyUrl
from storage import Storage
from world import REDIRECT_URI, Person


class Host:
    """An assistant's host that one person uses."""

    def __init__(self, server: str, person: Person) -> None:
        self.server, self.person, self.visits, self.callback = server, person, 0, ""
        metadata = OAuthClientMetadata(
            client_name="An assistant", redirect_uris=[AnyUrl(REDIRECT_URI)], token_endpoint_auth_method="none"
        )
        self.provider = OAuthClientProvider(
            f"{server}/mcp", metadata, Storage(), redirect_handler=self.open, callback_handler=self.answer
        )

    async def open(self, address: str) -> None:
        """The person is sent to the server's pages."""
        asked = parse_qs(urlsplit(address).query)
        assert asked["resource"] == [f"{self.server}/mcp"], asked
        assert asked["code_challenge_method"] == ["S256"], asked
        self.visits += 1
        self.callback = await asyncio.to_thread(self.person.browser.visit, address)

    async def answer(self) -> AuthorizationCodeResult:
        """She comes back."""
        answer = {name: values[0] for name, values in parse_qs(urlsplit(self.callback).query).items()}
        return AuthorizationCodeResult(code=answer["code"], state=answer["state"], iss=answer["iss"])


async def main() -> None:
    server = sys.argv[1]
    host = Host(server, new_viennese(server, "mcp-python@example.org"))
    async with httpx2.AsyncClient(auth=host.provider) as http:
        async with Client(streamable_http_client(f"{server}/mcp", http_client=http), mode="auto") as client:
            assert client.protocol_version == "2026-07-28", client.protocol_version
            tools = (await client.list_tools()).tools
            await live_a_day(tools, client.call_tool)
    assert host.visits == 1, host.visits
    print("ok")


asyncio.run(main())
