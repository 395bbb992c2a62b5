//! Which version somebody gets, and what is tried in the shadow.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use super::LivePolicies;
use crate::accounts::Role;
use crate::ids::UserId;
use crate::policies::candidates::Candidates;
use crate::policies::fault::PolicyFault;
use crate::policies::script::ScriptPolicy;
use crate::policies::shadows::Shadowed;
use crate::scoring::params::ParamValues;
use crate::scoring::{FactTable, Moment, Policy};
use crate::store::policy_candidates::TrialCounts;

impl LivePolicies {
    /// The policy of that name for somebody: a version that is rolled out to them, or the one in force, with the values of
    /// its parameters that an operator and, where they may, this person set.
    pub fn choose(
        &self,
        name: &str,
        (user, role): (UserId, Role),
        own: Option<&ParamValues>,
    ) -> Option<Arc<dyn Policy>> {
        let candidates = self.candidates.load();
        let policy = match candidates.rollouts.get(name).filter(|rollout| rollout.part.includes(user, role)) {
            Some(rollout) => Arc::clone(&rollout.candidate),
            None => self.snapshot().script(name)?,
        };
        Some(self.variants.of(&policy, own))
    }

    /// A version that is only tried, with the values that its parameters would have for somebody.
    pub fn as_set(&self, policy: &Arc<ScriptPolicy>, own: Option<&ParamValues>) -> Arc<ScriptPolicy> {
        self.variants.of(policy, own)
    }

    /// What is on trial.
    pub fn candidates(&self) -> Arc<Candidates> {
        self.candidates.load_full()
    }

    /// Puts versions on trial, in the place of those that were.
    pub fn set_candidates(&self, candidates: Candidates) {
        self.candidates.store(Arc::new(candidates));
    }

    /// Makes a version ready for a trial. Blocking.
    ///
    /// # Errors
    ///
    /// Every fault with its place.
    pub fn candidate(&self, name: &str, version: &str, text: &str) -> Result<Arc<ScriptPolicy>, Vec<PolicyFault>> {
        let script = self.try_out(name, &PathBuf::from(format!("{name}@{version}")), text)?;
        Ok(Arc::new(script.counting(Arc::clone(&self.faults))))
    }

    /// What versions in the shadow did since it was last asked for: by policy and version.
    pub fn seen_in_shadow(&self) -> Vec<((String, String), TrialCounts)> {
        self.shadows.take()
    }

    /// Puts back what could not be kept.
    pub fn put_back(&self, trial: (String, String), counts: TrialCounts) {
        self.shadows.put_back(trial, counts);
    }

    /// On how many tasks each version in force failed, since it is: policy, version, failures.
    pub fn failures(&self) -> Vec<(String, String, u64)> {
        let table = self.table.load();
        let live = table.values().filter_map(|entry| entry.live.as_ref());
        live.map(|live| (live.name().to_owned(), live.version().to_owned(), live.failures())).collect()
    }

    /// The same of versions that are rolled out.
    pub fn rollout_failures(&self) -> Vec<(String, String, u64)> {
        let candidates = self.candidates.load();
        let tried = candidates.rollouts.values().map(|rollout| &rollout.candidate);
        tried.map(|tried| (tried.name().to_owned(), tried.version().to_owned(), tried.failures())).collect()
    }

    /// Counts that something was taken back by itself.
    pub fn count_rollback(&self, policy: &str) {
        let mut rollbacks = self.rollbacks.lock().unwrap_or_else(PoisonError::into_inner);
        *rollbacks.entry(policy.to_owned()).or_default() += 1;
    }

    pub(super) fn rollbacks_of(&self, policy: &str) -> u64 {
        self.rollbacks.lock().unwrap_or_else(PoisonError::into_inner).get(policy).copied().unwrap_or(0)
    }

    /// Lets the version that is tried in the shadow rank what the version in force has ranked, sooner or later.
    pub fn shadow(
        &self,
        policy: &dyn Policy,
        (user, own): (UserId, Option<&ParamValues>),
        facts: &FactTable,
        moment: &Moment,
    ) {
        let candidates = self.candidates.load();
        let Some(shadow) = candidates.shadows.get(policy.name()) else { return };
        let lot = [&user.0.as_bytes()[..], &moment.now.as_micros().to_be_bytes()].concat();
        if !shadow.part.draws(&lot) {
            return;
        }
        let Some((live, _)) = self.in_use(policy.name()).and_then(|in_use| in_use.live) else { return };
        if live.version() == policy.version() {
            let policies = [&live, &shadow.candidate].map(|policy| self.variants.of(policy, own));
            self.shadows.give(Shadowed { facts: facts.clone(), moment: moment.clone(), policies });
        }
    }
}
