"""PyPI fastmcp: opens the browser of the machine, waits for it at a port of its own, and lives a day.

    python pypi_fastmcp.py http://127.0.0.1:8000
"""

import asyncio
import sys
import webbrowser
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import requests
from day import live_a_day, new_viennese
from fastmcp import Client
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from world import Person

# The library opens the browser before it listens for it.
PATIENCE = Retry(connect=12, backoff_factor=0.01)


class Machine(webbrowser.BaseBrowser):
    """The machine of a person, who needs no help."""

    def __init__(self, server: str, person: Person) -> None:
        super().__init__("nobody")
        self.server, self.person, self.visits = server, person, 0

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        """She signs in while the library goes on."""
        asked = parse_qs(urlsplit(url).query)
        assert asked["resource"] == [f"{self.server}/mcp"], asked
        self.visits += 1
        Thread(target=self.sign_in, args=[url]).start()
        return True

    def sign_in(self, address: str) -> None:
        """Goes all the way to the library's own page."""
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(max_retries=PATIENCE))
            answer = session.get(self.person.browser.visit(address))
        assert answer.status_code == 200, answer.text


async def main() -> None:
    server = sys.argv[1]
    machine = Machine(server, new_viennese(server, "fastmcp@example.org"))
    webbrowser.register("nobody", None, machine, preferred=True)
    async with Client(f"{server}/mcp", auth="oauth") as client:
        assert client.protocol_version == "2026-07-28", client.protocol_version
        await live_a_day(await client.list_tools(), client.call_tool_mcp)
    assert machine.visits == 1, machine.visits
    print("ok")


asyncio.run(main())
