//! Versions of policies: proposed, compared, tested, put in force, taken back; each with who did it.
//!
//! A version is a text, named by its hash. A file in the policies folder that is in force is one; others are proposed
//! and stay drafts until somebody activates them. Of a file and what was activated, the newer counts: what is activated
//! holds in the place of the file while that has the content that it had then.

pub mod activating;
pub mod difference;
pub mod error;
mod following;
mod guarding;
pub mod listing;
pub mod rights;
pub mod testing;
pub mod trials;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;

use super::compile::version_of;
use super::fault::PolicyFault;
use super::folder::is_name;
use super::lints::Warning;
use super::live::LivePolicies;
use super::script::ScriptPolicy;
use crate::accounts::Caller;
use crate::accounts::audit::AuditEntry;
use crate::clock::{Clock, Timestamp};
use crate::fault::Fault;
use crate::store::policy_versions::{NewVersion, VersionRecord};
use crate::store::{Store, StoreError, Tx};
use crate::tasks::receipts::{Answer, RetryKey, Running};

pub use error::PolicyError;
pub use rights::{Right, Rules};

/// Scripts that are checked, tested or simulated at the same time; further ones wait.
const AT_ONCE: usize = 2;
/// How long the answer to a request with an idempotency key is kept.
const KEPT: Duration = Duration::from_hours(24);

/// Who does something with policies.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// Somebody who is signed in.
    Person(&'a Caller),
    /// The server's shell.
    Shell,
}

impl Actor<'_> {
    fn audit(self, action: &'static str, at: Timestamp) -> AuditEntry {
        match self {
            Self::Person(caller) => AuditEntry::by(caller, action, at),
            Self::Shell => AuditEntry { actor: "shell", ..AuditEntry::anonymous(None, action, at) },
        }
    }
}

/// A text that somebody wants to become a version.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// The script.
    pub source: String,
    /// What it is for.
    pub message: String,
    /// The versions of which one must be in force.
    pub known: Option<Vec<String>>,
}

/// A request that may be sent again, and how its outcome is written down.
pub struct Retry {
    /// What identifies it.
    pub key: RetryKey,
    /// Writes the answer.
    pub render: Box<Render>,
}

/// Writes down what became of a proposal.
pub type Render = dyn Fn(&VersionRecord, &[Warning]) -> Answer + Send + Sync;

/// What became of a proposal.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// The version.
    pub version: VersionRecord,
    /// Whether the text was not there before.
    pub is_new: bool,
    /// What is in order in it and yet probably a slip.
    pub warnings: Vec<Warning>,
}

/// The service over versions of policies.
pub struct Versions {
    store: Store,
    clock: Clock,
    live: Arc<LivePolicies>,
    rules: Rules,
    running: Running,
    work: Semaphore,
    /// The ledger's number of what is in force here.
    applied: tokio::sync::Mutex<i64>,
    /// Whoever takes note of files has this, so that they are noted in their order, and all of them when that has ended.
    noting: tokio::sync::Mutex<()>,
    /// The file of each policy of which this instance took note.
    noted: Mutex<HashMap<String, Option<String>>>,
    /// Versions that fail too often and that nothing can replace.
    given_up: Mutex<HashSet<(String, String)>>,
}

impl Versions {
    /// The service over the policies in use.
    pub fn new(store: Store, clock: Clock, live: Arc<LivePolicies>, rules: Rules) -> Self {
        Self {
            store,
            clock,
            live,
            rules,
            running: Running::default(),
            work: Semaphore::new(AT_ONCE),
            applied: tokio::sync::Mutex::new(0),
            noting: tokio::sync::Mutex::default(),
            noted: Mutex::default(),
            given_up: Mutex::default(),
        }
    }

    /// Checks a script as a saved file is checked, and keeps nothing; with what is probably a slip in it.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Faulty`] with every fault, or a name that no policy can have.
    pub async fn validate(
        &self,
        actor: Actor<'_>,
        policy: &str,
        source: &str,
    ) -> Result<(Arc<ScriptPolicy>, Vec<Warning>), PolicyError> {
        self.allow(&actor, Right::Read).await?;
        let script = self.check(policy, PathBuf::from(policy), source).await?;
        Ok((script, self.warnings(policy, source).await?))
    }

    /// What is in order in a script that passed the check, and yet probably a slip.
    async fn warnings(&self, policy: &str, source: &str) -> Result<Vec<Warning>, PolicyError> {
        let (live, place, source) = (Arc::clone(&self.live), PathBuf::from(policy), source.to_owned());
        self.blocking(move || live.slips(&place, &source)).await
    }

    /// Checks a script off the async threads.
    pub(super) async fn check(
        &self,
        policy: &str,
        place: PathBuf,
        source: &str,
    ) -> Result<Arc<ScriptPolicy>, PolicyError> {
        check_name(policy)?;
        let (live, policy, source) = (Arc::clone(&self.live), policy.to_owned(), source.to_owned());
        self.blocking(move || live.try_out(&policy, &place, &source)).await?.map(Arc::new).map_err(PolicyError::Faulty)
    }

    /// Does what takes long on a thread of its own, a few at a time.
    pub(in crate::policies) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PolicyError> {
        let _place = self.work.acquire().await.map_err(|_| PolicyError::Interrupted)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| PolicyError::Interrupted)
    }

    /// Keeps a text that is in order as a draft; the same text again is the same version.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Faulty`] with every fault of the script; a lacking right; another version in force than is known.
    pub async fn propose(
        &self,
        actor: Actor<'_>,
        policy: &str,
        proposal: Proposal,
        retry: Option<Retry>,
    ) -> Result<Proposed, PolicyError> {
        self.allow(&actor, Right::Propose).await?;
        let user = match actor {
            Actor::Person(caller) => Some(caller.user_id),
            Actor::Shell => None,
        };
        let retry = user.zip(retry);
        let _running = match &retry {
            Some((user, retry)) => Some(self.running.enter(*user, &retry.key.key).ok_or(PolicyError::KeyRunning)?),
            None => None,
        };
        let parent = self.live_version(policy);
        if proposal.known.as_ref().is_some_and(|known| !known.iter().any(|known| Some(known) == parent.as_ref())) {
            return Err(PolicyError::Changed);
        }
        self.check(policy, PathBuf::from(policy), &proposal.source).await?;
        let warnings = self.warnings(policy, &proposal.source).await?;
        let version = version_of(&proposal.source);
        let known = self.store.find_policy_source(policy, &version).await?;
        if known.is_some_and(|known| known != proposal.source) {
            let rule = "is another text than the version of this name; change something, were it a comment";
            return Err(PolicyError::Invalid(vec![Fault::new("/source", rule)]));
        }
        let now = self.clock.now();
        let origin = if user.is_some() { "api" } else { "shell" };
        let new = NewVersion {
            policy: policy.to_owned(),
            version,
            parent,
            source: proposal.source,
            origin,
            author: user,
            message: proposal.message.trim().to_owned(),
            at: now,
        };
        let entry = actor.audit("policy.proposed", now);
        let kept = self.store.write(move |tx| Box::pin(async move { keep(tx, (new, warnings), entry, retry).await }));
        kept.await
    }

    /// Says that somebody else's version may come into force.
    ///
    /// # Errors
    ///
    /// A lacking right, an unknown version, or the author's own.
    pub async fn approve(&self, actor: Actor<'_>, policy: &str, version: &str) -> Result<VersionRecord, PolicyError> {
        self.allow(&actor, Right::Approve).await?;
        let Actor::Person(caller) = actor else { return Err(PolicyError::NobodyApproves) };
        let (user, now) = (caller.user_id, self.clock.now());
        let found = self.get_version(policy, version).await?;
        if found.author_id == Some(user.0) {
            return Err(PolicyError::OwnVersion);
        }
        let entry = actor.audit("policy.approved", now).on(found.id).with(named(&found));
        self.store
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    tx.approve_policy_version(found.id, user, now).await?;
                    tx.insert_audit(&entry).await
                })
            })
            .await?;
        self.get_version(policy, version).await
    }

    /// Deletes a version that never was in force and is not on trial.
    ///
    /// # Errors
    ///
    /// A lacking right, an unknown version, or one that was in force.
    pub async fn delete_draft(&self, actor: Actor<'_>, policy: &str, version: &str) -> Result<(), PolicyError> {
        self.allow(&actor, Right::Propose).await?;
        let found = self.get_version(policy, version).await?;
        let entry = actor.audit("policy.draft_deleted", self.clock.now()).on(found.id).with(named(&found));
        let gone = self.store.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let gone = tx.delete_policy_draft(&found.policy, &found.version).await?;
                if gone {
                    tx.insert_audit(&entry).await?;
                }
                Ok(gone)
            })
        });
        if gone.await? { Ok(()) } else { Err(PolicyError::Used) }
    }

    /// One version, without its text.
    pub(super) async fn get_version(&self, policy: &str, version: &str) -> Result<VersionRecord, PolicyError> {
        let found = self.store.find_policy_version(policy, version).await?;
        found.ok_or(PolicyError::NotFound("version of the policy"))
    }

    /// The version of a policy that is in force here.
    pub fn live_version(&self, policy: &str) -> Option<String> {
        use crate::scoring::Policy as _;
        self.live.in_use(policy)?.live.map(|(live, _)| live.version().to_owned())
    }
}

async fn keep(
    tx: &mut Tx<'_>,
    (new, warnings): (NewVersion, Vec<Warning>),
    entry: AuditEntry,
    retry: Option<(crate::ids::UserId, Retry)>,
) -> Result<Proposed, PolicyError> {
    let now = new.at;
    if let Some((user, retry)) = &retry
        && let Some((fingerprint, answer)) = tx.find_receipt(*user, &retry.key.key, now).await?
    {
        let same = fingerprint == retry.key.fingerprint;
        return Err(if same { PolicyError::Replayed(Box::new(answer)) } else { PolicyError::KeyReused });
    }
    let is_new = tx.insert_policy_version(&new).await?;
    let version = tx.find_policy_version(&new.policy, &new.version).await?;
    let version = version.ok_or(PolicyError::NotFound("version of the policy"))?;
    if is_new {
        tx.insert_audit(&entry.on(version.id).with(named(&version))).await?;
    }
    if let Some((user, retry)) = &retry {
        tx.insert_receipt(*user, &retry.key, &(retry.render)(&version, &warnings), (now, now.plus(KEPT))).await?;
    }
    Ok(Proposed { version, is_new, warnings })
}

/// Names a version in the audit log.
fn named(version: &VersionRecord) -> serde_json::Value {
    json!({ "policy": version.policy, "version": version.version })
}

/// Whether a policy can have this name.
fn check_name(policy: &str) -> Result<(), PolicyError> {
    if is_name(policy) {
        return Ok(());
    }
    let rule = "must have 1 to 64 lower-case letters, digits, `-` and `_`";
    Err(PolicyError::Invalid(vec![Fault::new("{name}", rule)]))
}

/// The faults of a script as faults of the field that held it.
pub fn faults_of(field: &str, faults: &[PolicyFault]) -> Vec<Fault> {
    let fault = |fault: &PolicyFault| {
        let place = match (fault.line, fault.column) {
            (Some(line), Some(column)) => format!("line {line}, column {column}: "),
            (Some(line), None) => format!("line {line}: "),
            (None, _) => String::new(),
        };
        Fault::new(field, format!("{place}{}", fault.message)).at(fault.line, fault.column)
    };
    faults.iter().map(fault).collect()
}

/// Where a text lies that is in no file.
fn place_of(policy: &str, version: &str) -> PathBuf {
    Path::new(&format!("{policy}@{version}")).to_owned()
}
