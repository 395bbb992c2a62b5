// npm @modelcontextprotocol/sdk, which hosts of the protocol up to 2025-11-25 are built with.
//
//     node sdk.mjs http://127.0.0.1:8000

import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import { connectAndLiveADay } from "./http.mjs";

let transport;
const sdk = {
  Unauthorized: UnauthorizedError,
  Transport: class extends StreamableHTTPClientTransport {
    constructor(...args) {
      super(...args);
      transport = this;
    }
  },
  newClient: () => new Client({ name: "An assistant", version: "1.0.0" }),
  finish: (transport, callback) => transport.finishAuth(callback.get("code")),
  // Only the transport knows.
  versionOf: () => transport.protocolVersion,
  version: "2025-11-25",
};

await connectAndLiveADay(sdk, process.argv[2], "mcp-sdk@example.org");
