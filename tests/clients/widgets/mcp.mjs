// Calls the tools of a real server: protocol 2025-11-25 without a session, one POST a call.

import assert from "node:assert/strict";

/** What is at `url`, for who holds `token`. */
export function connect(url, token) {
  let lastId = 0;

  async function request(method, params) {
    lastId += 1;
    const answer = await fetch(url, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-11-25",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: lastId, method, params }),
    });
    const text = await answer.text();
    assert(answer.ok, `${method}: ${answer.status} ${text}`);
    const message = parse(answer.headers.get("content-type") ?? "", text).find((each) => each.id === lastId);
    assert(message, `${method}: no answer in ${text}`);
    if (message.error) throw new Error(`${method}: ${message.error.message}`);
    return message.result;
  }

  /** The tool as it is listed, and the document that its `_meta` names for showing its results. */
  async function widgetOf(name) {
    const { tools } = await request("tools/list", {});
    const tool = tools.find((each) => each.name === name);
    const uri = tool?._meta?.ui?.resourceUri;
    assert(uri, `${name} names no widget`);
    const { contents } = await request("resources/read", { uri });
    assert.equal(contents[0].mimeType, "text/html;profile=mcp-app");
    return { tool, html: contents[0].text };
  }

  return { request, widgetOf, call: (name, args) => request("tools/call", { name, arguments: args }) };
}

function parse(type, text) {
  if (!type.includes("text/event-stream")) return [JSON.parse(text)].flat();
  const events = text.split(/\r?\n\r?\n/).map((event) =>
    event
      .split(/\r?\n/)
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(5).trimStart())
      .join("\n"),
  );
  return events.filter((data) => data !== "").map((data) => JSON.parse(data));
}
