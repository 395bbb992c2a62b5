// The protocol of MCP Apps (2026-01-26) from inside the frame: JSON-RPC 2.0 over postMessage.
// https://github.com/modelcontextprotocol/ext-apps/blob/main/specification/2026-01-26/apps.mdx

import { isFields } from "./answer.ts";

export const PROTOCOL_VERSION = "2026-01-26";

type Params = Record<string, unknown>;

export interface Bridge {
  request(method: string, params: Params, limitMs?: number): Promise<unknown>;
  notify(method: string, params?: Params): void;
}

export interface BridgeListener {
  onNotification(method: string, params: Params): void;
  /** The host is about to remove the frame; it waits for the answer. */
  onTeardown(): void | Promise<void>;
}

/** A call that the host refused or never answered. */
export class HostError extends Error {
  readonly answered: boolean;

  constructor(message: string, answered: boolean) {
    super(message);
    this.answered = answered;
  }
}

const METHOD_NOT_FOUND = -32601;
const DEFAULT_LIMIT_MS = 90_000;

interface Waiting {
  settle(message: Params): void;
}

/** Speaks with `host`, which is `window.parent` in every use but tests. */
export function openBridge(host: Window, listener: BridgeListener): Bridge {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  // The host's origin cannot be known beforehand, and what is sent is what the host itself has given.
  const send = (message: Params): void => host.postMessage({ jsonrpc: "2.0", ...message }, "*");

  async function answer(id: unknown, method: string): Promise<void> {
    if (method === "ui/resource-teardown") await listener.onTeardown();
    if (method === "ui/resource-teardown" || method === "ping") send({ id, result: {} });
    else send({ id, error: { code: METHOD_NOT_FOUND, message: `unknown method \`${method}\`` } });
  }

  window.addEventListener("message", (event: MessageEvent<unknown>) => {
    const message = event.data;
    if (event.source !== host || !isFields(message) || message["jsonrpc"] !== "2.0") return;
    const [id, method] = [message["id"], message["method"]];
    const params = isFields(message["params"]) ? message["params"] : {};
    if (typeof method !== "string") waiting.get(id as number)?.settle(message);
    else if (id === undefined) listener.onNotification(method, params);
    else void answer(id, method);
  });

  function request(method: string, params: Params, limitMs = DEFAULT_LIMIT_MS): Promise<unknown> {
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new HostError("no answer came", false));
      }, limitMs);
      waiting.set(id, {
        settle(message) {
          waiting.delete(id);
          clearTimeout(timer);
          const error = message["error"];
          if (error === undefined) resolve(message["result"]);
          else reject(new HostError(isFields(error) && typeof error["message"] === "string" ? error["message"] : "refused", true));
        },
      });
      send({ id, method, params });
    });
  }

  return { request, notify: (method, params = {}) => send({ method, params }) };
}
