"""PyPI mcp: its OAuthClientProvider finds, registers, signs in and refreshes by itself, behind calls of the API.

    python mcp_python.py http://127.0.0.1:8000
"""

import asyncio
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl
from storage import Storage
from world import REDIRECT_URI, Person, assert_refused, assert_works, new_person

# Long ago: the library takes the token for expired.
PAST = 1.0


class Host:
    """An assistant's host that one person uses."""

    def __init__(self, server: str, person: Person, method: str) -> None:
        self.server, self.person = server, person
        self.storage, self.visits, self.callback = Storage(), 0, ""
        metadata = OAuthClientMetadata(
            client_name="An assistant",
            redirect_uris=[AnyUrl(REDIRECT_URI)],
            token_endpoint_auth_method=method,
        )
        self.provider = OAuthClientProvider(
            f"{server}/api", metadata, self.storage, redirect_handler=self.open, callback_handler=self.answer
        )

    async def open(self, address: str) -> None:
        """The person is sent to the server's pages."""
        asked = parse_qs(urlsplit(address).query)
        assert asked["resource"] == [f"{self.server}/api"], asked
        self.visits += 1
        self.callback = await asyncio.to_thread(self.person.browser.visit, address)

    async def answer(self) -> AuthorizationCodeResult:
        """She comes back."""
        answer = {name: values[0] for name, values in parse_qs(urlsplit(self.callback).query).items()}
        assert answer["iss"] == self.server, answer
        return AuthorizationCodeResult(code=answer["code"], state=answer["state"], iss=answer["iss"])

    async def call(self) -> OAuthToken:
        """Calls the API, with whatever has to be done before; gives the tokens that were good for it."""
        async with httpx2.AsyncClient(auth=self.provider) as http:
            answer = await http.get(f"{self.server}/api/auth/me")
        assert answer.status_code == 200, answer.text
        assert answer.json()["email"] == self.person.email
        assert self.storage.tokens
        return self.storage.tokens

    async def revoke(self) -> None:
        """The library has no function for RFC 7009; it knows how to authenticate."""
        context = self.provider.context
        assert context.oauth_metadata and context.client_info and self.storage.tokens
        fields = {"token": self.storage.tokens.refresh_token or "", "client_id": context.client_info.client_id}
        fields, headers = context.prepare_token_auth(fields, {})
        async with httpx2.AsyncClient() as http:
            address = str(context.oauth_metadata.revocation_endpoint)
            answer = await http.post(address, data=fields, headers=headers)
        assert answer.status_code == 200, answer.text


async def whole_life(server: str, person: Person, method: str) -> None:
    host = Host(server, person, method)
    first = await host.call()
    assert host.visits == 1
    assert first.expires_in == 3600 and first.refresh_token
    assert await host.call() == first

    host.provider.context.token_expiry_time = PAST
    second = await host.call()
    assert host.visits == 1, "refreshed without the person"
    assert second.refresh_token != first.refresh_token and second.access_token != first.access_token
    assert_works(server, second.access_token, person)

    await host.revoke()
    assert_refused(server, second.access_token)
    third = await host.call()
    assert host.visits == 2, "signed in again, since the refresh token was revoked"
    assert_works(server, third.access_token, person)
    assert_refused(server, second.access_token)


async def main() -> None:
    server = sys.argv[1]
    person = new_person(server, "mcp-python@example.org")
    for method in ["none", "client_secret_post", "client_secret_basic"]:
        await whole_life(server, person, method)
    print("ok")


asyncio.run(main())
