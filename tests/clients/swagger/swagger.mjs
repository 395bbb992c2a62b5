// Opens /docs in a browser as a person would: everything is shown, nothing is fetched from elsewhere, a request can be tried.
//
//     node swagger.mjs http://127.0.0.1:8000 screenshot.png

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

const [url, screenshot] = process.argv.slice(2);
assert(url && screenshot, "usage: swagger.mjs URL SCREENSHOT");

const METHODS = ["get", "put", "post", "delete", "patch", "head", "options", "trace"];

async function signIn() {
  const body = JSON.stringify({ email: "swagger@example.org", password: "correct horse battery staple" });
  const headers = { "content-type": "application/json" };
  const registered = await fetch(`${url}/api/auth/register`, { method: "POST", headers, body });
  assert.equal(registered.status, 201, await registered.text());
  const signedIn = await fetch(`${url}/api/auth/login`, { method: "POST", headers, body });
  return (await signedIn.json()).access_token;
}

async function documentedOperations() {
  const document = await (await fetch(`${url}/openapi.json`)).json();
  return Object.values(document.paths)
    .flatMap((item) => METHODS.filter((method) => item[method]).map((method) => item[method].operationId))
    .sort();
}

// Lists what a page must not do; filled while it is used.
function watch(page) {
  const faults = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const asked = request.url();
    if (!asked.startsWith(`${url}/`) && !asked.startsWith("data:") && !asked.startsWith("blob:")) {
      faults.push(`asked another host: ${asked}`);
    }
  });
  page.on("requestfailed", (request) => faults.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`);
  });
  return faults;
}

async function shownOperations(page) {
  await page.waitForSelector(".opblock");
  const ids = await page.$$eval(".opblock", (blocks) => blocks.map((block) => block.id));
  return ids.map((id) => id.replace(/^operations-[^-]*-/, "")).sort();
}

async function authorize(page, token) {
  await page.click(".auth-wrapper button.authorize");
  await page.fill(".modal-ux input", token);
  await page.click(".modal-ux .auth-btn-wrapper button.authorize");
  await page.click(".modal-ux .btn-done");
}

async function tryGetMe(page) {
  const block = page.locator('.opblock[id$="-get_me"]');
  await block.locator(".opblock-summary-control").click();
  await block.locator("button.execute").click();
  const answer = block.locator(".live-responses-table tr.response");
  await answer.waitFor();
  assert.match(await answer.locator(".response-col_status").innerText(), /^200/);
  assert.match(await answer.locator(".response-col_description").innerText(), /swagger@example\.org/);
}

const profile = await mkdtemp(join(tmpdir(), "mindflow-chromium-"));
// The switches keep the browser itself from calling its maker; its sandbox does not work for root.
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.MINDFLOW_TEST_CHROMIUM,
  headless: true,
  viewport: { width: 1280, height: 1600 },
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
try {
  const token = await signIn();
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const faults = watch(page);
  await page.goto(`${url}/docs`);
  assert.deepEqual(await shownOperations(page), await documentedOperations());
  await page.screenshot({ path: screenshot, fullPage: true });
  await authorize(page, token);
  await tryGetMe(page);
  assert.deepEqual(faults, []);
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}
console.log("ok");
