// npm @modelcontextprotocol/client, which hosts of the protocol from 2026-07-28 on are built with.
//
//     node mcp_client.mjs http://127.0.0.1:8000

import { auth, extractWWWAuthenticateParams } from "@modelcontextprotocol/client";

import { connectAnAssistant } from "./mcp.mjs";

await connectAnAssistant({ auth, extractWWWAuthenticateParams }, process.argv[2], "mcp-client@example.org");
