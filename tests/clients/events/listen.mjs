// Listens with the package `eventsource`, as docs/events.md shows it.

import assert from "node:assert/strict";
import net from "node:net";
import { EventSource } from "eventsource";

const [server] = process.argv.slice(2);

// A way to the server that can be cut.
const cables = new Set();
const way = net.createServer((near) => {
  const far = net.connect(new URL(server).port, "127.0.0.1");
  for (const [from, to] of [
    [near, far],
    [far, near],
  ]) {
    cables.add(from);
    from.on("error", () => to.destroy()).on("close", () => to.destroy());
    from.pipe(to);
  }
});
await new Promise((resolve) => {
  way.listen(0, "127.0.0.1", resolve);
});

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

const events = new EventSource(`http://127.0.0.1:${way.address().port}/api/events`, {
  fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } }),
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
cables.forEach((cable) => cable.destroy());
await call("POST", "/api/tasks", token, { title: "missed" });
await call("POST", "/api/tasks", token, { title: "and one more" });
await until(() => heard.length === 3 && ready === 2);
events.close();
way.close();

assert.deepEqual(heard, [
  ["1", "heard at once"],
  ["2", "missed"],
  ["3", "and one more"],
]);
