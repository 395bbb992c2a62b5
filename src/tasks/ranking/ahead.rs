//! Rankings by a policy that is about to come into force, so that nobody waits for them when it does.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::clock::{Clock, Timestamp};
use crate::ids::UserId;
use crate::policies::live::Replacement;
use crate::scoring::Policy;

use super::{Rankings, Standing, stand};

/// Rankings of fewer tasks are made so fast that nobody need wait for them.
const LARGE: usize = 1_000;

impl Rankings {
    /// From now on large rankings are there when a policy comes into force.
    pub(in crate::tasks) fn follow(self: &Arc<Self>, clock: &Clock) {
        // The policies are held by the rankings, not the other way round.
        let (rankings, clock) = (Arc::downgrade(self), clock.clone());
        self.policies().prepare_with(Box::new(move |replaced| match rankings.upgrade() {
            Some(rankings) => rankings.make_ahead(replaced, clock.now()),
            None => Box::new(|| {}),
        }));
    }

    /// Makes the large rankings that are kept anew by the policies to come. They are kept once what is returned is called.
    fn make_ahead(self: Arc<Self>, replaced: &[Replacement], now: Timestamp) -> Box<dyn FnOnce()> {
        // What is interpreted could take long, and nothing would come into force meanwhile.
        let compiled = || replaced.iter().filter(|replaced| replaced.after.program().is_ok());
        let large = self.standings.iter().filter(|(_, standing)| standing.lineup.tasks.len() >= LARGE);
        let next = large.filter_map(|(user, standing)| {
            let policy = compiled().find(|replaced| standing.is_by(&*replaced.before)).map(|found| &found.after)?;
            self.is_current(user, &standing).then(|| (user, Arc::new(self.made_anew(&standing, policy.clone(), now))))
        });
        let next: Vec<_> = next.collect();
        Box::new(move || {
            for (user, standing) in next {
                // Where somebody makes it already, theirs is as good.
                let _ = self.standings.replace(user, Arc::clone(&standing), true);
                self.policies().shadow(&*standing.policy, (user, None), &standing.facts, &standing.moment);
            }
        })
    }

    fn is_current(&self, user: UserId, standing: &Standing) -> bool {
        self.lineups.peek(&user).is_some_and(|lineup| Arc::ptr_eq(&lineup, &standing.lineup))
    }

    fn made_anew(&self, standing: &Standing, policy: Arc<dyn Policy>, now: Timestamp) -> Standing {
        let moment = standing.lineup.moment(standing.moment.windows, now, None);
        let serial = Some(self.made.fetch_add(1, Ordering::Relaxed));
        Standing { serial, ..stand(Arc::clone(&standing.lineup), moment, policy) }
    }
}
