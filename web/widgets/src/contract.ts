// The results of MindFlow's tools, as far as the widgets show them. What arrives is read by `answer.ts`, never trusted.

export type Status = "pending" | "in_progress" | "completed" | "snoozed";

export interface Task {
  id: string;
  title: string;
  description?: string;
  status?: Status;
  /** 1 to 5. */
  priority?: number;
  /** The due date in the user's zone, ready to be shown. */
  due_text?: string;
  overdue?: boolean;
  effort_estimate_minutes?: number;
  preferred_time?: string;
  /** The end of the snooze in the user's zone, ready to be shown. */
  snoozed_text?: string;
  labels: string[];
  score?: number;
}

/** One part of a score. The points of all parts add up to the score. */
export interface Part {
  name: string;
  value: number;
  weight: number;
  points: number;
}

export interface Fault {
  argument: string;
  message: string;
}

export interface Refusal {
  kind: string;
  message: string;
  faults: Fault[];
  candidates: Task[];
}

export interface Slot {
  start_text: string;
  end_text: string;
  task: Task;
}

/** What a tool answered, by what can be shown of it. */
export type Answer = TaskAnswer | ListAnswer | DayAnswer | RefusedAnswer | TextAnswer;

export interface TaskAnswer {
  kind: "task";
  task: Task | null;
  score?: number;
  recommendation?: string;
  parts: Part[];
  runnersUp: Task[];
  nextChange?: { at_text: string; score: number | null };
  /** Absent when the tool only reads. */
  changed?: boolean;
  undoToken?: string;
}

export interface ListAnswer {
  kind: "list";
  tasks: Task[];
  total?: number;
  nextCursor?: string;
  undoToken?: string;
  /** What `undo` has taken back, such as `task.completed`. */
  undone?: string;
  /** Whether the tasks come from a listing tool, with a total. */
  listed: boolean;
}

export interface DayAnswer {
  kind: "day";
  date: string;
  slots: Slot[];
  leftOut: Task[];
  plannedMinutes: number;
}

export interface RefusedAnswer {
  kind: "refused";
  refusal: Refusal;
}

export interface TextAnswer {
  kind: "text";
  text: string;
}
