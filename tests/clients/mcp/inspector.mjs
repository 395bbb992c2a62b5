// The command line of npm @modelcontextprotocol/inspector: a process for each request, the first of which signs in.
//
//     node inspector.mjs http://127.0.0.1:8000

import assert from "node:assert/strict";
import { spawn } from "node:child_process";

import { liveADay, newViennese } from "./day.mjs";
import { followAndSignIn, withHome } from "./programs.mjs";
import { freePort } from "./world.mjs";

const [server] = process.argv.slice(2);

/** Runs the program; gives what it answered. */
async function run(env, person, args) {
  const options = ["--cli", `${server}/mcp`, "--transport", "http", "--protocol-era", "auto", "--format", "json"];
  const child = spawn("mcp-inspector", [...options, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const streams = [child.stdout, child.stderr].map((stream) => followAndSignIn(stream, server, person));
  const [code, answer, said] = await Promise.all([ended, ...streams]);
  return { code, answer, said: `${args.join(" ")}: ${code}\n${answer}\n${said}` };
}

await withHome(async (home) => {
  // Without it, the program would not begin to sign in unless a person sits in front of it.
  const env = { ...home, MCP_AUTO_OPEN_ENABLED: "true", MCP_INSPECTOR_SECRET_STORE: "file" };
  const person = await newViennese(server, "inspector@example.org");
  const callback = ["--callback-url", `http://127.0.0.1:${await freePort()}/oauth/callback`];
  const list = ["--method", "tools/list", "--strict"];

  const signedOut = await run(env, person, [...list, "--stored-auth-only"]);
  assert.equal(signedOut.code, 3, signedOut.said);
  assert(signedOut.said.includes("auth_required"), signedOut.said);
  const signedIn = await run(env, person, [...list, ...callback]);
  assert.equal(signedIn.code, 0, signedIn.said);
  assert(person.hasVisited, signedIn.said);

  await liveADay({
    // Each of its calls takes seconds.
    isSlow: true,
    list: async () => JSON.parse(signedIn.answer).result.tools,
    call: async (name, args) => {
      const call = ["--method", "tools/call", "--tool-name", name, "--tool-args-json", JSON.stringify(args)];
      const { answer, said } = await run(env, person, [...call, "--stored-auth-only"]);
      assert(answer, said);
      return JSON.parse(answer).result;
    },
  });
});
console.log("ok");
