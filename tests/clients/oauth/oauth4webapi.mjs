// npm oauth4webapi: every answer is checked against the specifications, access tokens with validateJwtAccessToken. A public
// client, and clients that prove who they are with a key.
//
//     node oauth4webapi.mjs http://127.0.0.1:8000

import assert from "node:assert/strict";

import * as oauth from "oauth4webapi";

import { assertRefused, assertWorks, newPerson, REDIRECT_URI } from "./world.mjs";

const [server] = process.argv.slice(2);
assert(server, "usage: oauth4webapi.mjs URL");

// The server under test has no certificate.
const insecure = { [oauth.allowInsecureRequests]: true };
const api = `${server}/api`;
const person = await newPerson(server, "oauth4webapi@example.org");

/** From a refused call to the authorization server's metadata, as RFC 9728 leads there. */
async function discover() {
  const call = oauth.protectedResourceRequest("none", "GET", new URL(`${api}/tasks`), undefined, undefined, insecure);
  const refusal = await call.then(assert.fail, (error) => error);
  assert(refusal instanceof oauth.WWWAuthenticateChallengeError, refusal);
  assert.equal(refusal.status, 401);
  const [challenge] = refusal.cause;
  assert.equal(challenge.scheme, "bearer");
  assert.equal(challenge.parameters.error, "invalid_token");
  assert.equal(challenge.parameters.resource_metadata, `${server}/.well-known/oauth-protected-resource/api`);

  const resource = new URL(api);
  const described = await oauth.resourceDiscoveryRequest(resource, insecure);
  const { authorization_servers: issuers } = await oauth.processResourceDiscoveryResponse(resource, described);
  assert.deepEqual(issuers, [server]);
  const issuer = new URL(issuers[0]);
  const found = {};
  for (const algorithm of ["oidc", "oauth2"]) {
    const response = await oauth.discoveryRequest(issuer, { ...insecure, algorithm });
    assert.match(response.headers.get("cache-control"), /max-age=\d+/);
    found[algorithm] = await oauth.processDiscoveryResponse(issuer, response);
  }
  assert.deepEqual(found.oidc, found.oauth2);
  return found.oauth2;
}

async function register(metadata) {
  const whole = { client_name: "oauth4webapi", redirect_uris: [REDIRECT_URI], ...metadata };
  const response = await oauth.dynamicClientRegistrationRequest(as, whole, insecure);
  return oauth.processDynamicClientRegistrationResponse(response);
}

async function authorize(client, parameters, options) {
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
  const address = new URL(as.authorization_endpoint);
  address.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    ...parameters,
  });
  const callback = await person.browser.visit(address, options);
  return { verifier, answer: oauth.validateAuthResponse(as, client, callback, state) };
}

async function exchange(client, proof, { answer, verifier }, resource = api) {
  const options = { ...insecure, additionalParameters: { resource } };
  return oauth.processAuthorizationCodeResponse(
    as,
    client,
    await oauth.authorizationCodeGrantRequest(as, client, proof, answer, REDIRECT_URI, verifier, options),
  );
}

/** The access token is what RFC 9068 wants, for exactly this client, person and resource. */
async function validate(client, { access_token: token, scope }) {
  const request = new Request(`${api}/tasks`, { headers: { authorization: `Bearer ${token}` } });
  const claims = await oauth.validateJwtAccessToken(as, request, api, insecure);
  assert.deepEqual(
    [claims.iss, claims.aud, claims.sub, claims.client_id, claims.scope],
    [server, api, person.id, client.client_id, scope],
  );
  assert.equal(claims.exp - claims.iat, 3600);
  await assert.rejects(oauth.validateJwtAccessToken(as, request, `${server}/mcp`, insecure));
  return claims;
}

async function refresh(client, proof, { refresh_token: token }) {
  const response = await oauth.refreshTokenGrantRequest(as, client, proof, token, insecure);
  return oauth.processRefreshTokenResponse(as, client, response);
}

async function introspect(client, proof, token) {
  const response = await oauth.introspectionRequest(as, client, proof, token, insecure);
  return oauth.processIntrospectionResponse(as, client, response);
}

async function revoke(client, proof, token) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, proof, token, insecure));
}

async function wholeLife(client, proof) {
  const asked = await authorize(client, { scope: "read write", resource: api });
  const tokens = await exchange(client, proof, asked);
  assert.equal(tokens.scope, "read write");
  const first = await validate(client, tokens);
  await assertWorks(server, tokens.access_token, person);

  const fresh = await refresh(client, proof, tokens);
  assert.notEqual(fresh.refresh_token, tokens.refresh_token);
  const second = await validate(client, fresh);
  assert.notEqual(first.jti, second.jti);
  await assertWorks(server, fresh.access_token, person);

  if (client.token_endpoint_auth_method !== "none") {
    const told = await introspect(client, proof, fresh.access_token);
    assert.deepEqual([told.active, told.jti, told.exp], [true, second.jti, second.exp]);
    await revoke(client, proof, fresh.access_token);
    assert.deepEqual(await introspect(client, proof, fresh.access_token), { active: false });
  } else {
    await revoke(client, proof, fresh.refresh_token);
  }
  await assertRefused(server, fresh.access_token);
}

/** What is asked for is not always what is given: the client hears of it. */
async function whatPeopleDecide(client, proof) {
  const unticked = await authorize(client, { scope: "read write", resource: api }, { untick: ["write"] });
  assert.equal((await exchange(client, proof, unticked)).scope, "read");
  const silent = await authorize(client, { resource: api });
  assert.equal((await exchange(client, proof, silent)).scope, "read");
  const denied = authorize(client, { scope: "read", resource: api, prompt: "consent" }, { decision: "deny" });
  await assert.rejects(denied, { error: "access_denied" });
  const foreign = authorize(client, { scope: "read", resource: "https://other.example/mcp" });
  await assert.rejects(foreign, { error: "invalid_target" });
}

/** A code redeemed twice was stolen: all that it gave ends. */
async function aCodeThatComesAgain(client, proof) {
  const asked = await authorize(client, { scope: "read", resource: api });
  const tokens = await exchange(client, proof, asked);
  await assertWorks(server, tokens.access_token, person);
  await assert.rejects(exchange(client, proof, asked), { error: "invalid_grant" });
  await assertRefused(server, tokens.access_token);
  await assert.rejects(refresh(client, proof, tokens), { error: "invalid_grant" });
}

const as = await discover();
const open = await register({ token_endpoint_auth_method: "none" });
assert.equal(open.client_secret, undefined);
await wholeLife(open, oauth.None());
await whatPeopleDecide(open, oauth.None());
await aCodeThatComesAgain(open, oauth.None());
for (const algorithm of ["ES256", "RS256", "Ed25519"]) {
  const { privateKey, publicKey } = await oauth.generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...(await crypto.subtle.exportKey("jwk", publicKey)), kid: algorithm, use: "sig", alg: algorithm };
  const proven = await register({ token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [jwk] } });
  await wholeLife(proven, oauth.PrivateKeyJwt({ key: privateKey, kid: jwk.kid }));
}
console.log("ok");
