// What a person can do with a task, and what may be said of it afterwards: only what the tool reported.

import type { Answer, Refusal, Task } from "./contract.ts";
import { count, quote } from "./format.ts";
import type { Snooze } from "./snooze.ts";

export interface Outcome {
  done: boolean;
  /** For the person in front of the card. */
  text: string;
  /** For the conversation; absent when nothing happened. */
  message?: string;
  /** The task as it is now, if that was told. */
  task?: Task;
  /** There is no such task any more: its making was taken back. */
  gone?: boolean;
  undoToken?: string;
}

export interface Caller {
  call(name: string, args: Record<string, unknown>): Promise<Answer>;
}

const failed = (text: string): Outcome => ({ done: false, text });

/** A refusal in one sentence or a few. */
export function refusalText({ message, faults }: Refusal): string {
  const details = faults.map((fault) => (fault.argument === "" ? fault.message : `${fault.argument}: ${fault.message}`));
  return [message, ...details.filter((detail) => !message.includes(detail))].join(" ");
}

/** Whether the answer is about this task and can be believed. */
function told(answer: Answer, asked: Task): { task: Task; undoToken?: string; changed: boolean } | Outcome {
  if (answer.kind === "refused") return failed(refusalText(answer.refusal));
  if (answer.kind !== "task" || answer.task?.id !== asked.id) return failed("MindFlow gave an answer that this card does not understand.");
  const { task, changed, undoToken } = answer;
  return { task, changed: changed ?? true, ...(undoToken === undefined ? {} : { undoToken }) };
}

const isOutcome = (value: object): value is Outcome => "done" in value;

export function judgeComplete(answer: Answer, asked: Task): Outcome {
  const answered = told(answer, asked);
  if (isOutcome(answered)) return answered;
  const { task, changed, ...undo } = answered;
  if (task.status !== "completed") return { ...failed(`Not completed: MindFlow says it is ${task.status ?? "unknown"}.`), task };
  if (!changed) return { done: true, text: "It was completed already.", task };
  return { done: true, text: "Completed.", message: `I completed the task ${quote(task.title)}.`, task, ...undo };
}

export function judgeSnooze(answer: Answer, asked: Task): Outcome {
  const answered = told(answer, asked);
  if (isOutcome(answered)) return answered;
  const { task, changed, ...undo } = answered;
  if (task.status !== "snoozed") return { ...failed(`Not snoozed: MindFlow says it is ${task.status ?? "unknown"}.`), task };
  const until = task.snoozed_text === undefined ? "" : ` until ${task.snoozed_text}`;
  if (!changed) return { done: true, text: `It was snoozed${until} already.`, task };
  return { done: true, text: `Snoozed${until}.`, message: `I snoozed the task ${quote(task.title)}${until}.`, task, ...undo };
}

/** What was changed comes back with the answer; what was made does not. */
export function judgeUndo(answer: Answer, asked: Task[]): Outcome {
  if (answer.kind === "refused") return failed(refusalText(answer.refusal));
  if (answer.kind !== "list" || answer.undone === undefined) return failed("MindFlow gave an answer that this card does not understand.");
  const [only] = asked;
  const what = asked.length === 1 && only ? `the task ${quote(only.title)}` : count(asked.length, "task");
  const restored = answer.tasks.filter((task) => asked.some(({ id }) => id === task.id));
  const task = asked.length === 1 ? restored[0] : undefined;
  if (restored.length === 0) return { done: true, gone: true, text: "Undone. Nothing is left of it.", message: `I took back the making of ${what}.` };
  return { done: true, text: "Undone.", message: `I took back the change of ${what}.`, ...(task === undefined ? {} : { task }) };
}

export async function complete(host: Caller, task: Task): Promise<Outcome> {
  return judgeComplete(await host.call("complete_task", { id: task.id }), task);
}

export async function snooze(host: Caller, task: Task, choice: Snooze): Promise<Outcome> {
  return judgeSnooze(await host.call("snooze_task", { id: task.id, ...choice.until }), task);
}

export async function undo(host: Caller, token: string, tasks: Task[]): Promise<Outcome> {
  return judgeUndo(await host.call("undo", { undo_token: token }), tasks);
}
