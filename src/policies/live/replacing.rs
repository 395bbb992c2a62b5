//! Policies give way to others; who keeps what was made by them can be ready for it.

use std::sync::Arc;

use super::{LivePolicies, Table};
use crate::policies::script::ScriptPolicy;

/// A policy in force and the one that takes its place, both as people have it who set none of its parameters.
pub struct Replacement {
    /// What is in force.
    pub before: Arc<ScriptPolicy>,
    /// What is in force next.
    pub after: Arc<ScriptPolicy>,
}

/// What is done before policies are replaced, while those before are still in force. What it returns is called right after.
pub type Preparation = Box<dyn Fn(&[Replacement]) -> Box<dyn FnOnce()> + Send + Sync>;

impl LivePolicies {
    /// From now on each replacement is prepared so; the first preparation stays. It delays what it prepares for.
    pub fn prepare_with(&self, preparation: Preparation) {
        // Set already: somebody else is ready then.
        let _ = self.preparation.set(preparation);
    }

    pub(super) fn replace(&self, before: &Table, after: Table) {
        let finish = self.preparation.get().map(|prepare| prepare(&self.replacements(before, &after)));
        self.table.store(Arc::new(after));
        if let Some(finish) = finish {
            finish();
        }
        self.changes.send_modify(|count| *count += 1);
    }

    fn replacements(&self, before: &Table, after: &Table) -> Vec<Replacement> {
        let replaced = after.iter().filter_map(|(name, entry)| {
            let (before, after) = (before.get(name)?.live.as_ref()?, entry.live.as_ref()?);
            let as_set = |policy| self.variants.of(policy, None);
            (!Arc::ptr_eq(before, after)).then(|| Replacement { before: as_set(before), after: as_set(after) })
        });
        replaced.collect()
    }
}
