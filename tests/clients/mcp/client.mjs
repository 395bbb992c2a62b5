// npm @modelcontextprotocol/client, which hosts of the protocol from 2026-07-28 on are built with.
//
//     node client.mjs http://127.0.0.1:8000

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";

import { connectAndLiveADay } from "./http.mjs";

const sdk = {
  Unauthorized: UnauthorizedError,
  Transport: StreamableHTTPClientTransport,
  newClient: () => new Client({ name: "An assistant", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } }),
  finish: (transport, callback) => transport.finishAuth(callback),
  versionOf: (client) => client.getNegotiatedProtocolVersion(),
  version: "2026-07-28",
};

await connectAndLiveADay(sdk, process.argv[2], "mcp-client@example.org");
