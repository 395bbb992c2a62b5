// Signs in with passkeys as a person does, in Chromium with an authenticator of its own (WebAuthn over CDP): adds one,
// signs out, signs in with it for a program, by the button and by the browser's own offer; renames and removes it. Each
// page is judged by axe-core and held against its content security policy.
//
//     node passkeys.mjs http://localhost:8000 folder-for-screenshots

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

const [url, folder] = process.argv.slice(2);
assert(url && folder, "usage: passkeys.mjs URL FOLDER");

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const EMAIL = "ada@example.org";
const PASSWORD = "correct horse battery staple";
const LOOKS = [
  ["narrow", { width: 320, height: 720 }],
  ["wide", { width: 1000, height: 800 }],
];

async function post(path, body, kind = "application/json") {
  const answer = await fetch(`${url}${path}`, { method: "POST", headers: { "content-type": kind }, body });
  const text = await answer.text();
  assert(answer.ok, `${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

// Where the program waits for its answer.
function listen() {
  const waiting = [];
  const server = createServer((request, response) => {
    const asked = new URL(request.url, "http://localhost");
    response.setHeader("content-type", "text/html").end("<title>back</title><link rel=icon href='data:,'>");
    if (asked.pathname === "/callback") waiting.shift()?.(Object.fromEntries(asked.searchParams));
  });
  const next = () => new Promise((done) => waiting.push(done));
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => done({ server, next, redirect: `http://127.0.0.1:${server.address().port}/callback` }));
  });
}

function ask(clientId, redirect) {
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirect,
    scope: "openid read",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  return { link: `${url}/oauth/authorize?${query}`, verifier };
}

// Shows the page in every look: it must fit, and axe-core must find nothing.
async function look(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of LOOKS) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      const widths = await page.locator("html").evaluate((html) => [html.scrollWidth, html.clientWidth]);
      assert(widths[0] <= widths[1], `${name} is wider than ${size}: ${widths}`);
    }
    await page.evaluate(AXE);
    const { violations } = await page.evaluate((runOnly) => window.axe.run(document, { runOnly }), RULES);
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`), [], name);
  }
}

async function authenticator(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const options = {
    protocol: "ctap2",
    ctap2Version: "ctap2_1",
    transport: "internal",
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
  return (method, more = {}) => cdp.send(`WebAuthn.${method}`, { authenticatorId, ...more });
}

async function addPasskey(page, device) {
  await page.goto(`${url}/oauth/identities`);
  await device("setAutomaticPresenceSimulation", { enabled: false });
  await look(page, "passkey-sign-in");
  await page.getByLabel("E-mail address").fill(EMAIL);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByText("There is no passkey.").waitFor();
  await look(page, "passkeys-none");
  await page.getByLabel("Name of a new passkey").fill("Ada’s phone");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("heading", { name: "Create your passkey" }).waitFor();
  await look(page, "passkey-create");
  await device("setAutomaticPresenceSimulation", { enabled: true });
  await page.getByRole("button", { name: "Create the passkey" }).click();
  await page.locator("bdi", { hasText: "Ada’s phone" }).waitFor();
  await look(page, "passkeys-one");
  const { credentials } = await device("getCredentials");
  assert.deepEqual(credentials.map((own) => [own.rpId, own.isResidentCredential]), [["localhost", true]]);
  // The same device is not asked twice.
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("button", { name: "Create the passkey" }).click();
  await page.getByText("This device has a passkey of your account already.").waitFor();
}

async function signOut(page) {
  await page.goto(`${url}/oauth/sign-out`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "You are signed out" }).waitFor();
}

// Signs in for a program, by what `enter` does on the page, and redeems the code.
async function connect(page, program, client, enter) {
  await signOut(page);
  const { link, verifier } = ask(client, program.redirect);
  await page.goto(link);
  await enter();
  const back = program.next();
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  const { code } = await back;
  const form = { grant_type: "authorization_code", code, code_verifier: verifier, client_id: client, redirect_uri: program.redirect };
  const tokens = await post("/oauth/token", new URLSearchParams(form), "application/x-www-form-urlencoded");
  const claims = JSON.parse(Buffer.from(tokens.id_token.split(".")[1], "base64url"));
  assert(claims.amr.includes("mfa"), `${claims.amr}`);
  await page.waitForURL(/\/callback\?/);
}

async function byButton(page, device) {
  const button = page.getByRole("button", { name: "Sign in with a passkey" });
  await device("setUserVerified", { isUserVerified: false });
  await device("setAutomaticPresenceSimulation", { enabled: true });
  await button.click();
  await page.getByText("No passkey was used.").waitFor();
  await look(page, "passkey-not-used");
  await device("setUserVerified", { isUserVerified: true });
  await button.click();
}

// By what the browser offers in the field for the address. No test can click on its list; a device whose owner is there
// when the page opens takes the offer at once.
async function byOffer(page) {
  await page.getByRole("button", { name: "Allow", exact: true }).waitFor();
}

async function renameAndRemove(page) {
  await page.goto(`${url}/oauth/identities`);
  await page.getByText("Rename").first().click();
  await page.getByLabel("New name").fill("Old phone");
  await look(page, "passkey-rename");
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await page.locator("bdi", { hasText: "Old phone" }).waitFor();
  await page.getByRole("button", { name: "Remove Old phone" }).click();
  await page.getByText("There is no passkey.").waitFor();
}

await mkdir(folder, { recursive: true });
const program = await listen();
const profile = await mkdtemp(join(tmpdir(), "mindflow-chromium-"));
// The switches keep the browser itself from calling its maker; its sandbox does not work for root.
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.MINDFLOW_TEST_CHROMIUM,
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
try {
  await post("/api/auth/register", JSON.stringify({ email: EMAIL, password: PASSWORD }));
  const registration = { client_name: "Calm Terminal", redirect_uris: ["http://127.0.0.1/callback"], token_endpoint_auth_method: "none" };
  const client = (await post("/oauth/register", JSON.stringify(registration))).client_id;
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const faults = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`script: ${error}`));
  const device = await authenticator(page);
  await addPasskey(page, device);
  await device("setAutomaticPresenceSimulation", { enabled: false });
  await connect(page, program, client, () => byButton(page, device));
  assert(await page.evaluate(() => PublicKeyCredential.isConditionalMediationAvailable()));
  await device("setAutomaticPresenceSimulation", { enabled: true });
  await connect(page, program, client, () => byOffer(page));
  await renameAndRemove(page);
  assert.deepEqual(faults, []);
} finally {
  await context.close();
  program.server.close();
  await rm(profile, { recursive: true, force: true });
}
console.log("ok");
