//! How many tasks are open and overdue at other moments than now.

use crate::clock::Timestamp;

use super::fields::{ContextField, Uses};
use super::moment::Moment;

/// A person's open tasks by when they begin to count: from them follows what `ctx.open_tasks` and `ctx.overdue_tasks` will be.
#[derive(Clone, Debug, Default)]
pub struct Crowd {
    /// From when on each is open, in order.
    open_from: Vec<Timestamp>,
    /// From when on each is open and overdue, in order.
    overdue_from: Vec<Timestamp>,
}

impl Crowd {
    /// Of tasks that are not completed.
    ///
    /// - `tasks`: from when on each is awake, if it sleeps; the first moment at which it is overdue, if it is due.
    pub fn new(tasks: impl IntoIterator<Item = (Option<Timestamp>, Option<Timestamp>)>) -> Self {
        let mut crowd = Self::default();
        for (awake_from, overdue_from) in tasks {
            let open_from = awake_from.unwrap_or(Timestamp::from_micros(i64::MIN));
            crowd.open_from.push(open_from);
            crowd.overdue_from.extend(overdue_from.map(|from| from.max(open_from)));
        }
        crowd.open_from.sort_unstable();
        crowd.overdue_from.sort_unstable();
        crowd
    }

    /// Whether anything that is read follows from it.
    pub const fn matters(uses: Uses) -> bool {
        uses.context(ContextField::OpenTasks) || uses.context(ContextField::OverdueTasks)
    }

    /// The same person's moment at another time.
    pub(super) fn at(&self, moment: &Moment, now: Timestamp) -> Moment {
        let count = |from: &[Timestamp]| u32::try_from(from.partition_point(|from| *from <= now)).unwrap_or(u32::MAX);
        let (open_tasks, overdue_tasks) = (count(&self.open_from), count(&self.overdue_from));
        Moment { open_tasks, overdue_tasks, ..moment.at(now) }
    }

    /// The first moment after `now` at which a number that is read is another one.
    pub(super) fn next_change(&self, uses: Uses, now: Timestamp) -> Option<Timestamp> {
        let next = |field, from: &[Timestamp]| {
            let later = uses.context(field).then(|| from.get(from.partition_point(|from| *from <= now)));
            later.flatten().copied()
        };
        let open = next(ContextField::OpenTasks, &self.open_from);
        let overdue = next(ContextField::OverdueTasks, &self.overdue_from);
        [open, overdue].into_iter().flatten().min()
    }
}
