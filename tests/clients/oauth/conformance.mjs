// `conformance authorization` of npm @modelcontextprotocol/conformance. It asks for no scope and for no resource, shows an
// address that a person opens, and waits for the browser at a port of its own.
//
//     node conformance.mjs http://127.0.0.1:8000 CLIENT_ID
//
// The client must be public, since the suite proves nothing where a server takes public ones; its redirect URI must be
// http://127.0.0.1/callback.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { freePort, newPerson } from "./world.mjs";

const [server, clientId] = process.argv.slice(2);
assert(clientId, "usage: conformance.mjs URL CLIENT_ID");

/** Runs the program, being its person; gives its exit code and what it printed. */
async function run(options) {
  const child = spawn("conformance", ["authorization", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const lines = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      const [address] = new RegExp(`${server}/oauth/authorize\\S*`).exec(line) ?? [];
      if (address) await openForPerson(address);
    }
  } finally {
    // It would wait for the browser for five minutes.
    child.kill();
  }
  return { code: await ended, said: lines.join("\n") };
}

async function openForPerson(address) {
  const callback = await person.browser.visit(address);
  const response = await fetch(callback);
  assert.equal(response.status, 200);
}

const person = await newPerson(server, "conformance@example.org");
const results = await mkdtemp(join(tmpdir(), "mindflow-conformance-"));
try {
  const options = ["--url", server, "--client-id", clientId, "--port", String(await freePort()), "--output-dir", results];
  const { code, said } = await run(options);
  const files = (await readdir(results, { recursive: true })).filter((name) => name.endsWith("checks.json"));
  const checks = (await Promise.all(files.map((name) => readFile(join(results, name), "utf8")))).flatMap((text) => JSON.parse(text));
  assert.equal(code, 0, `${said}\n${JSON.stringify(checks, undefined, 2)}`);
  // What it skips counts as passed for its exit code.
  const ids = checks.filter((check) => check.status === "SUCCESS").map((check) => check.id);
  assert(ids.includes("authorization-code-grant"), said);
  assert.deepEqual(checks.filter((check) => !["SUCCESS", "INFO"].includes(check.status)), [], said);
  console.log(said);
} finally {
  await rm(results, { recursive: true, force: true });
}
