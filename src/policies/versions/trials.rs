//! Versions on trial: rolled out to a part of the people, or scoring in the shadow of the one in force.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::error::PolicyError;
use super::following::LISTENERS;
use super::rights::Right;
use super::{Actor, Versions};
use crate::accounts::Role;
use crate::accounts::audit::AuditEntry;
use crate::fault::Fault;
use crate::ids::{UserId, new_uuid};
use crate::policies::candidates::{Candidates, Part, Rollout, Shadow};
use crate::policies::script::ScriptPolicy;
use crate::scoring::Policy;
use crate::store::Tx;
use crate::store::policy_candidates::{CandidateRecord, NewCandidate};

/// The most people that a roll-out names.
pub const MOST_NAMED: usize = 1_000;

/// How a version is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// A part of the people has it.
    Rollout,
    /// It scores what the version in force scores, and nobody sees it.
    Shadow,
}

impl Trial {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rollout => "rollout",
            Self::Shadow => "shadow",
        }
    }

    const fn put(self) -> &'static str {
        match self {
            Self::Rollout => "policy.rolled_out",
            Self::Shadow => "policy.shadowed",
        }
    }

    const fn ended(self) -> &'static str {
        match self {
            Self::Rollout => "policy.rollout_ended",
            Self::Shadow => "policy.shadow_ended",
        }
    }
}

/// Which version is tried, and on whom.
#[derive(Clone, Debug, Default)]
pub struct TrialWish {
    /// The version.
    pub version: String,
    /// The share of people, or of rankings, 0 to 100.
    pub percent: u8,
    /// People who get it whatever the share.
    pub users: Vec<UserId>,
    /// Roles that do.
    pub roles: Vec<Role>,
}

impl Versions {
    /// Begins a trial, or goes on with one: of the same version the same people keep it while the share does not shrink.
    ///
    /// # Errors
    ///
    /// A lacking right or approval, an unknown version or person, failing examples.
    pub async fn put_trial(
        &self,
        actor: Actor<'_>,
        policy: &str,
        trial: Trial,
        wish: TrialWish,
    ) -> Result<CandidateRecord, PolicyError> {
        self.allow(&actor, Right::Activate).await?;
        let found = self.get_version(policy, &wish.version).await?;
        if trial == Trial::Rollout {
            self.check_approval(&found)?;
            self.check_tests(policy, &wish.version).await?;
        }
        self.check_people(&wish.users).await?;
        let now = self.clock.now();
        let actor_id = match actor {
            Actor::Person(caller) => Some(caller.user_id),
            Actor::Shell => None,
        };
        let ids: Vec<Uuid> = wish.users.iter().map(|user| user.0).collect();
        let roles: Vec<&str> = wish.roles.iter().map(|role| role.as_str()).collect();
        let details = json!({ "policy": policy, "version": wish.version, "percent": wish.percent, "users": ids.len(), "roles": roles });
        let entry = actor.audit(trial.put(), now).on(found.id).with(details);
        let new = NewCandidate {
            policy: policy.to_owned(),
            kind: trial.as_str(),
            version: wish.version,
            salt: new_uuid(now).simple().to_string(),
            percent: wish.percent.into(),
            users: json!(ids).to_string(),
            roles: json!(roles).to_string(),
            actor: actor_id,
            at: now,
        };
        self.store
            .write_of::<_, PolicyError, _>(LISTENERS, move |tx| Box::pin(async move { put(tx, new, entry).await }))
            .await?;
        self.apply().await?;
        self.trial_of(policy, trial).await
    }

    /// The trial of a policy, also one that is over.
    ///
    /// # Errors
    ///
    /// A lacking right, no trial, or what keeps the store from reading.
    pub async fn get_trial(
        &self,
        actor: Actor<'_>,
        policy: &str,
        trial: Trial,
    ) -> Result<CandidateRecord, PolicyError> {
        self.allow(&actor, Right::Read).await?;
        self.trial_of(policy, trial).await
    }

    async fn trial_of(&self, policy: &str, trial: Trial) -> Result<CandidateRecord, PolicyError> {
        self.keep_counts().await?;
        let found = self.store.find_candidate(policy, trial.as_str()).await?;
        found.ok_or(PolicyError::NotFound("trial of the policy"))
    }

    /// Ends a trial: everybody has the version in force again, at once.
    ///
    /// # Errors
    ///
    /// A lacking right, no trial that is running, or what keeps the store from writing.
    pub async fn end_trial(&self, actor: Actor<'_>, policy: &str, trial: Trial) -> Result<(), PolicyError> {
        self.allow(&actor, Right::Activate).await?;
        let now = self.clock.now();
        let entry = actor.audit(trial.ended(), now).with(json!({ "policy": policy }));
        let name = policy.to_owned();
        self.store
            .write_of::<_, PolicyError, _>(LISTENERS, move |tx| {
                Box::pin(async move {
                    tx.turn_policy_ledger().await?;
                    if !tx.end_candidate(&name, trial.as_str(), "ended", now).await? {
                        return Err(PolicyError::NotFound("running trial of the policy"));
                    }
                    Ok(tx.insert_audit(&entry).await?)
                })
            })
            .await?;
        self.apply().await
    }

    async fn check_people(&self, users: &[UserId]) -> Result<(), PolicyError> {
        let known = self.store.count_known_users(users).await?;
        if usize::try_from(known).is_ok_and(|known| known == users.len()) {
            return Ok(());
        }
        Err(PolicyError::Invalid(vec![Fault::new("/users", "must be ids of people with an account, each once")]))
    }

    /// What is on trial, made ready; a script that is ready already is not compiled again.
    pub(super) async fn candidates(&self) -> Result<Candidates, PolicyError> {
        let before = self.live.candidates();
        let mut candidates = Candidates::default();
        for row in self.store.list_candidate_versions().await? {
            let ready = [
                before.rollouts.get(&row.policy).map(|rollout| &rollout.candidate),
                before.shadows.get(&row.policy).map(|shadow| &shadow.candidate),
            ];
            // Faults of a roll-out are its own, so it shares no script with a shadow.
            let ready = if row.kind == Trial::Rollout.as_str() { ready[0] } else { ready[1] };
            let ready = ready.filter(|script| script.version() == row.version).cloned();
            let Some(candidate) = (match ready {
                Some(ready) => Some(ready),
                None => self.prepare(&row).await?,
            }) else {
                continue;
            };
            let part = part_of(&row);
            if row.kind == Trial::Rollout.as_str() {
                candidates.rollouts.insert(row.policy, Rollout { part, candidate });
            } else {
                candidates.shadows.insert(row.policy, Shadow { part, candidate });
            }
        }
        Ok(candidates)
    }

    async fn prepare(&self, row: &CandidateRecord) -> Result<Option<Arc<ScriptPolicy>>, PolicyError> {
        let Some(source) = row.source.clone() else { return Ok(None) };
        let (live, policy, version) = (Arc::clone(&self.live), row.policy.clone(), row.version.clone());
        let ready = self.blocking(move || live.candidate(&policy, &version, &source)).await?;
        let refused = |faults: &Vec<crate::policies::PolicyFault>| {
            let reason = faults.first().map(ToString::to_string).unwrap_or_default();
            tracing::error!(
                policy.name = row.policy,
                policy.version = row.version,
                reason,
                "a version on trial is refused"
            );
        };
        Ok(ready.inspect_err(refused).ok())
    }

    /// Keeps what was seen of versions that score in the shadow.
    pub(super) async fn keep_counts(&self) -> Result<(), PolicyError> {
        for (trial, counts) in self.live.seen_in_shadow() {
            let (key, seen) = (trial.clone(), counts.clone());
            let kept = self.store.write::<_, crate::store::StoreError, _>(move |tx| {
                Box::pin(async move { tx.add_trial_counts((&key.0, Trial::Shadow.as_str(), &key.1), &seen).await })
            });
            if let Err(error) = kept.await {
                self.live.put_back(trial, counts);
                return Err(error.into());
            }
        }
        Ok(())
    }
}

async fn put(tx: &mut Tx<'_>, new: NewCandidate, entry: AuditEntry) -> Result<(), PolicyError> {
    tx.turn_policy_ledger().await?;
    let before = tx.find_candidate(&new.policy, new.kind).await?;
    let goes_on = before.is_some_and(|before| before.state == "running" && before.version == new.version);
    if goes_on {
        tx.advance_candidate(&new).await?;
    } else {
        tx.put_candidate(&new).await?;
    }
    Ok(tx.insert_audit(&entry).await?)
}

/// On whom a version is tried; what cannot be read is nobody.
pub fn part_of(row: &CandidateRecord) -> Part {
    let users: Vec<Uuid> = serde_json::from_str(&row.users).unwrap_or_default();
    let roles: Vec<String> = serde_json::from_str(&row.roles).unwrap_or_default();
    Part {
        salt: row.salt.clone(),
        percent: u8::try_from(row.percent).unwrap_or(0),
        users: users.into_iter().map(UserId).collect(),
        roles: roles.iter().filter_map(|role| Role::parse(role).ok()).collect(),
    }
}
