// npm mcp-remote, which signs in for hosts that only know programs on the same machine.
//
//     node remote.mjs http://127.0.0.1:8000

import assert from "node:assert/strict";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

import { liveADay, newViennese } from "./day.mjs";
import { followAndSignIn, withHome } from "./programs.mjs";
import { freePort } from "./world.mjs";

const [server] = process.argv.slice(2);

/** A day by way of the program; `more` says which eras it may speak. */
async function connect(email, more) {
  const person = await newViennese(server, email);
  const said = await withHome(async (env) => {
    const args = [`${server}/mcp`, String(await freePort()), "--host", "127.0.0.1", ...more];
    const transport = new StdioClientTransport({ command: "mcp-remote", args, env, stderr: "pipe" });
    const said = followAndSignIn(transport.stderr, server, person);
    const client = new Client({ name: "An assistant", version: "1.0.0" });
    try {
      await client.connect(transport);
      assert.equal(client.getServerVersion().name, "mindflow");
      await liveADay({
        list: async () => (await client.listTools()).tools,
        call: (name, args) => client.callTool({ name, arguments: args }),
      });
    } finally {
      await client.close();
    }
    return said;
  });
  assert(person.hasVisited, said);
}

await connect("remote-legacy@example.org", []);
await connect("remote@example.org", ["--protocol", "auto"]);
console.log("ok");
