// The protocol by hand, of the revision 2026-07-28: each request stands alone.

import assert from "node:assert/strict";

import { callApi } from "./world.mjs";

const VERSION = "2026-07-28";
const META = {
  "io.modelcontextprotocol/protocolVersion": VERSION,
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "A program by hand", version: "1.0.0" },
};

/** Requests with a token that a person made for a program of theirs. */
export class Session {
  #server;
  #token;
  #last = 0;

  constructor(server, token) {
    this.#server = server;
    this.#token = token;
  }

  /** Signs a person in with their password, and makes a token. */
  static async of(server, { email, password }) {
    const post = async (path, token, body) => {
      const response = await callApi(server, path, token, { method: "POST", body: JSON.stringify(body) });
      const text = await response.text();
      assert(response.ok, text);
      return JSON.parse(text);
    };
    const { access_token: own } = await post("/api/auth/login", "", { email, password });
    const { token } = await post("/api/auth/tokens", own, { name: "By hand", scopes: ["read", "write"] });
    return new Session(server, token);
  }

  /** A request; what it gives. */
  async request(method, params = {}) {
    this.#last += 1;
    const headers = {
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${this.#token}`,
      "content-type": "application/json",
      "mcp-method": method,
      "mcp-protocol-version": VERSION,
      ...(params.name ? { "mcp-name": params.name } : {}),
    };
    const body = { jsonrpc: "2.0", id: this.#last, method, params: { ...params, _meta: META } };
    const response = await fetch(`${this.#server}/mcp`, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    const [, message] = /^data: (\{.*)$/m.exec(text) ?? [undefined, text];
    const { id, result, error } = JSON.parse(message);
    assert.equal(error, undefined, text);
    assert.equal(id, this.#last);
    return result;
  }
}
