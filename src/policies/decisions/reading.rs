//! Who sees what of recommendations: operators with the right to read all of them, everybody else their own.

use uuid::Uuid;

use super::kept::{Decision, Outcome};
use super::{Decisions, moment_of};
use crate::accounts::Scope;
use crate::clock::Timestamp;
use crate::fault::Fault;
use crate::ids::UserId;
use crate::paging::{self, Page};
use crate::policies::versions::listing::PageOf;
use crate::policies::versions::{Actor, PolicyError, Right};
use crate::store::audit::Slice;
use crate::store::policy_decisions::{DecisionFilter, OutcomeCounts};

/// Versions whose outcomes are told.
const MOST_VERSIONS: i64 = 1_000;

/// Which recommendations somebody asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionQuestion {
    /// Of this version.
    pub version: Option<String>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// Shown at this moment or later.
    pub from: Option<Timestamp>,
    /// Shown before this moment.
    pub to: Option<Timestamp>,
}

impl DecisionQuestion {
    /// What is wrong with it; `from` and `to` are named as the caller knows them.
    pub fn fault(&self, to: &str, from: &str) -> Option<Fault> {
        let is_turned = self.from.zip(self.to).is_some_and(|(from, to)| from >= to);
        is_turned.then(|| Fault::new(to, format!("must be later than `{from}`")))
    }

    pub(super) fn filter(&self, policy: &str, user: Option<UserId>) -> DecisionFilter {
        DecisionFilter {
            policy: policy.to_owned(),
            user,
            version: self.version.clone(),
            outcome: self.outcome.map(Outcome::as_str),
            from: self.from,
            to: self.to,
        }
    }
}

/// What became of the recommendations of one version.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionOutcomes {
    /// How many, of each outcome.
    pub counts: OutcomeCounts,
    /// Those of which nothing has become yet.
    pub open: i64,
    /// The shares of done, snoozed and ignored among those of which something became; absent when there are none.
    pub shares: Option<[f64; 3]>,
}

impl From<OutcomeCounts> for VersionOutcomes {
    #[expect(clippy::cast_precision_loss, reason = "nobody is recommended 2^52 tasks")]
    fn from(counts: OutcomeCounts) -> Self {
        let known = counts.done + counts.snoozed + counts.ignored;
        let share = |count: i64| crate::scoring::round_score(count as f64 / known as f64);
        let shares = (known > 0).then(|| [counts.done, counts.snoozed, counts.ignored].map(share));
        Self { open: counts.shown - known, shares, counts }
    }
}

impl Decisions {
    /// Recommendations by a policy, newest first.
    ///
    /// # Errors
    ///
    /// An unknown policy, a cursor of another list, or what keeps the store from reading.
    pub async fn list(
        &self,
        actor: Actor<'_>,
        policy: &str,
        question: &DecisionQuestion,
        page: &PageOf,
    ) -> Result<Page<Decision>, PolicyError> {
        let filter = question.filter(policy, self.whose(&actor, policy).await?);
        let asked = format!("decisions {filter:?}");
        let place = page.cursor.as_deref().map(|cursor| paging::decode::<(i64, Uuid)>(&asked, cursor)).transpose()?;
        let before = place.map(|(at, id)| (moment_of(at), id));
        self.catch_up(filter.user).await?;
        let rows = self.store.list_decisions(&filter, Slice { before, limit: page.rows() }).await?;
        let total = self.store.count_decisions(&filter).await?.unsigned_abs();
        let rows = rows.into_iter().map(Decision::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(page.page(&asked, rows, total, |one: &Decision| (one.row.shown_at, one.row.id)))
    }

    /// What became of the recommendations by a policy, by version; those shown last first.
    ///
    /// # Errors
    ///
    /// An unknown policy, or what keeps the store from reading.
    pub async fn outcomes(
        &self,
        actor: Actor<'_>,
        policy: &str,
        question: &DecisionQuestion,
    ) -> Result<Vec<VersionOutcomes>, PolicyError> {
        let filter = question.filter(policy, self.whose(&actor, policy).await?);
        self.catch_up(filter.user).await?;
        let counts = self.store.count_outcomes(&filter, MOST_VERSIONS).await?;
        Ok(counts.into_iter().map(VersionOutcomes::from).collect())
    }

    /// Whose recommendations somebody sees: everybody's (`None`), or their own.
    async fn whose(&self, actor: &Actor<'_>, policy: &str) -> Result<Option<UserId>, PolicyError> {
        if !self.versions.knows(policy).await? {
            return Err(PolicyError::NotFound("policy"));
        }
        let Actor::Person(caller) = actor else { return Ok(None) };
        let sees_all = caller.scopes.allow(Scope::Admin)
            && match self.versions.allow(actor, Right::Read).await {
                Ok(()) => true,
                Err(PolicyError::NotAllowed(_)) => false,
                Err(error) => return Err(error),
            };
        Ok((!sees_all).then_some(caller.user_id))
    }
}
