// Connects a program as a person does, in a browser without scripts: makes an account, allows, signs out and in, refuses,
// connects a device. The browser holds each page and redirect against its content security policy.
//
//     node pages.mjs http://127.0.0.1:8000 folder-for-screenshots

import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

const [url, folder] = process.argv.slice(2);
assert(url && folder, "usage: pages.mjs URL FOLDER");

const PASSWORD = "correct horse battery staple";
const LOOKS = [
  ["narrow", { width: 320, height: 720 }],
  ["wide", { width: 1000, height: 800 }],
];

// Where the program waits for its answer.
function listen() {
  const answers = [];
  const waiting = [];
  const server = createServer((request, response) => {
    const asked = new URL(request.url, "http://localhost");
    if (asked.pathname === "/further") {
      response.writeHead(302, { location: `https://127.0.0.1:${server.address().port}/` }).end();
      return;
    }
    response.setHeader("content-type", "text/html").end("<title>back</title><link rel=icon href='data:,'>");
    if (asked.pathname !== "/callback") return;
    const answer = Object.fromEntries(asked.searchParams);
    waiting.length > 0 ? waiting.shift()(answer) : answers.push(answer);
  });
  const next = () => (answers.length > 0 ? Promise.resolve(answers.shift()) : new Promise((done) => waiting.push(done)));
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => done({ server, next, redirect: `http://127.0.0.1:${server.address().port}/callback` }));
  });
}

async function post(path, body) {
  const form = path !== "/oauth/register";
  const answer = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": form ? "application/x-www-form-urlencoded" : "application/json" },
    body: form ? new URLSearchParams(body) : JSON.stringify(body),
  });
  const text = await answer.text();
  assert(answer.ok, `${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

function ask(clientId, redirect, more = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirect,
    scope: "read write email",
    state: 'a "state" & more = ä',
    code_challenge: challenge,
    code_challenge_method: "S256",
    ...more,
  });
  return { link: `${url}/oauth/authorize?${query}`, verifier };
}

// Lists what a page must not do; filled while it is used.
function watch(page) {
  const faults = [];
  page.on("console", (message) => {
    // Forms that are refused come back with 422, which the browser reports, too.
    if (["error", "warning"].includes(message.type()) && !/status of (422|403|400)/.test(message.text())) {
      faults.push(`console: ${message.text()}`);
    }
  });
  page.on("requestfailed", (request) => {
    // Nobody speaks TLS where `leadOn` leads.
    if (!request.url().startsWith("https://127.0.0.1:")) faults.push(`failed: ${request.url()} ${request.failure()?.errorText}`);
  });
  return faults;
}

// Shows the page in every look; it must fit, and what can be used must be large enough.
async function look(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of LOOKS) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      const widths = await page.locator("html").evaluate((html) => [html.scrollWidth, html.clientWidth]);
      assert(widths[0] <= widths[1], `${name} is wider than ${size}: ${widths}`);
    }
  }
}

async function makeAccount(page, link) {
  await page.goto(link);
  await look(page, "sign-in");
  await page.getByLabel("E-mail address").fill("ada@example.org");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  assert.equal(await page.getByRole("alert").innerText(), "The e-mail address or the password is wrong.");
  await look(page, "sign-in-refused");
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("E-mail address").fill("ada@example.org");
  await page.getByLabel("Name").fill("Ada Lovelace");
  await page.getByLabel("Password").fill("short");
  await page.getByRole("button", { name: "Create account" }).click();
  assert.match(await page.getByRole("alert").innerText(), /^The password must have at least 8 characters/);
  await look(page, "sign-up-refused");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
}

async function allow(page, program, clientId, { link, verifier }) {
  await page.getByRole("heading", { name: "Allow Calm Terminal?" }).waitFor();
  await look(page, "consent");
  await page.getByLabel("Add, change, complete").uncheck();
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  const answer = await program.next();
  // The program has its answer before the browser has shown that page; going on would break that off.
  await page.waitForURL(/\/callback\?/);
  assert.deepEqual([answer.state, answer.iss], [new URL(link).searchParams.get("state"), url]);
  const tokens = await post("/oauth/token", {
    grant_type: "authorization_code",
    code: answer.code,
    code_verifier: verifier,
    client_id: clientId,
    redirect_uri: program.redirect,
  });
  assert.equal(tokens.scope, "read email");
}

async function signOutAndIn(page, program, link) {
  await page.goto(`${url}/oauth/sign-out`);
  await look(page, "sign-out");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "You are signed out" }).waitFor();
  await look(page, "signed-out");
  await page.goto(link);
  await page.getByLabel("E-mail address").fill("ada@example.org");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Don’t allow" }).click();
  assert.equal((await program.next()).error, "access_denied");
  await page.waitForURL(/\/callback\?/);
}

async function connectDevice(page, clientId) {
  const device = await post("/oauth/device_authorization", { client_id: clientId, scope: "read write" });
  await page.goto(device.verification_uri);
  await look(page, "device");
  await page.getByLabel("Code").fill("BBBB-BBBB");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Code").fill(device.user_code.toLowerCase());
  await page.getByRole("button", { name: "Continue" }).click();
  await look(page, "device-consent");
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await page.getByRole("heading", { name: "Connected" }).waitFor();
  await look(page, "device-connected");
  const grant_type = "urn:ietf:params:oauth:grant-type:device_code";
  const tokens = await post("/oauth/token", { grant_type, device_code: device.device_code, client_id: clientId });
  assert.equal(tokens.scope, "read write");
}

async function call(path, token, body) {
  const headers = { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) };
  const answer = await fetch(`${url}${path}`, { method: "POST", headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert(answer.ok, `${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

// What an authenticator shows (RFC 6238), some steps from now.
function totp(secret, steps) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  const key = Buffer.from(bits.join("").match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const hash = createHmac("sha1", key).update(counter).digest();
  const number = hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

async function signInWithCode(page, link) {
  const login = await fetch(`${url}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: "ada@example.org", password: PASSWORD }),
  });
  const token = (await login.json()).access_token;
  const { secret } = await call("/api/auth/two-factor", token);
  await call("/api/auth/two-factor/confirm", token, { code: totp(secret, 0) });
  await page.context().clearCookies();
  await page.goto(link);
  await page.getByLabel("E-mail address").fill("ada@example.org");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Code").fill("000000");
  await page.getByRole("button", { name: "Continue" }).click();
  assert.equal(await page.getByRole("alert").innerText(), "The code is wrong, or was used already.");
  await look(page, "second-factor-refused");
  await page.context().clearCookies();
  await page.getByLabel("Code").fill(totp(secret, 1));
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { name: "Please try again" }).waitFor();
  await look(page, "stale");
  await page.getByRole("link", { name: "Start again" }).click();
  await page.getByLabel("E-mail address").fill("ada@example.org");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Code").fill(totp(secret, 1));
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Allow", exact: true }).waitFor();
}

// The program's own callback leads on to another place; the browser holds that against the policy of our page, too.
async function leadOn(page, program) {
  const client = await post("/oauth/register", {
    client_name: "Old home",
    redirect_uris: ["http://127.0.0.1/further"],
    token_endpoint_auth_method: "none",
  });
  // The browser's greeting is no HTTP.
  const reached = new Promise((done, failed) => {
    setTimeout(() => failed(new Error("the browser did not follow the program's own redirect")), 30_000).unref();
    program.server.once("clientError", (_, socket) => {
      socket.destroy();
      done();
    });
  });
  await page.goto(ask(client.client_id, program.redirect.replace("/callback", "/further")).link);
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await reached;
  // Its page of errors would otherwise come in the way of the next page.
  await page.waitForURL("chrome-error://chromewebdata/", { waitUntil: "commit" });
}

async function waysToSignIn(page) {
  await page.goto(`${url}/oauth/identities`);
  await page.getByRole("heading", { name: "Ways to sign in" }).waitFor();
  await look(page, "identities");
}

await mkdir(folder, { recursive: true });
const program = await listen();
const profile = await mkdtemp(join(tmpdir(), "mindflow-chromium-"));
// The switches keep the browser itself from calling its maker; its sandbox does not work for root.
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.MINDFLOW_TEST_CHROMIUM,
  headless: true,
  javaScriptEnabled: false,
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
  const client = await post("/oauth/register", {
    client_name: "Calm Terminal",
    redirect_uris: ["http://127.0.0.1/callback"],
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const faults = watch(page);
  const asked = ask(client.client_id, program.redirect);
  await makeAccount(page, asked.link);
  await allow(page, program, client.client_id, asked);
  await signOutAndIn(page, program, asked.link);
  await connectDevice(page, client.client_id);
  await signInWithCode(page, asked.link);
  await waysToSignIn(page);
  await leadOn(page, program);
  const web = await post("/oauth/register", {
    client_name: "A very long name of an application that somebody registered with many words",
    redirect_uris: ["https://connector.some-long-host-name.assistants.example.com/oauth/callback"],
    policy_uri: "https://assistants.example.com/privacy",
    tos_uri: "https://assistants.example.com/terms",
    token_endpoint_auth_method: "none",
  });
  const everything = { scope: "read write openid email profile offline_access", resource: `${url}/mcp` };
  await page.goto(ask(web.client_id, "https://connector.some-long-host-name.assistants.example.com/oauth/callback", everything).link);
  await look(page, "consent-web");
  await page.goto(ask(client.client_id, "https://evil.example/").link);
  await page.getByRole("heading", { name: "That did not work" }).waitFor();
  await look(page, "error");
  assert.deepEqual(faults, []);
} finally {
  await context.close();
  program.server.close();
  await rm(profile, { recursive: true, force: true });
}
console.log("ok");
