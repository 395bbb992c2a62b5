// A chat that shows a widget: the host's side of MCP Apps (2026-01-26) in a page of its own. The frame is sandboxed, may use
// nothing but what stands in the document, and every message is kept.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const CHAT = "https://chat.example/";

const CAPABILITIES = { serverTools: {}, message: { text: {} }, updateModelContext: { text: {} }, logging: {}, openLinks: {} };

/** Runs in the page of the chat. */
function beHost(options) {
  const frame = document.querySelector("iframe");
  const messages = [];
  const answers = new Map();
  const send = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const told = async (message) => {
    if (options.refuseMessages) throw new Error("not wanted");
    return { said: message };
  };
  const methods = {
    "ui/initialize": async () => ({
      protocolVersion: "2026-01-26",
      hostInfo: { name: "test-chat", version: "1.0.0" },
      hostCapabilities: options.capabilities,
      hostContext: options.context,
    }),
    "tools/call": async ({ name, arguments: args }) => window.callTool(name, args),
    "ui/message": told,
    "ui/update-model-context": async () => ({}),
  };
  async function answer({ id, method, params }) {
    try {
      if (!methods[method]) throw new Error(`unknown method ${method}`);
      const result = await methods[method](params);
      send({ id, result });
      // What the protocol allows, and some hosts do: tell the card of its own calls as well.
      if (method === "tools/call" && options.echo) send({ method: "ui/notifications/tool-result", params: result });
    } catch (error) {
      send({ id, error: { code: -32000, message: error.message } });
    }
  }
  function heard({ method, params }) {
    if (method === "ui/notifications/initialized") {
      if (options.input) send({ method: "ui/notifications/tool-input", params: { arguments: options.input } });
      if (options.result) send({ method: "ui/notifications/tool-result", params: options.result });
    }
    if (method === "ui/notifications/size-changed") frame.style.height = `${params.height}px`;
  }
  // ChatGPT's own object lives in the frame; its calls come here.
  async function openAi({ call, name, args }) {
    messages.push({ openai: name, params: args });
    const result = name === "callTool" ? await window.callTool(...args) : {};
    frame.contentWindow.postMessage({ openaiAnswer: call, result }, "*");
  }
  window.addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow) return;
    if (event.data.openaiCall) return void openAi(event.data.openaiCall);
    messages.push(event.data);
    if (options.deaf) return;
    if (event.data.method === undefined) answers.set(event.data.id, event.data);
    else if (event.data.id === undefined) heard(event.data);
    else void answer(event.data);
  });
  window.chat = { messages, answers, send };
  frame.srcdoc = options.html;
}

/** Runs in the frame, before the widget. */
function beOpenAi(values) {
  let last = 0;
  const waiting = new Map();
  window.addEventListener("message", (event) => {
    if (event.data.openaiAnswer) waiting.get(event.data.openaiAnswer)(event.data.result);
  });
  const ask = (name) => (...args) =>
    new Promise((done) => {
      last += 1;
      waiting.set(last, done);
      window.parent.postMessage({ openaiCall: { call: last, name, args } }, "*");
    });
  window.openai = { ...values, callTool: ask("callTool"), sendFollowUpMessage: ask("sendFollowUpMessage"), setWidgetState: ask("setWidgetState"), notifyIntrinsicHeight: ask("notifyIntrinsicHeight") };
}

const hash = (code) => `'sha256-${createHash("sha256").update(code).digest("base64")}'`;

/** Only the widget's own code may run, named by its hash; nothing may be fetched. */
function locked(html, openAi) {
  const extra = openAi ? `(${beOpenAi})(${JSON.stringify(openAi)})` : "";
  const codes = (tag) => [...html.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, "g"))].map((match) => hash(match[1]));
  const scripts = [...codes("script"), ...(extra ? [hash(extra)] : [])].join(" ");
  const policy = `default-src 'none'; script-src ${scripts}; style-src ${codes("style").join(" ")}; base-uri 'none'; form-action 'none'`;
  const first = `<meta http-equiv="Content-Security-Policy" content="${policy}">${extra ? `<script>${extra}</script>` : ""}`;
  return html.replace("<head>", () => `<head>${first}`);
}

/** The browser's side of a test: opens chats, and gathers what no widget may cause. */
export class Chats {
  faults = [];
  #context;
  #pages = [];

  constructor(context) {
    this.#context = context;
  }

  /**
   * Shows `html` as the card of `result`. `callTool(name, args)` answers its calls. Further: `width`, `theme` of the host
   * (null for none; `scheme` of the browser), `input`, `capabilities`, `context`, `openAi`, and `deaf`, `echo`, `refuseMessages` for odd hosts.
   */
  async open({ html, result, callTool, width = 480, theme = "light", scheme = theme, input, capabilities = CAPABILITIES, context = {}, openAi, ...odd }) {
    const page = await this.#newPage();
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width: width + 32, height: 900 });
    await page.route("**/*", (route) => route.fulfill({ contentType: "text/html", body: chatPage(theme) }));
    await page.exposeFunction("callTool", callTool ?? (() => assertNever("a call that was not expected")));
    await page.goto(CHAT);
    const shared = { containerDimensions: { width, maxHeight: 4000 }, displayMode: "inline", locale: "en-US", timeZone: "Europe/Vienna" };
    await page.evaluate(beHost, { html: locked(html, openAi), result, input, capabilities, context: { ...(theme && { theme }), ...shared, ...context }, ...odd });
    return new Card(page);
  }

  /** Opens the document itself, as a browser does that was given a link to it. */
  async openPage(html, { width = 800, scheme = "light" } = {}) {
    const page = await this.#newPage();
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 700 });
    await page.route("**/*", (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body: locked(html) }));
    await page.goto(CHAT);
    return page;
  }

  async close() {
    for (const page of this.#pages) await page.close();
  }

  async #newPage() {
    const page = await this.#context.newPage();
    this.#pages.push(page);
    page.setDefaultTimeout(15_000);
    this.#watch(page);
    return page;
  }

  #watch(page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.faults.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.faults.push(`script: ${error.message}`));
    page.on("request", (request) => {
      if (request.url() !== CHAT && request.url() !== "about:srcdoc" && !request.url().startsWith("data:")) this.faults.push(`asked for ${request.url()}`);
    });
    page.on("dialog", (dialog) => {
      this.faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }
}

const PATIENCE_MS = 10_000;

/** Asks again and again, from outside: the frame's policy forbids code that waits inside. */
export async function until(holds, complaint, patienceMs = PATIENCE_MS) {
  const end = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(await complaint());
    await new Promise((done) => setTimeout(done, 25));
  }
}

function assertNever(message) {
  throw new Error(message);
}

const chatPage = (theme) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Chat</title>
<style>:root { color-scheme: ${theme ?? "light dark"} } body { margin: 16px; background: ${theme === "dark" ? "#212121" : "#fff"} } iframe { width: 100%; height: 40px; border: 0; display: block }</style>
<body><iframe title="card" sandbox="allow-scripts"></iframe>`;

/** A widget in its frame. */
export class Card {
  constructor(page) {
    this.page = page;
    this.inside = page.frameLocator("iframe");
  }

  get frame() {
    return this.page.frames()[1];
  }

  button(name) {
    return this.inside.getByRole("button", { name });
  }

  /** All messages of the widget so far, or those of one method. */
  async messages(method) {
    const all = await this.page.evaluate(() => window.chat.messages);
    return method ? all.filter((message) => message.method === method) : all;
  }

  /** What was said in the conversation. */
  async said() {
    return (await this.messages("ui/message")).map(({ params }) => params.content[0].text);
  }

  /** Waits until that many things were said. */
  async saying(many) {
    await this.page.waitForFunction((least) => window.chat.messages.filter((message) => message.method === "ui/message").length >= least, many);
    return this.said();
  }

  send(message) {
    return this.page.evaluate((sent) => window.chat.send(sent), message);
  }

  /** Sends a request and gives the widget's answer. */
  async ask(method, id) {
    await this.send({ id, method, params: {} });
    const answer = await this.page.waitForFunction((wanted) => window.chat.answers.get(wanted), id);
    return answer.jsonValue();
  }

  /** Waits until a screen reader is told this. */
  async announces(text) {
    await this.inside.locator("#status").getByText(text, { exact: true }).waitFor({ state: "attached" });
  }

  /** Waits until the focus is on the control of this name. */
  async focuses(name) {
    const focused = () => this.frame.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent?.trim());
    await until(async () => (await focused()) === name, async () => `the focus is on ${await focused()}, not on ${name}`);
  }

  /** Waits until the host has given the frame the height of its content, and says how far anything sticks out sideways. */
  async fits() {
    await until(async () => (await this.overflow()).high <= 1, async () => `the frame is not as high as its content: ${JSON.stringify(await this.overflow())}`);
    return (await this.overflow()).wide === 0;
  }

  async overflow() {
    return this.frame.evaluate(() => {
      const root = document.documentElement;
      return { wide: root.scrollWidth - root.clientWidth, high: Math.abs(Math.ceil(root.getBoundingClientRect().height) - window.innerHeight) };
    });
  }

  /** What axe-core finds wrong. */
  violations() {
    return judge(this.frame);
  }
}

/** What axe-core finds wrong in a frame or page. */
export async function judge(frame) {
  await frame.evaluate(AXE);
  const { violations } = await frame.evaluate(() =>
    // A frame has no landmarks or headings of its own page's order; everything else must hold.
    window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`);
}
