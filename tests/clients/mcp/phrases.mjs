// What people say, the call that an assistant makes of it, and what the answer must tell them.
//
// Each is said to the same list of tasks, at ten in the morning. In braces stands the day that somebody means by a word:
// {friday} is `Fri 27 Nov` for who says it on the 21st.

/** The list, made by one call of `create_task`. */
export const TASKS = [
  { title: "File the tax return", priority: "urgent", due_date: "tomorrow", effort_estimate_minutes: 60, labels: ["money"] },
  { title: "Write the quarterly report", priority: "high", due_date: "in 5 days", effort_estimate_minutes: 90 },
  { title: "Reply to Maria about the budget", due_date: "today", effort_estimate_minutes: 5 },
  { title: "Reply to Maria about the offsite", effort_estimate_minutes: 25 },
  { title: "Call the dentist", effort_estimate_minutes: 10 },
  { title: "Buy milk and bread", effort_estimate_minutes: 45, preferred_time: "evening", labels: ["errands"] },
  { title: "Book flights to Lisbon", description: "Two seats, window", due_date: "in 2 weeks", effort_estimate_minutes: 30 },
  { title: "Renew the passport", priority: "low", due_date: "{yesterday_iso}", effort_estimate_minutes: 120 },
  { title: "Water the plants" },
];
/** Done before anybody says anything. */
export const DONE = "Water the plants";

/**
 * `says` are parts of the text of the result, `hides` are not in it; `refused` stands where nothing must be done. `after` is
 * a call that comes first.
 */
export const PHRASES = [
  // What to do.
  {
    phrase: "What should I work on next?",
    tool: "get_best_task",
    args: {},
    says: ['Best now: "File the tax return"', "due {tomorrow}", "priority 5", "Score ", "Then: "],
  },
  {
    phrase: "I have 20 minutes. What can I do?",
    tool: "get_best_task",
    args: { available_minutes: 20 },
    says: ['Best now: "Reply to Maria about the budget"', "due {today}", "5 min", '"Call the dentist"'],
    hides: ["tax return", "report", "flights"],
  },
  {
    phrase: "What will I begin with tomorrow at nine?",
    tool: "get_best_task",
    args: { at: "tomorrow 9am" },
    says: ["Best at {tomorrow}", "Score "],
  },
  {
    phrase: "Is there anything that takes two minutes?",
    tool: "get_best_task",
    args: { available_minutes: 2 },
    says: ["No open task fits into 2 minutes"],
  },
  {
    phrase: "What are my top three?",
    tool: "get_ranked_tasks",
    args: { limit: 3 },
    says: ["3 of 8 open tasks, best first", "\n1.", '"File the tax return"', "\n3."],
    hides: ["\n4."],
  },
  {
    phrase: "Why is the tax return so important?",
    tool: "explain_task",
    args: { query: "the tax return" },
    says: ['"File the tax return"', " scores ", "priority "],
  },
  { phrase: "Plan my day", tool: "plan_day", args: {}, says: ['"File the tax return"', "minutes of work"] },

  // What there is.
  {
    phrase: "Show me my tasks",
    tool: "get_tasks",
    args: {},
    says: ["8 tasks", '"Renew the passport" {yesterday}', "overdue"],
    hides: ["plants"],
  },
  {
    phrase: "What is overdue?",
    tool: "get_tasks",
    args: { due_before: "today" },
    says: ["1 task", '"Renew the passport" {yesterday}', "overdue"],
    hides: ["budget", "tax"],
  },
  {
    phrase: "What is due by tomorrow?",
    tool: "get_tasks",
    args: { due_before: "in 2 days" },
    says: ["3 tasks", '"Reply to Maria about the budget" {today}', '"File the tax return" {tomorrow}'],
    hides: ["report", "flights"],
  },
  {
    phrase: "What did I finish this week?",
    tool: "get_tasks",
    args: { status: ["completed"], updated_since: "{monday_before_iso}" },
    says: ["1 task", '"Water the plants"'],
  },
  {
    phrase: "Is there anything about Maria?",
    tool: "get_tasks",
    args: { q: "maria" },
    says: ["2 tasks", '"Reply to Maria about the budget"', '"Reply to Maria about the offsite"'],
  },
  { phrase: "Show my errands", tool: "get_tasks", args: { label: "errands" }, says: ["1 task", '"Buy milk and bread"'] },
  {
    phrase: "Look for whatever I wrote down about a window seat",
    tool: "search",
    args: { query: "window" },
    says: ["Book flights to Lisbon", '"id":', "/api/tasks/"],
  },

  // New tasks.
  {
    phrase: "Remind me to call mum on sunday",
    tool: "create_task",
    args: { title: "Call mum", due_date: "sunday" },
    says: ['Created "Call mum"', "due {sunday}"],
  },
  {
    phrase: "I must pay the rent by friday noon, that is urgent",
    tool: "create_task",
    args: { title: "Pay the rent", due_date: "friday at noon", priority: "urgent" },
    says: ['Created "Pay the rent"', "due {friday}", "12:00", "priority 5"],
  },
  {
    phrase: "Put eggs, butter and flour on my list",
    tool: "create_task",
    args: { tasks: [{ title: "Buy eggs" }, { title: "Buy butter" }, { title: "Buy flour" }] },
    says: ["Created 3 tasks", '"Buy eggs"', '"Buy butter"', '"Buy flour"'],
  },

  // Done.
  {
    phrase: "Done with dentist",
    tool: "complete_task",
    args: { query: "dentist" },
    says: ['Completed "Call the dentist"'],
  },
  {
    phrase: "I replied to Maria",
    tool: "complete_task",
    args: { query: "reply to Maria" },
    refused: "ambiguous",
    says: ["Nothing was done", "2 tasks", '"Reply to Maria about the budget"', '"Reply to Maria about the offsite"', " id "],
  },
  {
    phrase: "The garage is clean",
    tool: "complete_task",
    args: { query: "the garage" },
    refused: "not_found",
    says: ["Nothing was done", "no task fits", "garage"],
  },

  // Later.
  {
    phrase: "Snooze the report until monday morning",
    tool: "snooze_task",
    args: { query: "the report", phrase: "monday morning" },
    says: ['Snoozed "Write the quarterly report"', "snoozed until {monday}", "06:00"],
  },
  {
    phrase: "Milk can wait until tonight",
    tool: "snooze_task",
    args: { query: "milk", phrase: "tonight" },
    says: ['Snoozed "Buy milk and bread"', "snoozed until {today}", "18:00"],
  },
  {
    phrase: "Ask me about the dentist again in half an hour",
    tool: "snooze_task",
    args: { query: "dentist", minutes: 30 },
    says: ['Snoozed "Call the dentist"', "snoozed until {today}"],
  },
  {
    phrase: "Snooze the flights for a bit",
    tool: "snooze_task",
    args: { query: "flights", phrase: "for a bit" },
    refused: "invalid",
    says: ["Nothing was done", "phrase", "tomorrow"],
  },
  {
    phrase: "Move the tax thing to friday",
    tool: "reschedule_task",
    args: { query: "the tax thing", due_date: "friday" },
    says: ['"File the tax return"', "due {friday}"],
  },
  {
    phrase: "The report is due tomorrow at three now",
    tool: "reschedule_task",
    args: { query: "report", due_date: "tomorrow 3pm" },
    says: ['Rescheduled "Write the quarterly report"', "due {tomorrow}", "15:00"],
  },
  {
    phrase: "There is no deadline for the flights any more",
    tool: "reschedule_task",
    args: { query: "flights", due_date: null },
    says: ['Rescheduled "Book flights to Lisbon"'],
    hides: ["due "],
  },

  // Otherwise.
  {
    phrase: "The passport is urgent after all",
    tool: "update_task",
    args: { query: "passport", priority: "urgent" },
    says: ['Updated "Renew the passport"', "priority 5"],
  },
  {
    phrase: "I have begun with the report, it will take two hours",
    tool: "update_task",
    args: { query: "report", status: "in_progress", effort_estimate_minutes: 120 },
    says: ['Updated "Write the quarterly report"', "120 min", "in progress"],
  },
  {
    phrase: "Make milk priority eleven",
    tool: "update_task",
    args: { query: "milk", priority: 11 },
    refused: "invalid",
    says: ["Nothing was done", "priority", "1", "5"],
  },
  {
    phrase: "Sorry, the plants are still dry",
    tool: "update_task",
    args: { query: "plants", status: "pending" },
    says: ['Updated "Water the plants"'],
    hides: ["completed"],
  },
  {
    phrase: "Forget the offsite",
    tool: "delete_task",
    args: { query: "the offsite one" },
    says: ['Deleted "Reply to Maria about the offsite"', "undo"],
  },
  {
    phrase: "Undo that",
    after: { tool: "complete_task", args: { query: "dentist" } },
    tool: "undo",
    args: {},
    says: ["Undone", '"Call the dentist"'],
    hides: ["completed"],
  },
];
