// For how long a task can be snoozed.

export interface Snooze {
  label: string;
  /** What `snooze_task` is called with, beside the task. The server knows what the words mean in the user's zone. */
  until: { minutes: number } | { phrase: string };
}

export const SNOOZES: readonly Snooze[] = [
  { label: "30 minutes", until: { minutes: 30 } },
  { label: "2 hours", until: { minutes: 120 } },
  { label: "This evening", until: { phrase: "this evening" } },
  { label: "Tomorrow morning", until: { phrase: "tomorrow morning" } },
  { label: "Next week", until: { phrase: "next week" } },
];
