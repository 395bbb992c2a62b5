// Reads what a tool answered. Hosts differ in how they pass it on, so nothing is taken for granted.

import { due } from "./format.ts";
import type { Answer, Fault, Part, Refusal, Slot, Status, Task } from "./contract.ts";

type Fields = Record<string, unknown>;

export const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const number = (value: unknown): number | undefined => (typeof value === "number" && Number.isFinite(value) ? value : undefined);
const list = <T>(value: unknown, read: (item: unknown) => T | undefined): T[] =>
  (Array.isArray(value) ? value : []).map(read).filter((item) => item !== undefined);

/** Keeps only the fields that have a value, as optional fields want it. */
function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

const STATUSES: readonly string[] = ["pending", "in_progress", "completed", "snoozed"] satisfies Status[];

/** Rows of long lists bring their date alone, which is then shown in `zone`. */
export function readTask(value: unknown, zone?: string): Task | undefined {
  if (!isFields(value)) return undefined;
  const id = text(value["id"]);
  if (id === undefined) return undefined;
  const status = text(value["status"]);
  return present<Task>({
    id,
    title: text(value["title"]) ?? "(no title)",
    description: text(value["description"]),
    status: status !== undefined && STATUSES.includes(status) ? (status as Status) : undefined,
    priority: number(value["priority"]),
    due_text: text(value["due_text"]) ?? due(text(value["due_date"]), zone),
    overdue: value["overdue"] === true ? true : undefined,
    effort_estimate_minutes: number(value["effort_estimate_minutes"]),
    preferred_time: text(value["preferred_time"]),
    snoozed_text: text(value["snoozed_text"]),
    labels: list(value["labels"], text),
    score: number(value["score"]),
  });
}

function readPart(value: unknown): Part | undefined {
  if (!isFields(value)) return undefined;
  const [name, points] = [text(value["name"]), number(value["points"])];
  if (name === undefined || points === undefined) return undefined;
  return { name, points, value: number(value["value"]) ?? points, weight: number(value["weight"]) ?? 1 };
}

function readSlot(value: unknown): Slot | undefined {
  if (!isFields(value)) return undefined;
  const task = readTask(value["task"]);
  return task && { task, start_text: text(value["start_text"]) ?? "", end_text: text(value["end_text"]) ?? "" };
}

function readFault(value: unknown): Fault | undefined {
  if (!isFields(value)) return undefined;
  const message = text(value["message"]);
  return message === undefined ? undefined : { argument: text(value["argument"]) ?? "", message };
}

function readRefusal(data: Fields, said: string): Refusal {
  const error = isFields(data["error"]) ? data["error"] : {};
  return {
    kind: text(error["kind"]) ?? "internal",
    message: text(error["message"]) ?? (said || "MindFlow refused without giving a reason."),
    faults: list(error["faults"], readFault),
    candidates: list(error["candidates"], (row) => readTask(row)),
  };
}

function readTaskAnswer(data: Fields): Answer {
  const task = readTask(data["task"]) ?? null;
  const next = data["next_change"];
  const at = isFields(next) ? text(next["at_text"]) : undefined;
  return present<Extract<Answer, { kind: "task" }>>({
    kind: "task",
    task,
    score: number(data["score"]) ?? task?.score,
    recommendation: text(data["recommendation"]),
    parts: list(data["parts"], readPart),
    runnersUp: list(data["runners_up"], (row) => readTask(row)),
    nextChange: isFields(next) && at !== undefined ? { at_text: at, score: number(next["score"]) ?? null } : undefined,
    changed: typeof data["changed"] === "boolean" ? data["changed"] : undefined,
    undoToken: text(data["undo_token"]),
  });
}

function readListAnswer(data: Fields, tasks: Task[]): Answer {
  return present<Extract<Answer, { kind: "list" }>>({
    kind: "list",
    tasks,
    total: number(data["total"]),
    nextCursor: text(data["next_cursor"]),
    undoToken: text(data["undo_token"]),
    undone: text(data["undone"]),
    listed: "total" in data || "next_cursor" in data,
  });
}

function readDayAnswer(data: Fields): Answer {
  return {
    kind: "day",
    date: text(data["date"]) ?? "",
    slots: list(data["slots"], readSlot),
    leftOut: list(data["left_out"], (row) => readTask(row)),
    plannedMinutes: number(data["planned_minutes"]) ?? 0,
  };
}

function readText(content: unknown): string {
  return list(content, (block) => (isFields(block) && block["type"] === "text" ? text(block["text"]) : undefined)).join("\n");
}

function parsed(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch {
    return undefined;
  }
}

/** Reads the `structuredContent` of a result, or a text that says the same. */
export function readData(data: unknown, said = "", isError = false): Answer {
  const fields = isFields(data) ? data : {};
  if (isError || isFields(fields["error"])) return { kind: "refused", refusal: readRefusal(fields, said) };
  if (Array.isArray(fields["slots"])) return readDayAnswer(fields);
  if ("task" in fields) return readTaskAnswer(fields);
  if (Array.isArray(fields["tasks"])) return readListAnswer(fields, list(fields["tasks"], (row) => readTask(row, text(fields["time_zone"]))));
  if (Array.isArray(fields["results"])) return readListAnswer(fields, list(fields["results"], (row) => readTask(row)));
  return { kind: "text", text: said };
}

/** Reads a whole result of `tools/call`. */
export function readResult(result: unknown): Answer {
  const fields = isFields(result) ? result : {};
  const said = readText(fields["content"]);
  const data = fields["structuredContent"] ?? parsed(said);
  return readData(data, said, fields["isError"] === true);
}
