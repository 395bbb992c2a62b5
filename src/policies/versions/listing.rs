//! Which policies and versions there are.

use std::sync::Arc;

use uuid::Uuid;

use super::error::PolicyError;
use super::rights::Right;
use super::{Actor, Versions};
use crate::clock::Timestamp;
use crate::paging::{self, Page};
use crate::policies::live::{LivePolicies, PolicyStatus};
use crate::store::audit::Slice;
use crate::store::policy_versions::{ActivationRecord, VersionRecord};

/// The most policies that are listed: a folder holds a handful.
const MOST_POLICIES: i64 = 10_000;

/// Which page of a list is asked for.
#[derive(Clone, Debug)]
pub struct PageOf {
    /// The most rows.
    pub limit: u32,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageOf {
    pub(in crate::policies) fn limit(&self) -> usize {
        self.limit.clamp(1, paging::LIMIT_MAX) as usize
    }

    pub(in crate::policies) fn rows(&self) -> i64 {
        i64::try_from(self.limit()).unwrap_or(i64::MAX).saturating_add(1)
    }

    pub(in crate::policies) fn page<T, P: serde::Serialize>(
        &self,
        asked: &str,
        mut rows: Vec<T>,
        total: u64,
        place: impl Fn(&T) -> P,
    ) -> Page<T> {
        let more = rows.len() > self.limit();
        rows.truncate(self.limit());
        let next_cursor = rows.last().filter(|_| more).map(|row| paging::encode(asked, &place(row)));
        Page { items: rows, next_cursor, total }
    }
}

/// A version with its text, and who approved it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The version.
    pub version: VersionRecord,
    /// Its text.
    pub source: String,
    /// The addresses of those who approved it.
    pub approved_by: Vec<String>,
}

impl Versions {
    /// The policies in use.
    pub const fn live(&self) -> &Arc<LivePolicies> {
        &self.live
    }

    /// Every policy by name: those in use, those that are refused, and those that were only proposed.
    ///
    /// # Errors
    ///
    /// A lacking right, a cursor of another list, or what keeps the store from reading.
    pub async fn list_policies(&self, actor: Actor<'_>, page: &PageOf) -> Result<Page<PolicyStatus>, PolicyError> {
        const ASKED: &str = "policies";
        self.allow(&actor, Right::Read).await?;
        let after = page.cursor.as_deref().map(|cursor| paging::decode::<String>(ASKED, cursor)).transpose()?;
        let mut all = self.live.status();
        for name in self.store.list_policy_names(MOST_POLICIES).await? {
            if !all.iter().any(|known| known.name == name) {
                all.push(proposed(name));
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        let total = all.len() as u64;
        let rows = all.into_iter().filter(|status| after.as_ref().is_none_or(|after| status.name > *after));
        let rows = rows.take(page.limit() + 1).collect();
        Ok(page.page(ASKED, rows, total, |status: &PolicyStatus| status.name.clone()))
    }

    /// One policy.
    ///
    /// # Errors
    ///
    /// A lacking right, an unknown policy, or what keeps the store from reading.
    pub async fn get_policy(&self, actor: Actor<'_>, policy: &str) -> Result<PolicyStatus, PolicyError> {
        self.allow(&actor, Right::Read).await?;
        self.status_of(policy).await
    }

    /// The same for whoever may do something else with it.
    pub(super) async fn status_of(&self, policy: &str) -> Result<PolicyStatus, PolicyError> {
        if let Some(status) = self.live.status().into_iter().find(|status| status.name == policy) {
            return Ok(status);
        }
        let any = self.store.count_policy_versions(policy).await? > 0;
        if any { Ok(proposed(policy.to_owned())) } else { Err(PolicyError::NotFound("policy")) }
    }

    /// Whether there is a policy of that name: in use, or proposed.
    pub(in crate::policies) async fn knows(&self, policy: &str) -> Result<bool, PolicyError> {
        Ok(self.live.in_use(policy).is_some() || self.store.count_policy_versions(policy).await? > 0)
    }

    /// The versions of a policy, newest first.
    ///
    /// # Errors
    ///
    /// A lacking right, an unknown policy, a cursor of another list, or what keeps the store from reading.
    pub async fn list_versions(
        &self,
        actor: Actor<'_>,
        policy: &str,
        page: &PageOf,
    ) -> Result<Page<VersionRecord>, PolicyError> {
        self.get_policy(actor, policy).await?;
        let asked = format!("versions of {policy}");
        let place = page.cursor.as_deref().map(|cursor| paging::decode::<(i64, Uuid)>(&asked, cursor)).transpose()?;
        let before = place.map(|(at, id)| (Timestamp::from_micros(at), id));
        let rows = self.store.list_policy_versions(policy, Slice { before, limit: page.rows() }).await?;
        let total = self.store.count_policy_versions(policy).await?.unsigned_abs();
        Ok(page.page(&asked, rows, total, |row: &VersionRecord| (row.created_at, row.id)))
    }

    /// One version with its text.
    ///
    /// # Errors
    ///
    /// A lacking right, an unknown version, or what keeps the store from reading.
    pub async fn show_version(&self, actor: Actor<'_>, policy: &str, version: &str) -> Result<Shown, PolicyError> {
        self.allow(&actor, Right::Read).await?;
        let found = self.get_version(policy, version).await?;
        let source = self.source_of(policy, version).await?;
        let approved_by = self.store.list_policy_approvals(found.id).await?;
        Ok(Shown { version: found, source, approved_by })
    }

    pub(super) async fn source_of(&self, policy: &str, version: &str) -> Result<String, PolicyError> {
        let source = self.store.find_policy_source(policy, version).await?;
        source.ok_or(PolicyError::NotFound("version of the policy"))
    }

    /// What came into force for a policy, newest first.
    ///
    /// # Errors
    ///
    /// A lacking right, an unknown policy, a cursor of another list, or what keeps the store from reading.
    pub async fn list_activations(
        &self,
        actor: Actor<'_>,
        policy: &str,
        page: &PageOf,
    ) -> Result<Page<ActivationRecord>, PolicyError> {
        self.get_policy(actor, policy).await?;
        let asked = format!("activations of {policy}");
        let before = page.cursor.as_deref().map(|cursor| paging::decode::<i64>(&asked, cursor)).transpose()?;
        let rows = self.store.list_policy_activations(policy, before.unwrap_or(i64::MAX), page.rows()).await?;
        let total = self.store.count_policy_activations(policy).await?.unsigned_abs();
        Ok(page.page(&asked, rows, total, |row: &ActivationRecord| row.number))
    }
}

/// A policy that was never in use.
fn proposed(name: String) -> PolicyStatus {
    PolicyStatus {
        name,
        live_version: None,
        origin: None,
        live_since: None,
        execution: None,
        interpreted: None,
        refused: None,
        failing_cases: Vec::new(),
        warnings: Vec::new(),
        params: Vec::new(),
    }
}
