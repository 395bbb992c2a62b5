// Uses the widgets in a browser as people in a chat do: against canned answers, or against a real server.
//
//     node widgets.mjs FOLDER_OF_DOCUMENTS
//     node widgets.mjs MCP_URL BEARER_TOKEN
//
// MINDFLOW_TEST_CHROMIUM names the browser; MINDFLOW_TEST_SCREENSHOTS a folder for pictures, if they are wanted;
// MINDFLOW_TEST_ONLY one check to run alone.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

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

/** A folder for pictures, or nothing when nobody asked for any. */
async function pictures() {
  const folder = process.env.MINDFLOW_TEST_SCREENSHOTS;
  if (!folder) return async () => {};
  await mkdir(folder, { recursive: true });
  return (page, name) => page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

const world = token === undefined ? { documents: await documents(from) } : { server: connect(from, token) };
const only = process.env.MINDFLOW_TEST_ONLY;
const all = token === undefined ? canned : real;
const checks = only ? { [only]: all[only] } : all;
const picture = await pictures();
const profile = await mkdtemp(join(tmpdir(), "mindflow-chromium-"));
// The switches keep the browser itself from calling its maker; its sandbox does not work for root.
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.MINDFLOW_TEST_CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
let failed = 0;
try {
  for (const [name, check] of Object.entries(checks)) {
    const chats = new Chats(context);
    try {
      await check({ ...world, chats, picture });
      assert.deepEqual(chats.faults, [], "what no widget may cause");
    } catch (error) {
      failed += 1;
      console.error(`FAILED ${name}\n${error.stack}\n`);
    } finally {
      await chats.close();
    }
  }
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}
if (failed > 0) {
  console.error(`${failed} of ${Object.keys(checks).length} checks failed`);
  process.exit(1);
}
console.log(`ok: ${Object.keys(checks).length} checks`);
