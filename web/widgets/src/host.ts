// The host of a card: MCP Apps, ChatGPT's own object, both, or nobody (a plain page).

import { isFields, readData, readResult } from "./answer.ts";
import { HostError, openBridge, PROTOCOL_VERSION, type Bridge } from "./bridge.ts";
import type { Answer } from "./contract.ts";
import { OPENAI_CHANGED, openAi } from "./openai.ts";
import { watchSize } from "./size.ts";
import { applyContext, applyTheme } from "./theme.ts";

type Fields = Record<string, unknown>;

/** Why a card cannot act, in the order in which it is found out. */
export type Ability = "unknown" | "able" | "unable" | "preview";

export interface HostListener {
  onAnswer(answer: Answer): void;
  onCancelled(): void;
  onAbility(): void;
  /** Nobody answers, or nothing is given to be shown. */
  onSilence(): void;
  /** The frame is about to go; what is not yet told should be told now. */
  onTeardown(): void | Promise<void>;
}

/** A tool may take its time, or wait until the person allows the call. */
const SILENCE_MS = 10_000;
/** The host may ask the person whether the message shall be sent. */
const MESSAGE_LIMIT_MS = 120_000;

/** The same for the same data, in whatever order its fields come; empty for none. */
function fingerprint(data: unknown): string {
  const ordered = (_: string, value: unknown): unknown => (isFields(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value);
  return JSON.stringify(data, ordered) ?? "";
}

export class Host {
  readonly #listener: HostListener;
  #bridge: Bridge | undefined;
  #connected = false;
  #capabilities: Fields = {};
  #context: Fields = {};
  #toolArguments: Fields = {};
  #callsUnderWay = 0;
  #lastOwnResult = "";
  #hasAnswer = false;
  #shown = "";

  constructor(listener: HostListener) {
    this.#listener = listener;
  }

  /** Starts to listen, and shows what is there already. */
  async connect(): Promise<void> {
    const embedded = document.getElementById("preview")?.textContent;
    if (embedded || (window.parent === window && !openAi())) return this.#showPreview(embedded);
    this.#takeOpenAi();
    window.addEventListener(OPENAI_CHANGED, () => this.#takeOpenAi());
    this.#bridge = openBridge(window.parent, {
      onNotification: (method, params) => this.#onNotification(method, params),
      onTeardown: () => this.#listener.onTeardown(),
    });
    watchSize((width, height) => this.#tellSize(width, height));
    setTimeout(() => this.#hasAnswer || this.#listener.onSilence(), SILENCE_MS);
    await this.#initialize(this.#bridge);
  }

  async #initialize(bridge: Bridge): Promise<void> {
    const asked = {
      protocolVersion: PROTOCOL_VERSION,
      appInfo: { name: "mindflow", title: "MindFlow", version: "1.0.0" },
      appCapabilities: { availableDisplayModes: ["inline"] },
    };
    try {
      const answer = await bridge.request("ui/initialize", asked);
      this.#connected = true;
      const fields = isFields(answer) ? answer : {};
      this.#capabilities = isFields(fields["hostCapabilities"]) ? fields["hostCapabilities"] : {};
      this.#takeContext(isFields(fields["hostContext"]) ? fields["hostContext"] : {});
      bridge.notify("ui/notifications/initialized");
      this.#tellSize(Math.ceil(window.innerWidth), Math.ceil(document.documentElement.getBoundingClientRect().height));
    } catch {
      // Whoever it is does not speak MCP Apps; ChatGPT's object may still be there.
    }
    this.#listener.onAbility();
  }

  /** Whether this card may call tools. */
  get ability(): Ability {
    if (openAi()?.callTool || (this.#connected && this.#capabilities["serverTools"])) return "able";
    if (this.#connected) return "unable";
    return this.#bridge ? "unknown" : "preview";
  }

  /** The tool whose result is shown, if the host says so. Hosts may put a prefix before its name. */
  get toolName(): string {
    const info = isFields(this.#context["toolInfo"]) ? this.#context["toolInfo"] : {};
    const tool = isFields(info["tool"]) ? info["tool"] : {};
    return typeof tool["name"] === "string" ? tool["name"] : "";
  }

  /** What the tool was called with, as far as the host told. */
  get toolArguments(): Fields {
    const input = openAi()?.toolInput;
    return isFields(input) ? { ...input, ...this.#toolArguments } : this.#toolArguments;
  }

  /** Calls a tool of MindFlow. Never rejects: what went wrong is a refusal. */
  async call(name: string, args: Fields): Promise<Answer> {
    this.#callsUnderWay += 1;
    try {
      const result = await this.#callTool(name, args);
      this.#lastOwnResult = isFields(result) ? fingerprint(result["structuredContent"]) : "";
      return readResult(result);
    } catch (error) {
      const answered = error instanceof HostError ? error.answered : true;
      const said = error instanceof Error && error.message !== "" ? error.message : "no reason was given";
      const message = answered ? `The call did not go through: ${said}` : "No answer came. It is not known whether anything has changed.";
      return { kind: "refused", refusal: { kind: "unreachable", message, faults: [], candidates: [] } };
    } finally {
      this.#callsUnderWay -= 1;
    }
  }

  #callTool(name: string, args: Fields): Promise<unknown> {
    if (this.#bridge && this.#connected && this.#capabilities["serverTools"]) {
      return this.#bridge.request("tools/call", { name, arguments: args });
    }
    const offered = openAi();
    if (offered?.callTool) return offered.callTool(name, args);
    return Promise.reject(new HostError("this host offers no tools", true));
  }

  /** Says something in the conversation, as the user. False when no way to say it was left. */
  async tell(text: string): Promise<boolean> {
    const content = [{ type: "text", text }];
    const ways: (() => Promise<unknown> | undefined)[] = [
      () => this.#ask("ui/message", { role: "user", content }),
      () => openAi()?.sendFollowUpMessage?.({ prompt: text }),
      () => (this.#capabilities["updateModelContext"] ? this.#ask("ui/update-model-context", { content }) : undefined),
    ];
    for (const way of ways) {
      try {
        const said = way();
        if (said === undefined) continue;
        const result = await said;
        if (!isFields(result) || result["isError"] !== true) return true;
      } catch {
        // The next way may be open.
      }
    }
    return false;
  }

  #ask(method: string, params: Fields): Promise<unknown> | undefined {
    return this.#connected ? this.#bridge?.request(method, params, MESSAGE_LIMIT_MS) : undefined;
  }

  #onNotification(method: string, params: Fields): void {
    if (method === "ui/notifications/tool-input") {
      this.#toolArguments = isFields(params["arguments"]) ? params["arguments"] : {};
    } else if (method === "ui/notifications/tool-result") {
      this.#onToolResult(params);
    } else if (method === "ui/notifications/tool-cancelled") {
      if (!this.#hasAnswer) this.#listener.onCancelled();
    } else if (method === "ui/notifications/host-context-changed") {
      this.#takeContext(params);
      this.#listener.onAbility();
    }
  }

  /** Some hosts tell the results of a card's own calls a second time, as if the model had made them. */
  #onToolResult(result: Fields): void {
    const key = fingerprint(result["structuredContent"]);
    const own = this.#callsUnderWay > 0 || (key !== "" && key === this.#lastOwnResult);
    if (!(this.#hasAnswer && own)) this.#show(key, readResult(result));
  }

  /** Nothing is drawn anew for what is shown already: ChatGPT gives a result by both ways. */
  #show(key: string, answer: Answer): void {
    if (this.#hasAnswer && key !== "" && key === this.#shown) return;
    this.#hasAnswer = true;
    this.#shown = key;
    this.#listener.onAnswer(answer);
  }

  #takeContext(changed: Fields): void {
    this.#context = { ...this.#context, ...changed };
    applyContext(changed);
  }

  #takeOpenAi(): void {
    const offered = openAi();
    if (!offered) return;
    applyTheme(offered.theme);
    this.#listener.onAbility();
    if (!this.#hasAnswer && isFields(offered.toolOutput)) this.#show(fingerprint(offered.toolOutput), readData(offered.toolOutput));
  }

  #tellSize(width: number, height: number): void {
    // A host must get nothing but ui/initialize before it has answered that.
    if (this.#connected) this.#bridge?.notify("ui/notifications/size-changed", { width, height });
    openAi()?.notifyIntrinsicHeight?.(height);
  }

  /** A page that brings its data with it has no host, even in a frame. */
  #showPreview(embedded: string | undefined): void {
    document.documentElement.dataset["page"] = "";
    if (!embedded) return this.#listener.onSilence();
    const data: unknown = JSON.parse(embedded);
    this.#show("", isFields(data) && "structuredContent" in data ? readResult(data) : readData(data));
  }
}
