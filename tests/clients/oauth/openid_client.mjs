// npm openid-client: a web application with a secret, one that registers itself, and a program without a browser.
//
//     node openid_client.mjs http://127.0.0.1:8000 CLIENT_ID CLIENT_SECRET
//
// The client must be one with a secret and the redirect URI https://app.example/callback.

import assert from "node:assert/strict";

import * as client from "openid-client";

import { assertRefused, assertWorks, callApi, newPerson, REDIRECT_URI } from "./world.mjs";

const [server, clientId, clientSecret] = process.argv.slice(2);
assert(clientSecret, "usage: openid_client.mjs URL CLIENT_ID CLIENT_SECRET");

// The server under test has no certificate.
const insecure = { execute: [client.allowInsecureRequests] };
const person = await newPerson(server, "openid-client@example.org");

/** Authorization code with PKCE, state, nonce and resource; the library checks `iss`, the ID token and its signature. */
async function signIn(config, scope, resource, more = { redirect_uri: REDIRECT_URI }) {
  client.enableNonRepudiationChecks(config);
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
  const address = client.buildAuthorizationUrl(config, {
    ...more,
    scope,
    state,
    nonce,
    resource,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const callback = await person.browser.visit(address);
  assert.equal(callback.searchParams.get("iss"), server);
  const idTokenExpected = scope.split(" ").includes("openid");
  const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected };
  if (idTokenExpected) checks.expectedNonce = nonce;
  return client.authorizationCodeGrant(config, callback, checks, { resource });
}

async function refreshAndRevoke(config, tokens) {
  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(fresh.refresh_token, tokens.refresh_token);
  assert.notEqual(fresh.access_token, tokens.access_token);
  await assertWorks(server, fresh.access_token, person);

  await client.tokenRevocation(config, fresh.refresh_token);
  await assertRefused(server, fresh.access_token);
  await assertRefused(server, tokens.access_token);
  await assert.rejects(client.refreshTokenGrant(config, fresh.refresh_token), { error: "invalid_grant", status: 400 });
  return fresh;
}

async function asWebApplication() {
  const basic = client.ClientSecretBasic(clientSecret);
  const config = await client.discovery(new URL(server), clientId, undefined, basic, insecure);
  const [scope, redirect_uri] = ["openid email profile read write", "https://app.example/callback"];
  const tokens = await signIn(config, scope, `${server}/api`, { redirect_uri });
  assert.deepEqual(tokens.scope.split(" ").sort(), ["email", "openid", "profile", "read", "write"]);
  assert.equal(tokens.token_type, "bearer");
  assert.equal(tokens.expires_in, 3600);

  const claims = tokens.claims();
  assert.equal(claims.sub, person.id);
  assert(claims.auth_time <= claims.iat);
  const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.deepEqual([info.email, info.name], [person.email, person.full_name]);

  const made = await client.fetchProtectedResource(
    config,
    tokens.access_token,
    new URL(`${server}/api/tasks`),
    "POST",
    JSON.stringify({ title: "Thank the library's author" }),
    new Headers({ "content-type": "application/json" }),
  );
  assert.equal(made.status, 201, await made.text());

  const told = await client.tokenIntrospection(config, tokens.access_token);
  assert.deepEqual([told.active, told.client_id, told.sub, told.iss], [true, clientId, person.id, server]);
  // What was allowed to an application with a website of its own is remembered.
  const silent = await signIn(config, scope, `${server}/api`, { redirect_uri, prompt: "none" });
  assert.equal(silent.claims().auth_time, claims.auth_time);

  const { refresh_token } = await refreshAndRevoke(config, tokens);
  // That was another connection.
  await assertWorks(server, silent.access_token, person);
  assert.deepEqual(await client.tokenIntrospection(config, refresh_token), { active: false });
  assert.deepEqual(await client.tokenIntrospection(config, tokens.access_token), { active: false });
}

async function asSelfRegistered() {
  const metadata = {
    client_name: "A connector",
    redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: "client_secret_post",
  };
  const config = await client.dynamicClientRegistration(new URL(server), metadata, undefined, insecure);
  const tokens = await signIn(config, "read", `${server}/api`);
  assert.equal(tokens.scope, "read");
  await assertWorks(server, tokens.access_token, person);

  const body = JSON.stringify({ title: "Not with a token that only reads" });
  const refused = await callApi(server, "/api/tasks", tokens.access_token, { method: "POST", body });
  assert.equal(refused.status, 403, await refused.text());
  assert.match(refused.headers.get("www-authenticate"), /error="insufficient_scope".*scope="[^"]*write/);

  assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, true);
  await refreshAndRevoke(config, tokens);
}

async function asDevice() {
  const metadata = {
    client_name: "A kettle",
    grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    response_types: [],
    token_endpoint_auth_method: "none",
  };
  const config = await client.dynamicClientRegistration(new URL(server), metadata, client.None(), insecure);
  const device = await client.initiateDeviceAuthorization(config, { scope: "read write" });
  // The library waits for the interval before each question.
  const polled = client.pollDeviceAuthorizationGrant(config, device);
  const end = await person.browser.visit(device.verification_uri_complete);
  assert.equal(end.origin, server);
  const tokens = await polled;
  await assertWorks(server, tokens.access_token, person);
  await refreshAndRevoke(config, tokens);
}

async function refusedDevice() {
  const metadata = { client_name: "A stranger", token_endpoint_auth_method: "none", response_types: [] };
  metadata.grant_types = ["urn:ietf:params:oauth:grant-type:device_code"];
  const config = await client.dynamicClientRegistration(new URL(server), metadata, client.None(), insecure);
  const device = await client.initiateDeviceAuthorization(config, {});
  await person.browser.visit(device.verification_uri_complete, { decision: "deny" });
  await assert.rejects(client.pollDeviceAuthorizationGrant(config, device), { error: "access_denied" });
}

await asWebApplication();
await asSelfRegistered();
// Both wait most of the time.
await Promise.all([asDevice(), refusedDevice()]);
console.log("ok");
