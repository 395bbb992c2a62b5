//! The tools, in the order in which hosts list them.

mod create;
mod find;
mod one;
mod page;
mod plan;
mod ranking;
mod reschedule;
mod research;
mod snooze;
mod undo;
mod update;

use super::tool::Tool;

/// Every tool: what to do now comes first.
pub(super) const TOOLS: &[Tool] = &[
    ranking::GET_BEST_TASK,
    ranking::GET_RANKED_TASKS,
    ranking::EXPLAIN_TASK,
    plan::PLAN_DAY,
    find::GET_TASKS,
    create::CREATE_TASK,
    update::UPDATE_TASK,
    one::COMPLETE_TASK,
    snooze::SNOOZE_TASK,
    reschedule::RESCHEDULE_TASK,
    one::DELETE_TASK,
    undo::UNDO,
    research::SEARCH,
    research::FETCH,
];
