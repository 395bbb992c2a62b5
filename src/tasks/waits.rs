//! Which tasks wait for others: a task waits for its open parts.

use std::collections::{HashMap, HashSet};

use crate::ids::TaskId;

/// Who waits for whom among somebody's open tasks.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// How many open parts a task has.
    open_parts: HashMap<TaskId, u32>,
    /// The parts of tasks that are open themselves.
    held_up: HashSet<TaskId>,
}

impl Waits {
    /// Looks at all open tasks of a person, the snoozed among them: each with the task that it is a part of.
    pub(super) fn among(open: impl Iterator<Item = (TaskId, Option<TaskId>)> + Clone) -> Self {
        let mut waits = Self::default();
        let parts = open.clone().filter_map(|(task, whole)| Some((task, whole?)));
        for (_, whole) in parts.clone() {
            *waits.open_parts.entry(whole).or_default() += 1;
        }
        if !waits.open_parts.is_empty() {
            let open: HashSet<TaskId> = open.map(|(task, _)| task).collect();
            waits.held_up = parts.filter(|(_, whole)| open.contains(whole)).map(|(part, _)| part).collect();
        }
        waits
    }

    /// How many open tasks this one waits for.
    pub(super) fn blocked_by(&self, id: TaskId) -> u32 {
        self.open_parts.get(&id).copied().unwrap_or(0)
    }

    /// How many open tasks wait for this one.
    pub(super) fn blocks(&self, id: TaskId) -> u32 {
        self.held_up.contains(&id).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_waits_for_its_open_parts_and_they_hold_it_up() {
        let [whole, part, other, gone] = [1, 2, 3, 4].map(|number| TaskId(uuid::Uuid::from_u128(number)));
        let open = [(whole, None), (part, Some(whole)), (other, Some(gone))];

        let waits = Waits::among(open.into_iter());

        assert_eq!([whole, part, other].map(|id| waits.blocked_by(id)), [1, 0, 0]);
        // What is completed holds nobody up, and nobody waits for it.
        assert_eq!([whole, part, other].map(|id| waits.blocks(id)), [0, 1, 0]);
    }
}
