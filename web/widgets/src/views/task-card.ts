// A task after it was read, explained or changed.

import "../styles/base.css";
import "../styles/panel.css";
import { start, type App } from "../app.ts";
import type { Answer, Task, TaskAnswer } from "../contract.ts";
import { h, type Child } from "../dom.ts";
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

function several(tasks: Task[], app: App): Child {
  if (tasks.length === 0) return noTasks();
  return h("div", { class: "stack" }, ...tasks.map((task) => new Panel(app, { eyebrow: "Task", task, parts: [], score: task.score }).root));
}

function show(answer: Answer, app: App): Child {
  switch (answer.kind) {
    case "task":
      return answer.task ? one(answer, answer.task, app) : nothingToDo();
    case "list":
      return several(answer.tasks, app);
    case "day":
      return several(answer.slots.map((slot) => slot.task), app);
    case "refused":
      return refused(answer.refusal, app);
    case "text":
      return plainText(answer.text);
  }
}

start({ pauseMs: 0, show });
