// A MindFlow that answers from memory, in the shapes that the real one answers in.

const SNOOZED = {
  30: "Sat 21 Nov 2026, 14:30",
  120: "Sat 21 Nov 2026, 16:00",
  "this evening": "Sat 21 Nov 2026, 18:00",
  "tomorrow morning": "Sun 22 Nov 2026, 08:00",
  "next week": "Mon 23 Nov 2026, 08:00",
};

export const ok = (structuredContent, text = "See the card.") => ({ content: [{ type: "text", text }], structuredContent });
export const refusal = (kind, message, more = {}) => ({
  isError: true,
  content: [{ type: "text", text: message }],
  structuredContent: { error: { kind, message, ...more } },
});

let made = 0;
export function task(fields) {
  made += 1;
  return { id: `0198c0de-0000-7000-8000-${String(made).padStart(12, "0")}`, status: "pending", priority: 3, labels: [], ...fields };
}

export const REPORT = task({
  title: "Write the quarterly report",
  description: "Figures from Ada; the layout of last quarter.",
  priority: 4,
  due_date: "2026-11-21T17:00:00Z",
  due_text: "Sat 21 Nov 2026, 18:00",
  effort_estimate_minutes: 30,
  preferred_time: "afternoon",
  labels: ["work", "reports"],
  score: 96.25,
});
export const DENTIST = task({
  title: "Call the dentist",
  priority: 5,
  due_date: "2026-11-20",
  due_text: "Fri 20 Nov 2026",
  overdue: true,
  effort_estimate_minutes: 10,
  preferred_time: "morning",
  score: 90,
});
export const PLANTS = task({ title: "Water the plants", priority: 2, effort_estimate_minutes: 15, labels: ["home"], score: 30 });
export const TAXES = task({ title: "Sort receipts for the tax return, by month and by kind", due_text: "Wed 30 Dec 2026", effort_estimate_minutes: 150, score: 42.5 });

export const PARTS = [
  { name: "deadline", value: 1, weight: 40, points: 40 },
  { name: "priority", value: 4, weight: 10, points: 40 },
  { name: "effort", value: 0.75, weight: 10, points: 7.5 },
  { name: "time_of_day", value: 1.1, weight: 87.5, points: 8.75 },
];
export const LESS = [
  { name: "deadline", value: 1.25, weight: 40, points: 50 },
  { name: "priority", value: 5, weight: 10, points: 50 },
  { name: "effort", value: 0, weight: 10, points: 0 },
  { name: "time_of_day", value: 0.9, weight: 100, points: -10 },
];

export const best = (parts = PARTS) =>
  ok({
    task: REPORT,
    score: 96.25,
    recommendation: "Due today with high priority - good time to tackle this",
    parts,
    runners_up: [DENTIST, TAXES, PLANTS],
    at: "2026-11-21T13:00:00Z",
    time_zone: "Europe/Vienna",
  });

export const plan = () =>
  ok({
    date: "2026-11-21",
    time_zone: "Europe/Vienna",
    slots: [
      { start: "2026-11-21T08:00:00Z", end: "2026-11-21T08:10:00Z", start_text: "09:00", end_text: "09:10", task: DENTIST },
      { start: "2026-11-21T08:15:00Z", end: "2026-11-21T08:45:00Z", start_text: "09:15", end_text: "09:45", task: REPORT },
      { start: "2026-11-21T12:00:00Z", end: "2026-11-21T12:15:00Z", start_text: "13:00", end_text: "13:15", task: PLANTS },
    ],
    left_out: [TAXES],
    planned_minutes: 55,
  });

const MANY = Array.from({ length: 25 }, (_, at) => task({ title: `Task number ${at + 1}`, priority: (at % 5) + 1, score: 80 - at }));
export const PAGE = 10;
export const page = (from) =>
  ok({ tasks: MANY.slice(from, from + PAGE), total: MANY.length, next_cursor: from + PAGE < MANY.length ? `c${from + PAGE}` : null });

/** Keeps the tasks, and what it was called with. `refuse` maps a tool to the result it gives instead. */
export class Canned {
  calls = [];
  refuse = {};
  #tasks = new Map([REPORT, DENTIST, PLANTS, TAXES, ...MANY].map((each) => [each.id, each]));
  #undo = new Map();

  constructor(...more) {
    for (const each of more) this.#tasks.set(each.id, each);
  }

  call(name, args) {
    this.calls.push([name, args]);
    if (this.refuse[name]) return this.refuse[name];
    if (name === "complete_task") return this.#change(args, "task.completed", (old) => ({ ...old, status: "completed", completed_at: "2026-11-21T13:00:00Z" }));
    if (name === "snooze_task") {
      const snoozed_text = SNOOZED[args.minutes ?? args.phrase];
      return this.#change(args, "task.snoozed", (old) => ({ ...old, status: "snoozed", snoozed_until: "2026-11-23T07:00:00Z", snoozed_text }));
    }
    if (name === "undo") return this.#takeBack(args.undo_token);
    if (name === "explain_task") return ok({ task: this.#tasks.get(args.id), score: 90, recommendation: "Overdue with high priority - you prefer another time of day for this", parts: LESS, levers: [], is_candidate: true });
    if (name === "get_tasks" || name === "get_ranked_tasks") return page(Number((args.cursor ?? "c0").slice(1)));
    throw new Error(`no canned answer for ${name}`);
  }

  #change({ id }, kind, how) {
    const old = this.#tasks.get(id);
    if (!old) return refusal("not_found", "no such task");
    // Answers about a change carry no score.
    const { score: _, ...changed } = how(old);
    const undo_token = `undo-${this.calls.length}`;
    this.#tasks.set(id, changed);
    this.#undo.set(undo_token, [old, kind]);
    return ok({ task: changed, changed: true, undo_token });
  }

  #takeBack(token) {
    const [old, undone] = this.#undo.get(token) ?? [];
    if (!old) return refusal("not_found", "this change cannot be taken back");
    this.#undo.delete(token);
    this.#tasks.set(old.id, old);
    return ok({ undone, tasks: [old] });
  }
}

/** The result of `create_task`, to be undone as one: of what was made, nothing comes back. */
export function created(canned, ...tasks) {
  canned.refuse.undo = ok({ undone: "task.batch", tasks: [] });
  return ok({ tasks, undo_token: "undo-created" });
}

/** Opens a widget over a canned server. */
export async function open({ chats, documents }, view, result, options = {}) {
  const server = options.server ?? new Canned();
  const card = await chats.open({ html: documents[view], result, callTool: (name, args) => server.call(name, args), ...options });
  return { card, server };
}

export const CARD = ok({ task: REPORT, score: 96.25, recommendation: "Due today with high priority", parts: PARTS });
export const LIST = ok({ tasks: [REPORT, DENTIST, PLANTS, TAXES], total: 4, next_cursor: null });
