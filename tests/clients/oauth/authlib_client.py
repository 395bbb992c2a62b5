"""PyPI authlib: a public client, clients with a secret, and one that proves who it is with a key.

    python authlib_client.py http://127.0.0.1:8000 CLIENT_ID CLIENT_SECRET

The client must be one with a secret and the redirect URI http://127.0.0.1/callback.
"""

import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2 import rfc9207
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from authlib.oauth2.rfc9068.claims import JWTAccessTokenClaims
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from world import REDIRECT_URI, Person, assert_refused, assert_works, new_person

SCOPE = "read write openid email profile"


def discover(server: str) -> AuthorizationServerMetadata:
    """The metadata, which the library finds nothing wrong with."""
    metadata = AuthorizationServerMetadata(requests.get(get_well_known_url(server, external=True)).json())
    metadata.validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
    assert metadata["issuer"] == server
    return metadata


class Scenario:
    """A client, used by one person."""

    def __init__(self, metadata: AuthorizationServerMetadata, person: Person) -> None:
        self.metadata, self.person, self.server = metadata, person, metadata["issuer"]
        self.keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"]).json())

    def session(self, client_id: str, secret: Any, method: str) -> OAuth2Session:
        """The library's client."""
        session = OAuth2Session(
            client_id,
            secret,
            scope=SCOPE,
            redirect_uri=REDIRECT_URI,
            code_challenge_method="S256",
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
        )
        if method == "private_key_jwt":
            session.register_client_auth_method(PrivateKeyJWT(self.metadata["token_endpoint"]))
        return session

    def register(self, method: str, **more: Any) -> tuple[str, str | None]:
        """Makes the client known; the library has no function for RFC 7591."""
        body = {"client_name": "Authlib", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": method, **more}
        answer = requests.post(self.metadata["registration_endpoint"], json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["client_id"], answer.json().get("client_secret")

    def sign_in(self, session: OAuth2Session) -> dict[str, Any]:
        """Authorization code with PKCE, state, nonce and resource."""
        verifier, nonce, resource = generate_token(48), generate_token(), f"{self.server}/api"
        address, state = session.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, resource=resource
        )
        callback = self.person.browser.visit(address)
        assert parse_qs(urlsplit(callback).query)["iss"] == [self.server]
        tokens: dict[str, Any] = session.fetch_token(
            self.metadata["token_endpoint"],
            authorization_response=callback,
            state=state,
            code_verifier=verifier,
            resource=resource,
        )
        assert sorted(tokens["scope"].split()) == sorted(SCOPE.split()), tokens["scope"]
        self.check_id_token(session.client_id, tokens, nonce)
        self.check_access_token(session.client_id, tokens)
        return tokens

    def check_id_token(self, client_id: str, tokens: dict[str, Any], nonce: str) -> None:
        """The signature, and what OpenID Connect Core wants of the claims."""
        token = jwt.decode(tokens["id_token"], self.keys, algorithms=["RS256"])
        options = {"iss": {"value": self.server}, "aud": {"value": client_id}, "sub": {"value": self.person.id}}
        params = {"client_id": client_id, "nonce": nonce, "access_token": tokens["access_token"]}
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate()
        assert claims["nonce"] == nonce

    def check_access_token(self, client_id: str, tokens: dict[str, Any]) -> None:
        """The signature, and what RFC 9068 wants of the claims."""
        token = jwt.decode(tokens["access_token"], self.keys, algorithms=["RS256"])
        essential: dict[str, Any] = {name: {"essential": True} for name in ("exp", "iat", "jti", "scope")}
        values = {"iss": self.server, "aud": f"{self.server}/api", "sub": self.person.id, "client_id": client_id}
        options = essential | {name: {"essential": True, "value": value} for name, value in values.items()}
        JWTAccessTokenClaims(token.claims, token.header, options).validate()
        assert token.header["typ"] == "at+jwt"

    def whole_life(self, client_id: str, secret: Any, method: str) -> None:
        """Signs in, calls, refreshes, asks, revokes."""
        session = self.session(client_id, secret, method)
        first = self.sign_in(session)
        assert session.get(f"{self.server}/api/auth/me").json()["email"] == self.person.email
        info = session.get(self.metadata["userinfo_endpoint"])
        assert info.status_code == 200, info.text
        assert (info.json()["sub"], info.json()["email"]) == (self.person.id, self.person.email)

        second = session.refresh_token(self.metadata["token_endpoint"])
        assert second["refresh_token"] != first["refresh_token"]
        assert_works(self.server, second["access_token"], self.person)

        if method != "none":
            told = self.introspect(session, second["access_token"])
            assert (told["active"], told["client_id"], told["sub"]) == (True, client_id, self.person.id), told
        answer = session.revoke_token(
            self.metadata["revocation_endpoint"], second["refresh_token"], token_type_hint="refresh_token"
        )
        assert answer.status_code == 200, answer.text
        assert_refused(self.server, second["access_token"])
        if method != "none":
            assert self.introspect(session, second["access_token"]) == {"active": False}
        try:
            session.refresh_token(self.metadata["token_endpoint"], second["refresh_token"])
        except OAuthError as error:
            assert error.error == "invalid_grant", error
        else:
            raise AssertionError("a revoked refresh token was good")

    def introspect(self, session: OAuth2Session, token: str) -> dict[str, Any]:
        answer = session.introspect_token(self.metadata["introspection_endpoint"], token)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


def main() -> None:
    server, client_id, secret = sys.argv[1:]
    person = new_person(server, "authlib@example.org")
    scenario = Scenario(discover(server), person)
    scenario.whole_life(client_id, secret, "client_secret_post")
    for method in ("none", "client_secret_basic"):
        scenario.whole_life(*scenario.register(method), method)
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"})
    registered, _ = scenario.register("private_key_jwt", jwks={"keys": [key.as_dict(private=False)]})
    scenario.whole_life(registered, key, "private_key_jwt")
    print("ok")


main()
