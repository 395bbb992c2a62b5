// Signs in with either SDK of the Model Context Protocol, by its own transport, and lives a day.

import assert from "node:assert/strict";

import { liveADay, newViennese } from "./day.mjs";
import { Provider } from "./mcp.mjs";

/**
 * `sdk` has the SDK's `Transport` and `Unauthorized`, `newClient()`, `finish(transport, callback)` and the `version` of the
 * protocol that the two agree on.
 */
export async function connectAndLiveADay(sdk, server, email) {
  const person = await newViennese(server, email);
  const provider = new Provider("none");
  const connect = async () => {
    const client = sdk.newClient();
    const transport = new sdk.Transport(new URL(`${server}/mcp`), { authProvider: provider });
    return { client, transport, refused: await client.connect(transport).catch((error) => error) };
  };

  const first = await connect();
  assert(first.refused instanceof sdk.Unauthorized, String(first.refused));
  assert.equal(provider.address.searchParams.get("resource"), `${server}/mcp`);
  assert.equal(provider.address.searchParams.get("code_challenge_method"), "S256");
  const callback = await person.browser.visit(provider.address);
  await sdk.finish(first.transport, callback.searchParams);

  const { client, refused } = await connect();
  assert.equal(refused, undefined, String(refused));
  try {
    assert.equal(sdk.versionOf(client), sdk.version);
    assert.equal(client.getServerVersion().name, "mindflow");
    assert(client.getInstructions().includes("get_best_task"));
    await liveADay({
      list: async () => (await client.listTools()).tools,
      call: (name, args) => client.callTool({ name, arguments: args }),
    });
  } finally {
    await client.close();
  }
  console.log("ok");
}
