// A task after it was read, explained or changed.

import "../styles/base.css";
import "../styles/list.css";
import "../styles/panel.css";
import { start, type App } from "../app.ts";
import type { Answer, ListAnswer, Task, TaskAnswer } from "../contract.ts";
import { h, type Child } from "../dom.ts";
import { changes, isChange } from "../parts/changes.ts";
import { Panel } from "../parts/panel.ts";
import { noTasks, nothingToDo, plainText, refused } from "../parts/states.ts";
import type { Notice } from "../task-control.ts";

function change({ changed, undoToken, task }: TaskAnswer, deleted: boolean): Notice | undefined {
  if (changed === undefined) return undefined;
  const snoozed = task?.snoozed_text === undefined ? "Snoozed." : `Snoozed until ${task.snoozed_text}.`;
  const known: Record<string, string> = { completed: "Completed.", snoozed };
  const text = deleted ? "Deleted." : (known[task?.status ?? ""] ?? "Saved.");
  return { tone: "good", text: changed ? text : "Nothing had to be changed.", ...(undoToken === undefined ? {} : { undoToken }) };
}

function one(answer: TaskAnswer, task: Task, app: App): Child {
  const deleted = app.host.toolName.endsWith("delete_task") && answer.changed === true;
  return new Panel(app, { ...answer, eyebrow: "Task", task, gone: deleted, notice: change(answer, deleted) }).root;
}

function several(answer: ListAnswer, app: App): Child {
  const [only, ...more] = answer.tasks;
  if (isChange(answer) && (!only || more.length > 0)) return changes(answer, app);
  if (!only) return noTasks();
  const { undoToken, undone } = answer;
  const made = undoToken === undefined ? undefined : ({ tone: "good", text: "Created.", undoToken } as const);
  const notice = undone === undefined ? made : ({ tone: "good", text: "Undone." } as const);
  return h("div", { class: "stack" }, ...answer.tasks.map((task) => new Panel(app, { eyebrow: "Task", task, parts: [], score: task.score, notice }).root));
}

function show(answer: Answer, app: App): Child {
  switch (answer.kind) {
    case "task":
      return answer.task ? one(answer, answer.task, app) : nothingToDo();
    case "list":
      return several(answer, app);
    case "day":
      return several({ kind: "list", listed: true, tasks: answer.slots.map((slot) => slot.task) }, app);
    case "refused":
      return refused(answer.refusal, app);
    case "text":
      return plainText(answer.text);
  }
}

start({ pauseMs: 0, show });
