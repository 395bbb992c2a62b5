//! Versions come into force, and are taken back.

use serde_json::json;

use super::error::PolicyError;
use super::following::LISTENERS;
use super::rights::Right;
use super::testing::Which;
use super::trials::Trial;
use super::{Actor, Versions};
use crate::accounts::audit::AuditEntry;
use crate::policies::live::PolicyStatus;
use crate::store::Tx;
use crate::store::policy_versions::{ActivationRecord, NewActivation, VersionRecord};

/// What is about to come into force.
struct Step {
    activation: NewActivation,
    /// The versions of which one must be in force.
    known: Option<Vec<String>>,
    entry: AuditEntry,
}

impl Versions {
    /// Puts a version in force, everywhere: its examples must come out.
    ///
    /// - `known`: the versions of which one must be in force.
    ///
    /// # Errors
    ///
    /// A lacking right or approval, an unknown version, failing examples, another version in force than is known.
    pub async fn activate(
        &self,
        actor: Actor<'_>,
        policy: &str,
        version: &str,
        known: Option<Vec<String>>,
    ) -> Result<PolicyStatus, PolicyError> {
        self.allow(&actor, Right::Activate).await?;
        self.catch_up().await?;
        let found = self.get_version(policy, version).await?;
        self.check_approval(&found)?;
        self.check_tests(policy, version).await?;
        let activation = self.activation(actor, policy, version, "activated");
        let entry = actor.audit("policy.activated", self.clock.now()).on(found.id);
        let step = Step { activation, known, entry };
        self.carry_out(step).await?;
        self.apply().await?;
        self.status_of(policy).await
    }

    /// Puts the version in force that was before the present one; again, the one before that.
    ///
    /// # Errors
    ///
    /// A lacking right, nothing to go back to, another version in force than is known.
    pub async fn roll_back(
        &self,
        actor: Actor<'_>,
        policy: &str,
        known: Option<Vec<String>>,
    ) -> Result<PolicyStatus, PolicyError> {
        self.allow(&actor, Right::Activate).await?;
        self.catch_up().await?;
        self.status_of(policy).await?;
        let activation = self.activation(actor, policy, "", "rolled_back");
        let entry = actor.audit("policy.rolled_back", self.clock.now());
        self.carry_out(Step { activation, known, entry }).await?;
        self.apply().await?;
        self.status_of(policy).await
    }

    /// The two-person rule, where it is set. What was in force before may be again.
    pub(super) fn check_approval(&self, version: &VersionRecord) -> Result<(), PolicyError> {
        let free = !self.rules.two_person || version.used || version.approvals > 0;
        if free { Ok(()) } else { Err(PolicyError::NeedsApproval) }
    }

    pub(super) async fn check_tests(&self, policy: &str, version: &str) -> Result<(), PolicyError> {
        let which = Which::Version(version.to_owned());
        let (_, report) = self.test(Actor::Shell, policy, &which, Vec::new()).await?;
        if report.failures.is_empty() { Ok(()) } else { Err(PolicyError::TestsFail(report.failures)) }
    }

    fn activation(&self, actor: Actor<'_>, policy: &str, version: &str, action: &'static str) -> NewActivation {
        let entry = actor.audit(action, self.clock.now());
        NewActivation {
            policy: policy.to_owned(),
            version: version.to_owned(),
            prior: None,
            file_version: self.live.in_use(policy).and_then(|in_use| in_use.file_version),
            action,
            actor: entry.actor,
            actor_id: entry.user_id,
            at: entry.at,
        }
    }

    async fn carry_out(&self, step: Step) -> Result<(), PolicyError> {
        self.store.write_of(LISTENERS, move |tx| Box::pin(async move { put_in_force(tx, step).await })).await
    }
}

async fn put_in_force(tx: &mut Tx<'_>, step: Step) -> Result<(), PolicyError> {
    let Step { mut activation, known, entry } = step;
    let number = tx.turn_policy_ledger().await?;
    let last = tx.find_last_activation(&activation.policy).await?;
    if let Some(known) = known
        && !last.as_ref().is_some_and(|last| known.contains(&last.version))
    {
        return Err(PolicyError::Changed);
    }
    if activation.action == "rolled_back" {
        let before = before(tx, &activation.policy, last.as_ref()).await?;
        activation.version = before.version;
        activation.prior = before.prior;
    } else {
        if last.as_ref().is_some_and(|last| last.version == activation.version) {
            return Ok(());
        }
        activation.prior = last.as_ref().map(|last| last.number);
    }
    let details = json!({
        "policy": activation.policy,
        "version": activation.version,
        "before": last.map(|last| last.version),
    });
    tx.insert_policy_activation(number, &activation).await?;
    if activation.action == "activated" {
        // What everybody has now is not on trial any more, and nothing else is against it.
        tx.end_candidate(&activation.policy, Trial::Rollout.as_str(), "ended", activation.at).await?;
    }
    Ok(tx.insert_audit(&entry.with(details)).await?)
}

/// The activation to which a roll-back returns.
async fn before(
    tx: &mut Tx<'_>,
    policy: &str,
    last: Option<&ActivationRecord>,
) -> Result<ActivationRecord, PolicyError> {
    let prior = last.and_then(|last| last.prior).ok_or(PolicyError::NothingBefore)?;
    tx.find_activation(policy, prior).await?.ok_or(PolicyError::NothingBefore)
}
