// npm @modelcontextprotocol/sdk, which hosts of the protocol up to 2025-11-25 are built with.
//
//     node mcp_sdk.mjs http://127.0.0.1:8000

import { auth, extractWWWAuthenticateParams } from "@modelcontextprotocol/sdk/client/auth.js";

import { connectAnAssistant } from "./mcp.mjs";

await connectAnAssistant({ auth, extractWWWAuthenticateParams }, process.argv[2], "mcp-sdk@example.org");
