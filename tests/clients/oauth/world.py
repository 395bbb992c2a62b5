"""What the Python scenarios share: a person, her browser, and calls with the tokens that clients get."""

from dataclasses import dataclass

import requests
from browser import Browser

# Nobody listens there: the browser stops in front of it.
REDIRECT_URI = "http://127.0.0.1:4711/callback"
PASSWORD = "correct horse battery staple"


@dataclass
class Person:
    """Somebody with an account."""

    id: str
    email: str
    browser: Browser


def new_person(server: str, email: str) -> Person:
    """Makes an account, and the browser of its person."""
    body = {"email": email, "password": PASSWORD, "full_name": "Grace Hopper"}
    answer = requests.post(f"{server}/api/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    return Person(answer.json()["id"], email, Browser(server, email, PASSWORD))


def assert_works(server: str, token: str, person: Person) -> None:
    """The token is good at the API, for this person."""
    answer = requests.get(f"{server}/api/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["email"] == person.email


def assert_refused(server: str, token: str) -> None:
    """The token is no good at the API any more, or never was; the answer says how to get another."""
    answer = requests.get(f"{server}/api/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401, answer.text
    challenge = answer.headers["www-authenticate"]
    assert 'error="invalid_token"' in challenge, challenge
    assert f'resource_metadata="{server}/.well-known/oauth-protected-resource' in challenge, challenge
