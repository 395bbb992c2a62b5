// Uses the widgets in a browser as people in a chat do: against canned answers, or against a real server.
//
//     node widgets.mjs FOLDER_OF_DOCUMENTS
//     node widgets.mjs MCP_URL BEARER_TOKEN
//
// MINDFLOW_TEST_CHROMIUM names the browser; MINDFLOW_TEST_SCREENSHOTS a folder for pictures, if they are wanted;
// MINDFLOW_TEST_ONLY one check to run alone.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { camera, withBrowser } from "./browser.mjs";
import { Chats } from "./chat.mjs";
import { checks as canned } from "./checks.mjs";
import { connect } from "./mcp.mjs";
import { checks as real } from "./real.mjs";

const [from, token] = process.argv.slice(2);
assert(from, "usage: widgets.mjs FOLDER_OF_DOCUMENTS, or widgets.mjs MCP_URL BEARER_TOKEN");

async function documents(folder) {
  const names = ["task-card", "best-task", "task-list"];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, `${name}.html`), "utf8")])));
}

/** Whether the check holds; what does not is said. */
async function holds(context, name, check, world) {
  const chats = new Chats(context);
  try {
    await check({ ...world, chats });
    assert.deepEqual(chats.faults, [], "what no widget may cause");
    return true;
  } catch (error) {
    console.error(`FAILED ${name}\n${error.stack}\n`);
    return false;
  } finally {
    await chats.close();
  }
}

const picture = await camera();
const world = token === undefined ? { picture, documents: await documents(from) } : { picture, server: connect(from, token) };
const all = token === undefined ? canned : real;
const only = process.env.MINDFLOW_TEST_ONLY;
const checks = Object.entries(all).filter(([name]) => !only || name === only);
let failed = 0;
await withBrowser(async (context) => {
  for (const [name, check] of checks) if (!(await holds(context, name, check, world))) failed += 1;
});
if (failed > 0 || checks.length === 0) {
  console.error(`${failed} of ${checks.length} checks failed`);
  process.exit(1);
}
console.log(`ok: ${checks.length} checks`);
