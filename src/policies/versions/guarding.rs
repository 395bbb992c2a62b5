//! Versions that fail too often on people's tasks are taken back without anybody's doing.

use serde_json::json;

use super::error::PolicyError;
use super::following::LISTENERS;
use super::trials::Trial;
use super::{Actor, Versions};
use crate::accounts::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::store::Tx;
use crate::store::policy_versions::NewActivation;

/// A version that failed too often.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Failing {
    policy: String,
    version: String,
    failures: u64,
}

impl Versions {
    /// Takes back what failed too often, here, since it came into force.
    ///
    /// # Errors
    ///
    /// What keeps the store from writing.
    pub async fn guard(&self) -> Result<(), PolicyError> {
        let Some(most) = self.rules.most_failures else { return Ok(()) };
        let failing = |(policy, version, failures): (String, String, u64)| {
            (failures > most).then_some(Failing { policy, version, failures })
        };
        let rollouts: Vec<Failing> = self.live.rollout_failures().into_iter().filter_map(failing).collect();
        for failing in rollouts {
            self.end_failing(failing).await?;
        }
        let in_force: Vec<Failing> = self.live.failures().into_iter().filter_map(failing).collect();
        for failing in in_force {
            self.replace_failing(failing).await?;
        }
        Ok(())
    }

    async fn end_failing(&self, failing: Failing) -> Result<(), PolicyError> {
        let (now, told) = (self.clock.now(), failing.clone());
        let entry = entry("policy.rollout_ended", &failing, now);
        let ended = self.store.write_of::<_, PolicyError, _>(LISTENERS, move |tx| {
            Box::pin(async move {
                tx.turn_policy_ledger().await?;
                let row = tx.find_candidate(&failing.policy, Trial::Rollout.as_str()).await?;
                if row.is_none_or(|row| row.version != failing.version) {
                    return Ok(false);
                }
                let ended = tx.end_candidate(&failing.policy, Trial::Rollout.as_str(), "rolled_back", now).await?;
                if ended {
                    tx.insert_audit(&entry).await?;
                }
                Ok(ended)
            })
        });
        if ended.await? {
            self.live.count_rollback(&told.policy);
            tell(&told, "the roll-out of a policy failed too often and was ended");
        }
        self.apply().await
    }

    async fn replace_failing(&self, failing: Failing) -> Result<(), PolicyError> {
        let key = (failing.policy.clone(), failing.version.clone());
        if self.given_up.lock().unwrap_or_else(std::sync::PoisonError::into_inner).contains(&key) {
            return Ok(());
        }
        let (now, told) = (self.clock.now(), failing.clone());
        let file_version = self.live.in_use(&failing.policy).and_then(|in_use| in_use.file_version);
        let done = self.store.write_of::<_, PolicyError, _>(LISTENERS, move |tx| {
            Box::pin(async move { replace(tx, failing, file_version, now).await })
        });
        if done.await? {
            self.live.count_rollback(&told.policy);
            tell(&told, "a policy failed too often; the version before it is in force again");
        } else {
            tell(&told, "a policy fails too often, and there is no version before it to go back to");
            self.given_up.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(key);
        }
        self.apply().await
    }
}

fn tell(failing: &Failing, what: &'static str) {
    let Failing { policy, version, failures } = failing;
    tracing::error!(policy.name = policy, policy.version = version, failures, "{what}");
}

/// Says whether the version was in force and another one took its place.
async fn replace(
    tx: &mut Tx<'_>,
    failing: Failing,
    file_version: Option<String>,
    now: Timestamp,
) -> Result<bool, PolicyError> {
    let number = tx.turn_policy_ledger().await?;
    let last = tx.find_last_activation(&failing.policy).await?;
    let prior = last.filter(|last| last.version == failing.version).and_then(|last| last.prior);
    let Some(prior) = prior else { return Ok(false) };
    let Some(before) = tx.find_activation(&failing.policy, prior).await? else { return Ok(false) };
    let activation = NewActivation {
        policy: failing.policy.clone(),
        version: before.version,
        prior: before.prior,
        file_version,
        action: "rolled_back",
        actor: "automatic",
        actor_id: None,
        at: now,
    };
    tx.insert_policy_activation(number, &activation).await?;
    tx.insert_audit(&entry("policy.rolled_back", &failing, now)).await?;
    Ok(true)
}

fn entry(action: &'static str, failing: &Failing, now: Timestamp) -> AuditEntry {
    let Failing { policy, version, failures } = failing;
    // The audit log knows no actor of this kind: the server's own hands are those of its shell.
    Actor::Shell.audit(action, now).with(json!({
        "policy": policy, "version": version, "failures": failures, "automatic": true,
    }))
}
