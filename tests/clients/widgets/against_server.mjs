// Uses the cards of a running server: node against_server.mjs URL. An account and a token are made for it.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const url = process.argv[2];
if (url === undefined) throw new Error("usage: node against_server.mjs URL");

const account = { email: "widgets@example.org", password: "correct horse battery staple", time_zone: "Europe/Vienna" };

async function post(path, body, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

await post("/api/auth/register", account);
const { access_token } = await post("/api/auth/login", { email: account.email, password: account.password });
const { token } = await post("/api/auth/tokens", { name: "widgets", scopes: ["read", "write"] }, access_token);

for (const script of ["widgets.mjs", "inspector.mjs"]) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { status } = spawnSync(process.execPath, [path, `${url}/mcp`, token], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
