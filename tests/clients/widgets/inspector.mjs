// Uses the widgets of a real server inside the official MCP Inspector: it connects, calls the tool, shows its widget.
//
//     node inspector.mjs MCP_URL BEARER_TOKEN

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer, request } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { camera, withBrowser } from "./browser.mjs";
import { until } from "./chat.mjs";
import { connect } from "./mcp.mjs";

const [url, token] = process.argv.slice(2);
assert(url && token, "usage: inspector.mjs MCP_URL BEARER_TOKEN");

const listening = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));

async function freePort() {
  const server = createServer();
  const port = await listening(server);
  await new Promise((done) => server.close(done));
  return port;
}

/** The Inspector's page cannot be told a token by its address; this adds it to each request. */
async function signedIn() {
  const proxy = createServer((asked, answer) => {
    const { host: _, ...headers } = asked.headers;
    const onward = request(url, { method: asked.method, headers: { ...headers, authorization: `Bearer ${token}` } }, (answered) => {
      answer.writeHead(answered.statusCode, answered.headers);
      answered.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    asked.pipe(onward);
  });
  return { address: `http://127.0.0.1:${await listening(proxy)}/mcp`, close: () => proxy.close() };
}

async function startInspector() {
  const secret = randomBytes(24).toString("hex");
  const [port, sandbox] = [await freePort(), await freePort()];
  const folder = dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/inspector/package.json"));
  const { bin } = createRequire(import.meta.url)("@modelcontextprotocol/inspector/package.json");
  const env = { ...process.env, HOST: "127.0.0.1", CLIENT_PORT: `${port}`, MCP_SANDBOX_PORT: `${sandbox}`, MCP_AUTO_OPEN_ENABLED: "false", MCP_INSPECTOR_API_TOKEN: secret };
  const program = spawn(process.execPath, [join(folder, bin["mcp-inspector"]), "--web"], { env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [program.stdout, program.stderr]) stream.on("data", (chunk) => (said += chunk));
  const page = `http://127.0.0.1:${port}/`;
  const answers = () => fetch(page).then(() => true, () => false);
  await until(answers, () => `the Inspector does not answer: ${said}`, 60_000);
  return { page, secret, stop: () => program.kill() };
}

/** The frame in which the widget is, as deep as the Inspector put it. */
async function widgetIn(page) {
  let found;
  const look = async () => {
    for (const frame of page.frames()) if ((await frame.locator("#stage .card button").count().catch(() => 0)) > 0) found = frame;
    return found !== undefined;
  };
  await until(look, () => `no widget in ${page.frames().map((frame) => frame.url())}`, 30_000);
  return found;
}

async function show(context, inspector, server, tool) {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.setViewportSize({ width: 1400, height: 1100 });
  const asked = { serverUrl: server, transport: "http", autoConnect: inspector.secret, openApp: tool, appArgs: Buffer.from("{}").toString("base64url"), autoOpen: inspector.secret };
  await page.goto(`${inspector.page}?${new URLSearchParams(asked)}`);
  await page.locator('[data-testid="connection-status"][data-status="connected"]').waitFor();
  await page.locator('[data-app-status="ready"]').waitFor();
  return { page, widget: await widgetIn(page) };
}

const picture = await camera();
const server = connect(url, token);
await server.call("create_task", { tasks: [{ title: "Seen in the Inspector", priority: 5 }, { title: "Seen there as well" }] });
const proxy = await signedIn();
const inspector = await startInspector();
try {
  await withBrowser(async (context) => {
    for (const tool of ["get_best_task", "get_tasks", "plan_day"]) {
      const { page, widget } = await show(context, inspector, proxy.address, tool);
      await widget.getByRole("button", { name: /^Complete/ }).first().click();
      await widget.getByText("Completed.", { exact: true }).first().waitFor();
      const messages = page.getByTestId("apps-messages");
      await messages.getByText(/I completed the task "/).first().waitFor();
      await picture(page, `inspector-${tool}`);
      await widget.getByRole("button", { name: "Undo" }).first().click();
      await widget.getByText("Undone.", { exact: true }).first().waitFor();
      await widget.getByRole("button", { name: /^Snooze/ }).first().click();
      await widget.getByRole("menuitem", { name: "Tomorrow morning" }).click();
      await widget.getByText(/^Snoozed until .+\.$/).first().waitFor();
      await messages.getByText(/I snoozed the task ".+ until /).first().waitFor();
      await widget.getByRole("button", { name: "Undo" }).first().click();
      await widget.getByText("Undone.", { exact: true }).first().waitFor();
      await page.close();
    }
  });
} finally {
  inspector.stop();
  proxy.close();
}
console.log("ok");
