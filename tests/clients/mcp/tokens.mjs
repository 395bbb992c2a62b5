// What MindFlow costs a model in tokens (o200k, the vocabulary of OpenAI's models since GPT-4o): the list of the tools, which is
// read before the first word, and a page of tasks.
//
//     node tokens.mjs http://127.0.0.1:8000 EMAIL PASSWORD
//
// The account must have tasks as people have them (`mindflow demo`).

import assert from "node:assert/strict";

import { countTokens } from "gpt-tokenizer/encoding/o200k_base";

import { Session } from "./session.mjs";

const MOST_FOR_TOOLS = 6000;
const MOST_FOR_TASKS = 1500;
const ROWS = 20;

const [server, email, password] = process.argv.slice(2);
assert(password, "usage: tokens.mjs URL EMAIL PASSWORD");
const session = await Session.of(server, { email, password });

const list = await session.request("tools/list");
const tools = countTokens(JSON.stringify(list));
// What a host hands to a model is less: looks and schemas of results stay with it.
const shown = list.tools.map(({ name, description, inputSchema }) => ({ name, description, parameters: inputSchema }));
const page = await session.request("tools/call", { name: "get_tasks", arguments: { limit: ROWS } });
assert.equal(page.structuredContent.tasks.length, ROWS);
const text = countTokens(page.content[0].text);
const structured = countTokens(JSON.stringify(page.structuredContent));
const costs = { tools, shown: countTokens(JSON.stringify(shown)), page: text + structured, text, structured };

console.log(JSON.stringify(costs));
assert(tools < MOST_FOR_TOOLS, JSON.stringify(costs));
assert(costs.page < MOST_FOR_TASKS, JSON.stringify(costs));
