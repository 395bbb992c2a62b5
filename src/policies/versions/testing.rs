//! Tests and differences of versions.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::difference::{Difference, difference};
use super::error::PolicyError;
use super::rights::Right;
use super::{Actor, Versions, place_of};
use crate::policies::cases::{CaseReport, run_cases};
use crate::policies::quiet::Quiet;
use crate::policies::script::ScriptPolicy;
use crate::policies::shipped::DEFAULT;
use crate::scoring::Policy;
use crate::scoring::params::ParamValues;

/// Which text is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// What is in force.
    #[default]
    Live,
    /// A version that is kept.
    Version(String),
    /// A text that is kept nowhere.
    Source(String),
}

/// A file of examples: its name and its text.
pub type CaseFile = (PathBuf, String);

impl Versions {
    /// Runs the examples beside the policy, and others, against a text.
    ///
    /// # Errors
    ///
    /// A lacking right, an unknown version, a script that is not in order, or what keeps the store from reading.
    pub async fn test(
        &self,
        actor: Actor<'_>,
        policy: &str,
        which: &Which,
        others: Vec<CaseFile>,
    ) -> Result<(Arc<ScriptPolicy>, CaseReport), PolicyError> {
        self.allow(&actor, Right::Read).await?;
        let script = self.script(policy, which).await?;
        let mut cases = self.live.in_use(policy).map(|in_use| in_use.cases).unwrap_or_default();
        // People know the files by their names in the folder.
        for (path, _) in &mut cases {
            if let Some(name) = path.file_name() {
                *path = Path::new("tests").join(name);
            }
        }
        cases.extend(others.into_iter().map(|(path, text)| (path, Ok(text))));
        let tested = Arc::clone(&script);
        let report = self.blocking(move || run_cases(&*tested, &cases)).await?;
        Ok((script, report))
    }

    /// Two policies to compare: the one in force (the default one for a policy that is not), and a text; both with the values
    /// of their parameters that an operator set and, where they may, somebody: `own`.
    ///
    /// # Errors
    ///
    /// A lacking right, an unknown version, a script that is not in order, or what keeps the store from reading.
    pub async fn pair(
        &self,
        actor: Actor<'_>,
        policy: &str,
        which: &Which,
        own: Option<&ParamValues>,
    ) -> Result<[Arc<dyn Policy>; 2], PolicyError> {
        self.allow(&actor, Right::Read).await?;
        let draft = self.script(policy, which).await?;
        let live = match self.script(policy, &Which::Live).await {
            Err(PolicyError::NotFound(_)) => self.script(DEFAULT, &Which::Live).await?,
            live => live?,
        };
        Ok([live, draft].map(|script| Arc::new(Quiet(self.live.as_set(&script, own))) as Arc<dyn Policy>))
    }

    /// The script that is meant, in order.
    pub(in crate::policies) async fn script(
        &self,
        policy: &str,
        which: &Which,
    ) -> Result<Arc<ScriptPolicy>, PolicyError> {
        match which {
            Which::Live => {
                let live = self.live.in_use(policy).and_then(|in_use| in_use.live);
                live.map(|(script, _)| script).ok_or(PolicyError::NotFound("policy"))
            }
            Which::Version(version) => {
                let source = self.source_of(policy, version).await?;
                self.check(policy, place_of(policy, version), &source).await
            }
            Which::Source(source) => self.check(policy, PathBuf::from(policy), source).await,
        }
    }

    /// The same, with its text.
    pub(in crate::policies) async fn script_with_text(
        &self,
        policy: &str,
        which: &Which,
    ) -> Result<(Arc<ScriptPolicy>, String), PolicyError> {
        let script = self.script(policy, which).await?;
        let text = match which {
            Which::Source(source) => source.clone(),
            Which::Version(version) => self.source_of(policy, version).await?,
            Which::Live => {
                let live = self.live.in_use(policy).and_then(|in_use| in_use.live);
                live.map(|(_, text)| text.to_string()).ok_or(PolicyError::NotFound("policy"))?
            }
        };
        Ok((script, text))
    }

    /// What changed between two versions: `from`, or what is in force, and `to`, or the newest.
    ///
    /// # Errors
    ///
    /// A lacking right, an unknown policy or version, or what keeps the store from reading.
    pub async fn diff(
        &self,
        actor: Actor<'_>,
        policy: &str,
        (from, to): (Option<String>, Option<String>),
    ) -> Result<(String, String, Difference), PolicyError> {
        self.get_policy(actor, policy).await?;
        let from = from.or_else(|| self.live_version(policy)).ok_or(PolicyError::NotFound("version of the policy"))?;
        let to = match to {
            Some(to) => to,
            None => self.newest(policy).await?,
        };
        let (old, new) = (self.source_of(policy, &from).await?, self.source_of(policy, &to).await?);
        let name = |version: &str| format!("{policy}@{version}");
        let (old_name, new_name) = (name(&from), name(&to));
        let diff = self.blocking(move || difference((&old_name, &old), (&new_name, &new))).await?;
        Ok((from, to, diff))
    }

    async fn newest(&self, policy: &str) -> Result<String, PolicyError> {
        let slice = crate::store::audit::Slice { before: None, limit: 1 };
        let newest = self.store.list_policy_versions(policy, slice).await?.pop();
        newest.map(|newest| newest.version).ok_or(PolicyError::NotFound("version of the policy"))
    }
}
