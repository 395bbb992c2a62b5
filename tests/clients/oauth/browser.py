"""A browser without a person: cookies, redirects and forms of one server, no scripts.

It fills in what the pages ask for by the names of their fields, as password managers do, and leaves everything else (hidden
fields, ticked boxes) as the page has it. The same as browser.mjs.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

# More pages than any way through the server has.
MOST_PAGES = 12
# The names by which a form is known that asks a person something.
ASKED = {"password", "decision", "user_code"}


@dataclass
class Form:
    """A form as the page has it."""

    action: str
    method: str
    controls: list[dict[str, Any]] = field(default_factory=list)


class Forms(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own: dict[str, Any] = dict(attrs)
        if tag == "form":
            self.found.append(Form(own.get("action") or "", (own.get("method") or "get").upper()))
        elif tag in ("input", "button") and self.found:
            kind = "submit" if tag == "button" else own.get("type") or "text"
            self.found[-1].controls.append({**own, "type": kind})


class Browser:
    """One person's browser; who she is, is said when it is made."""

    def __init__(self, server: str, email: str, password: str) -> None:
        self.server = server
        self.own = {"email": email, "password": password}
        self.session = requests.Session()

    def visit(self, address: str, decision: str = "allow") -> str:
        """Opens an address and does what its pages ask for: signs in and decides. Ends at the first address of another
        origin, which is not opened, or at a page that asks for nothing."""
        method, fields = "GET", None
        for _ in range(MOST_PAGES):
            headers = {"Origin": self.server, "Sec-Fetch-Site": "same-origin"} if method == "POST" else {}
            answer = self.session.request(method, address, data=fields, headers=headers, allow_redirects=False)
            if "location" in answer.headers:
                # 307 and 308 would send the password on.
                assert answer.status_code in (302, 303), answer.status_code
                address, method, fields = urljoin(address, answer.headers["location"]), "GET", None
                if urlsplit(address)[:2] != urlsplit(self.server)[:2]:
                    return address
                continue
            assert answer.status_code == 200, f"{address}: {answer.status_code}\n{answer.text}"
            page = Forms()
            page.feed(answer.text)
            form = next((form for form in page.found if ASKED & {own.get("name") for own in form.controls}), None)
            if form is None:
                return address
            assert form.method == "POST", form
            address, method, fields = urljoin(address, form.action), "POST", self.fill_in(form, decision)
        raise AssertionError(f"no end after {MOST_PAGES} pages: {address}")

    def fill_in(self, form: Form, decision: str) -> list[tuple[str, str]]:
        """What the form sends."""
        fields = []
        for control in form.controls:
            name, value = control.get("name"), control.get("value") or ""
            if not name or "disabled" in control:
                continue
            if control["type"] == "checkbox" and "checked" not in control:
                continue
            if control["type"] == "submit" and (name, value) != ("decision", decision):
                continue
            fields.append((name, self.own.get(name, value)))
        return fields
