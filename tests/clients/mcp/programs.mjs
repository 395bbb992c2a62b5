// Programs of others that sign a person in by showing an address, and wait for the browser at a port of their own.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Runs something in a home that is empty before and gone afterwards, without a screen to open a browser on. */
export async function withHome(run) {
  const home = await mkdtemp(join(tmpdir(), "mindflow-home-"));
  const { PATH } = process.env;
  try {
    return await run({ PATH, HOME: home, XDG_CONFIG_HOME: home, BROWSER: "true" });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Follows what a program says, opens the address that it shows, and gives all that it said when it ends. */
export async function followAndSignIn(stream, server, person) {
  const said = [];
  for await (const line of createInterface({ input: stream })) {
    said.push(line);
    const [address] = new RegExp(`${server}/oauth/authorize\\S*`).exec(line) ?? [];
    if (address && !person.hasVisited) {
      person.hasVisited = true;
      assert.equal(new URL(address).searchParams.get("resource"), `${server}/mcp`);
      const answer = await fetch(await person.browser.visit(address));
      assert.equal(answer.status, 200, await answer.text());
    }
  }
  return said.join("\n");
}
