// `conformance server` of npm @modelcontextprotocol/conformance, which knows nothing of tokens: where one is needed, it goes
// through a door that adds one to each request.
//
//     node conformance_server.mjs http://127.0.0.1:8000/mcp REVISION EXPECTED_FAILURES [SCENARIO...]
//
// What is expected to fail is in a file of the suite's own form; the suite fails on what it names and passes, too. The
// scenarios are such that the suite runs without counting them; they must pass here.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { newViennese } from "./day.mjs";
import { callApi } from "./world.mjs";

const [endpoint, revision, expected, ...also] = process.argv.slice(2);
assert(expected, "usage: conformance_server.mjs URL REVISION EXPECTED_FAILURES [SCENARIO...]");

/** A token that a person made for a program of theirs. */
async function newToken(server) {
  const { session } = await newViennese(server, `conformance-${revision}@example.org`);
  const body = JSON.stringify({ name: "Conformance", scopes: ["read", "write"] });
  const made = await callApi(server, "/api/auth/tokens", session, { method: "POST", body });
  assert.equal(made.status, 201, await made.clone().text());
  return (await made.json()).token;
}

/** Opens the door; gives its address. */
async function openDoor(token) {
  const to = new URL(endpoint);
  const door = createServer((asked, answer) => {
    const headers = { authorization: `Bearer ${token}`, ...asked.headers };
    const onward = request(to, { method: asked.method, headers }, (response) => {
      answer.writeHead(response.statusCode, response.headers);
      response.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    // Who stops listening to a stream stops the server's work on it.
    answer.on("close", () => onward.destroy());
    asked.pipe(onward);
  });
  door.listen(0, "127.0.0.1").unref();
  await new Promise((resolve) => door.once("listening", resolve));
  return `http://127.0.0.1:${door.address().port}${to.pathname}`;
}

/** Runs the suite; gives its exit code and what it printed. */
async function run(options) {
  const child = spawn("conformance", ["server", ...options], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => said.push(data));
  return { code: await ended, said: Buffer.concat(said).toString() };
}

/** Every check that did not pass, each with its scenario in front. */
async function faultsIn(results) {
  const files = (await readdir(results, { recursive: true })).filter((name) => name.endsWith("checks.json"));
  const told = files.map(async (name) => {
    const checks = JSON.parse(await readFile(join(results, name), "utf8"));
    const faults = checks.filter((check) => !["SUCCESS", "INFO", "SKIPPED"].includes(check.status));
    const [, scenario] = /^server-(.*)-\d{4}-\d\d-\d\dT/.exec(name);
    return faults.map(({ id, status, errorMessage = "" }) => ({ scenario, id, status, errorMessage }));
  });
  return (await Promise.all(told)).flat();
}

const { status } = await fetch(endpoint, { method: "POST" });
const url = status === 401 ? await openDoor(await newToken(new URL(endpoint).origin)) : endpoint;
const results = await mkdtemp(join(tmpdir(), "mindflow-conformance-"));
try {
  const options = ["--url", url, "--requirements", revision, "--output-dir", results];
  const { code, said } = await run([...options, "--expected-failures", expected]);
  const faults = await faultsIn(results);
  assert.equal(code, 0, `${said}\n${JSON.stringify(faults, undefined, 2)}`);
  assert.deepEqual(faults.filter((fault) => also.includes(fault.scenario)), []);
  console.log(said);
} finally {
  await rm(results, { recursive: true, force: true });
}
