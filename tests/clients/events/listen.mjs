// Listens with the package `eventsource`, as docs/events.md shows it.

import assert from "node:assert/strict";
import { EventSource } from "eventsource";

const [server] = process.argv.slice(2);

async function call(method, path, token, body) {
  const headers = { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(`${server}${path}`, { method, headers, body: JSON.stringify(body) });
  const text = await response.text();
  assert(response.ok, `${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

const person = { email: "ada@example.org", password: "correct horse battery staple" };
await call("POST", "/api/auth/register", "", person);
const { access_token: token } = await call("POST", "/api/auth/login", "", person);

let current;
const events = new EventSource(`${server}/api/events`, {
  fetch: (url, init) => {
    // So that the connection can be cut under the client.
    current = new AbortController();
    const headers = { ...init.headers, Authorization: `Bearer ${token}` };
    return fetch(url, { ...init, headers, signal: AbortSignal.any([init.signal, current.signal]) });
  },
});

const heard = [];
let ready = 0;
let notify = () => {};
events.addEventListener("ready", () => {
  ready += 1;
  notify();
});
events.addEventListener("task.created", (event) => {
  heard.push([event.lastEventId, JSON.parse(event.data).task.title]);
  notify();
});

/** Waits for something; the test runner ends a wait that is too long. */
async function until(condition) {
  while (!condition()) {
    await new Promise((resolve) => {
      notify = resolve;
    });
  }
}

await until(() => ready === 1);
await call("POST", "/api/tasks", token, { title: "heard at once" });
await until(() => heard.length === 1);
current.abort();
await call("POST", "/api/tasks", token, { title: "missed" });
await call("POST", "/api/tasks", token, { title: "and one more" });
await until(() => heard.length === 3 && ready === 2);
events.close();

assert.deepEqual(heard, [
  ["1", "heard at once"],
  ["2", "missed"],
  ["3", "and one more"],
]);
