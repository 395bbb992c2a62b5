// What all scenarios share: a person, her browser, and calls with the tokens that clients get.

import assert from "node:assert/strict";
import { createServer } from "node:net";

import { Browser } from "./browser.mjs";

/** Where clients listen that have no server of their own; nobody does here: the browser stops in front of it. */
export const REDIRECT_URI = "http://127.0.0.1:4711/callback";

/** Makes an account, and the browser of its person. */
export async function newPerson(server, email) {
  const person = { email, password: "correct horse battery staple", full_name: "Ada Lovelace" };
  const response = await fetch(`${server}/api/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(person),
  });
  assert.equal(response.status, 201, await response.clone().text());
  return { ...person, id: (await response.json()).id, browser: new Browser(server, person) };
}

/** Calls the API with a token. */
export function callApi(server, path, token, init = {}) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return fetch(`${server}${path}`, { ...init, headers });
}

/** The token is good at the API, for this person. */
export async function assertWorks(server, token, person) {
  const response = await callApi(server, "/api/auth/me", token);
  assert.equal(response.status, 200, await response.clone().text());
  assert.equal((await response.json()).email, person.email);
}

/** The token is no good at the API any more, or never was; the answer says how to get another. */
export async function assertRefused(server, token) {
  const response = await callApi(server, "/api/auth/me", token);
  assert.equal(response.status, 401, await response.clone().text());
  const challenge = response.headers.get("www-authenticate");
  assert.match(challenge, /^Bearer .*error="invalid_token"/);
  assert(challenge.includes(`resource_metadata="${server}/.well-known/oauth-protected-resource`), challenge);
}

/** The claims of a token, unchecked. */
export function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
}

/** A port that nobody listens at, for a program that waits for a browser. */
export async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}
