// What an assistant's host does with either SDK of the Model Context Protocol: it meets a server that it knows nothing of,
// registers itself, has a person sign in, calls, refreshes, and hears when it was disconnected.

import assert from "node:assert/strict";

import { assertRefused, assertWorks, callApi, claimsOf, newPerson, REDIRECT_URI } from "./world.mjs";

/** Keeps what an SDK wants kept; the next address for the browser is in `address`. */
export class Provider {
  redirectUrl = REDIRECT_URI;
  forgotten = [];
  #method;

  constructor(method) {
    this.#method = method;
  }
  get clientMetadata() {
    return {
      client_name: "An assistant",
      redirect_uris: [REDIRECT_URI],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: this.#method,
    };
  }
  state() {
    this.sentState = crypto.randomUUID();
    return this.sentState;
  }
  clientInformation() {
    return this.information;
  }
  saveClientInformation(information) {
    this.information = information;
  }
  tokens() {
    return this.kept;
  }
  saveTokens(tokens) {
    this.kept = tokens;
  }
  redirectToAuthorization(address) {
    this.address = address;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
  discoveryState() {
    return this.discovered;
  }
  saveDiscoveryState(state) {
    this.discovered = state;
  }
  invalidateCredentials(what) {
    this.forgotten.push(what);
    this.kept = undefined;
    if (what === "all") this.information = undefined;
  }
}

/** One SDK's functions against one server, for one person. */
class Host {
  #sdk;
  #server;
  #person;

  constructor(sdk, server, person) {
    this.#sdk = sdk;
    this.#server = server;
    this.#person = person;
  }

  /** Signs in to a resource, with nothing known but its URL. */
  async connect(resource, method, challenge = {}) {
    const provider = new Provider(method);
    const serverUrl = `${this.#server}/${resource}`;
    assert.equal(await this.#sdk.auth(provider, { serverUrl, ...challenge }), "REDIRECT");
    const asked = provider.address.searchParams;
    assert.equal(asked.get("resource"), serverUrl);
    assert.equal(asked.get("code_challenge_method"), "S256");
    assert.equal(provider.information.token_endpoint_auth_method, method);

    const callback = await this.#person.browser.visit(provider.address);
    const answer = callback.searchParams;
    assert.equal(answer.get("state"), provider.sentState);
    assert.equal(answer.get("iss"), this.#server);
    const redeem = { serverUrl, authorizationCode: answer.get("code"), iss: answer.get("iss") };
    assert.equal(await this.#sdk.auth(provider, redeem), "AUTHORIZED");
    assert.equal(provider.kept.expires_in, 3600);
    assert.equal(claimsOf(provider.kept.access_token).aud, serverUrl);
    return provider;
  }

  /** The host asks without a token, as it does first, and reads the challenge. */
  async challenge() {
    const response = await fetch(`${this.#server}/api/tasks`);
    assert.equal(response.status, 401);
    const { resourceMetadataUrl, scope } = this.#sdk.extractWWWAuthenticateParams(response);
    assert.equal(resourceMetadataUrl.href, `${this.#server}/.well-known/oauth-protected-resource/api`);
    assert(scope.split(" ").includes("read"), scope);
    return { resourceMetadataUrl, scope };
  }

  async refresh(provider, resource) {
    const before = provider.kept;
    assert.equal(await this.#sdk.auth(provider, { serverUrl: `${this.#server}/${resource}` }), "AUTHORIZED");
    assert.notEqual(provider.kept.refresh_token, before.refresh_token);
    assert.notEqual(provider.kept.access_token, before.access_token);
  }

  /** Neither SDK has a function for RFC 7009. */
  async revoke({ discovered, information, kept }) {
    const { client_id, client_secret, token_endpoint_auth_method: method } = information;
    const body = new URLSearchParams({ token: kept.refresh_token });
    const headers = {};
    if (method === "client_secret_basic") headers.authorization = `Basic ${btoa(`${client_id}:${client_secret}`)}`;
    else body.append("client_id", client_id);
    if (method === "client_secret_post") body.append("client_secret", client_secret);
    const address = discovered.authorizationServerMetadata.revocation_endpoint;
    const response = await fetch(address, { method: "POST", headers, body });
    assert.equal(response.status, 200, await response.text());
  }

  /** It was disconnected: the SDK finds out by itself and has the person asked again. */
  async reconnect(provider, resource) {
    provider.address = undefined;
    assert.equal(await this.#sdk.auth(provider, { serverUrl: `${this.#server}/${resource}` }), "REDIRECT");
    assert.deepEqual(provider.forgotten, ["tokens"]);
    assert.equal(provider.address.searchParams.get("client_id"), provider.information.client_id);
  }
}

/** Runs it all; `sdk` has `auth` and `extractWWWAuthenticateParams`. */
export async function connectAnAssistant(sdk, server, email) {
  const person = await newPerson(server, email);
  const host = new Host(sdk, server, person);
  for (const method of ["none", "client_secret_post", "client_secret_basic"]) {
    const api = await host.connect("api", method, await host.challenge());
    await assertWorks(server, api.kept.access_token, person);
    await host.refresh(api, "api");
    await assertWorks(server, api.kept.access_token, person);
    const { access_token: last } = api.kept;
    await host.revoke(api);
    await assertRefused(server, last);
    await host.reconnect(api, "api");
  }

  // Scopes as the resource's metadata names them; a token for MCP is none for the API.
  const mcp = await host.connect("mcp", "none");
  assert.deepEqual(mcp.kept.scope.split(" ").filter((scope) => scope !== "offline_access"), ["read", "write"]);
  await assertRefused(server, mcp.kept.access_token);
  await host.refresh(mcp, "mcp");
  assert.equal(claimsOf(mcp.kept.access_token).aud, `${server}/mcp`);

  // The person sees what is connected, and can end it without the client.
  const session = await signIn(server, person);
  const { items } = await (await callApi(server, "/api/auth/apps", session)).json();
  assert.equal(items.length, 1, JSON.stringify(items));
  const ended = await callApi(server, `/api/auth/apps/${items[0].id}`, session, { method: "DELETE" });
  assert.equal(ended.status, 204, await ended.text());
  await host.reconnect(mcp, "mcp");
  console.log("ok");
}

async function signIn(server, { email, password }) {
  const response = await fetch(`${server}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  return (await response.json()).access_token;
}
