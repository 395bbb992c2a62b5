//! `/api/policies/{name}/decisions`, `/outcomes` and `/replay`: what was recommended, what became of it, and what another
//! version would have recommended.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::decided::{DecisionPage, DecisionView, OutcomeName, OutcomesView, VersionOutcomesView};
use super::replays::{ReplayInput, ReplayView};
use crate::accounts::Caller;
use crate::fault::Fault;
use crate::http::auth::{Operator, Reader};
use crate::http::checked::Checked;
use crate::http::fields::{Moment, PolicyName, PolicyVersionName};
use crate::http::lists::Listed;
use crate::http::payload::Json;
use crate::http::problem::ApiError;
use crate::http::tags::Tag;
use crate::http::task_queries::read_moment;
use crate::http::tasks::default_limit;
use crate::policies::decisions::Decisions;
use crate::policies::decisions::reading::DecisionQuestion;
use crate::policies::versions::Actor;
use crate::policies::versions::listing::PageOf;

/// The operations on recommendations that were shown.
pub struct PolicyDecisionsApi {
    decisions: Arc<Decisions>,
}

impl PolicyDecisionsApi {
    /// The operations over a service.
    pub const fn new(decisions: Arc<Decisions>) -> Self {
        Self { decisions }
    }
}

/// Reads what the questions share.
fn question(
    caller: &Caller,
    (version, outcome): (Option<PolicyVersionName>, Option<OutcomeName>),
    (from, to): (Option<&Moment>, Option<&Moment>),
) -> Result<DecisionQuestion, ApiError> {
    let mut faults: Vec<Fault> = Vec::new();
    let question = DecisionQuestion {
        version: version.map(|version| version.0),
        outcome: outcome.map(OutcomeName::outcome),
        from: read_moment("?from", from, caller, &mut faults),
        to: read_moment("?to", to, caller, &mut faults),
    };
    faults.extend(question.fault("?to", "?from"));
    if faults.is_empty() { Ok(question) } else { Err(ApiError::invalid(faults)) }
}

#[OpenApi(prefix_path = "/api/policies", tag = "Tag::Policies")]
impl PolicyDecisionsApi {
    /// List recommendations
    ///
    /// A sample of what a policy recommended (`policies.decisions_sample`), newest first: which version, the first tasks
    /// with their scores and what the policy saw of them, and what became of it. Titles and descriptions are not kept,
    /// names of labels and projects stand masked. Operators with the right to read see everybody's, others their own.
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    #[oai(path = "/:name/decisions", method = "get", operation_id = "list_policy_decisions")]
    async fn list_policy_decisions(
        &self,
        caller: Reader,
        name: Path<PolicyName>,
        /// Of this version only.
        version: Query<Option<PolicyVersionName>>,
        /// With this outcome only.
        outcome: Query<Option<OutcomeName>>,
        /// Shown at this moment or later.
        from: Query<Option<Moment>>,
        /// Shown before this moment.
        to: Query<Option<Moment>>,
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "1000")))] limit: Query<u32>,
        #[oai(validator(max_length = 512))] cursor: Query<Option<String>>,
    ) -> Result<Listed<DecisionPage>, ApiError> {
        let question = question(&caller, (version.0, outcome.0), (from.0.as_ref(), to.0.as_ref()))?;
        let page = PageOf { limit: limit.0, cursor: cursor.0 };
        let page = self.decisions.list(Actor::Person(&caller), &name.0.0, &question, &page).await?;
        let total = page.total;
        let page = page.map(DecisionView::from);
        Ok(Listed::new(&DecisionPage { items: page.items, next_cursor: page.next_cursor }, total))
    }

    /// See what became of recommendations
    ///
    /// How many of the kept recommendations were done, snoozed and ignored, by version. Operators with the right to read
    /// see everybody's together, others their own.
    #[oai(path = "/:name/outcomes", method = "get", operation_id = "get_policy_outcomes")]
    async fn get_policy_outcomes(
        &self,
        caller: Reader,
        name: Path<PolicyName>,
        /// Of this version only.
        version: Query<Option<PolicyVersionName>>,
        /// Shown at this moment or later.
        from: Query<Option<Moment>>,
        /// Shown before this moment.
        to: Query<Option<Moment>>,
    ) -> Result<Json<OutcomesView>, ApiError> {
        let question = question(&caller, (version.0, None), (from.0.as_ref(), to.0.as_ref()))?;
        let versions = self.decisions.outcomes(Actor::Person(&caller), &name.0.0, &question).await?;
        let versions = versions.into_iter().map(VersionOutcomesView::from).collect();
        Ok(Json(OutcomesView { policy: name.0.0, versions }))
    }

    /// Replay recommendations under another version
    ///
    /// Ranks the tasks of kept recommendations again, each at its moment, by a version or a script: how often another task
    /// is the first, who moves, and whether the tasks that people did come to stand higher. Changes nothing.
    #[oai(path = "/:name/replay", method = "post", operation_id = "replay_policy")]
    async fn replay_policy(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        body: Checked<ReplayInput>,
    ) -> Result<Json<ReplayView>, ApiError> {
        let (which, question) = body.held_against(|body| body.open(&caller).map(drop))?.open(&caller)?;
        Ok(Json(self.decisions.replay(Actor::Person(&caller), &name.0.0, &which, question).await?.into()))
    }
}
