//! `/api/policies`: what decides the order of tasks, changed without fear.

mod answers;
mod bodies;
pub(super) mod decided;
mod decisions;
mod errors;
mod param_views;
mod replays;
mod simulation;
mod trials;
mod views;

use std::sync::Arc;

use poem::http::StatusCode;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::{ApiResponse, OpenApi};

use super::auth::Operator;
use super::changes::IdempotencyKey;
use super::checked::Checked;
use super::conditional::IfMatch;
use super::fields::{PolicyName, PolicyVersionName};
use super::lists::Listed;
use super::payload::Json;
use super::problem::ApiError;
use super::tags::Tag;
use super::tasks::default_limit;
use crate::policies::compile::version_of;
use crate::policies::lints::Warning;
use crate::policies::shipped::DEFAULT;
use crate::policies::versions::listing::PageOf;
use crate::policies::versions::{Actor, PolicyError, Proposal, Retry, Versions};
use crate::tasks::Tasks;

use answers::{PolicyAnswer, ProposedAnswer};
use bodies::{ActivationInput, ProposalInput, ScriptInput, TestInput};
use param_views::WarningView;
use simulation::{SimulationInput, SimulationView};
use views::{
    ActivationView, CheckView, DifferenceView, FaultView, PolicyActivationPage, PolicyPage, PolicyVersionPage,
    PolicyView, TestReportView, VersionTextView, VersionView,
};

pub use decisions::PolicyDecisionsApi;
pub use trials::PolicyTrialsApi;

/// The operations on policies.
pub struct PoliciesApi {
    versions: Arc<Versions>,
    tasks: Tasks,
}

#[derive(ApiResponse)]
enum Deleted {
    /// It is gone.
    #[oai(status = 204)]
    Done,
}

impl PoliciesApi {
    /// The operations over services.
    pub const fn new(versions: Arc<Versions>, tasks: Tasks) -> Self {
        Self { versions, tasks }
    }
}

/// The versions of which a client says that one is in force; `None` when any will do.
fn known(if_match: Option<&str>) -> Result<Option<Vec<String>>, ApiError> {
    Ok(match IfMatch::of(if_match)? {
        None | Some(IfMatch::Any) => None,
        Some(IfMatch::OneOf(tags)) => Some(tags),
    })
}

#[OpenApi(prefix_path = "/api/policies", tag = "Tag::Policies")]
impl PoliciesApi {
    /// List policies
    ///
    /// Those in use, those whose file is refused, and those that were only proposed.
    #[oai(path = "/", method = "get", operation_id = "list_policies")]
    async fn list_policies(
        &self,
        caller: Operator,
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "1000")))] limit: Query<u32>,
        #[oai(validator(max_length = 512))] cursor: Query<Option<String>>,
    ) -> Result<Listed<PolicyPage>, ApiError> {
        let page = PageOf { limit: limit.0, cursor: cursor.0 };
        let page = self.versions.list_policies(Actor::Person(&caller), &page).await?;
        let total = page.total;
        let page = page.map(PolicyView::from);
        Ok(Listed::new(&PolicyPage { items: page.items, next_cursor: page.next_cursor }, total))
    }

    /// Check a script
    ///
    /// As a saved file is checked: compiled, its fields looked up, and tried on some thousand tasks. Nothing is kept.
    #[oai(path = "/validate", method = "post", operation_id = "validate_policy")]
    async fn validate_policy(&self, caller: Operator, body: Checked<ScriptInput>) -> Result<Json<CheckView>, ApiError> {
        let ScriptInput { name, source } = body.held_against(|_| Ok::<_, ApiError>(()))?;
        let name = name.map_or_else(|| DEFAULT.to_owned(), |name| name.0);
        let version = version_of(&source.0);
        match self.versions.validate(Actor::Person(&caller), &name, &source.0).await {
            Ok((script, warnings)) => {
                let interpreted = script.program().err().cloned().map(FaultView::from);
                let warnings = warnings.into_iter().map(WarningView::from).collect();
                Ok(Json(CheckView { valid: true, version, faults: Vec::new(), warnings, interpreted }))
            }
            Err(PolicyError::Faulty(faults)) => {
                let faults = faults.iter().map(FaultView::from).collect();
                Ok(Json(CheckView { valid: false, version, faults, warnings: Vec::new(), interpreted: None }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Get a policy
    #[oai(path = "/:name", method = "get", operation_id = "get_policy")]
    async fn get_policy(&self, caller: Operator, name: Path<PolicyName>) -> Result<PolicyAnswer, ApiError> {
        Ok(self.versions.get_policy(Actor::Person(&caller), &name.0.0).await?.into())
    }

    /// List versions of a policy
    #[oai(path = "/:name/versions", method = "get", operation_id = "list_policy_versions")]
    async fn list_policy_versions(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "1000")))] limit: Query<u32>,
        #[oai(validator(max_length = 512))] cursor: Query<Option<String>>,
    ) -> Result<Listed<PolicyVersionPage>, ApiError> {
        let page = PageOf { limit: limit.0, cursor: cursor.0 };
        let page = self.versions.list_versions(Actor::Person(&caller), &name.0.0, &page).await?;
        let (total, live) = (page.total, self.versions.live_version(&name.0.0));
        let page = page.map(|version| VersionView::of(version, live.as_deref()));
        Ok(Listed::new(&PolicyVersionPage { items: page.items, next_cursor: page.next_cursor }, total))
    }

    /// Propose a version
    ///
    /// The script is checked, and kept as a draft; it comes into force when somebody activates it. The same text again is
    /// the same version, and answered with 200. A name that no policy has begins a new one.
    ///
    /// - 409: The first request with this key still runs.
    /// - 412: `If-Match` names another version than the one in force.
    #[oai(path = "/:name/versions", method = "post", operation_id = "propose_policy")]
    async fn propose_policy(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        #[oai(name = "Idempotency-Key")] idempotency_key: IdempotencyKey,
        /// Only if this version is in force: what the script was made from.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Checked<ProposalInput>,
    ) -> Result<ProposedAnswer, ApiError> {
        let known = known(if_match.0.as_deref())?;
        let body = body.held_against(|_| Ok::<_, ApiError>(()))?;
        let live = self.versions.live_version(&name.0.0);
        let shown = live.clone();
        let created = move |version: &_, warnings: &[Warning]| {
            ProposedAnswer::of(version, StatusCode::CREATED, shown.as_deref(), warnings)
        };
        let retry = idempotency_key.into_key().map(|key| Retry { key, render: Box::new(created) });
        let message = body.message.map(|message| message.0).unwrap_or_default();
        let proposal = Proposal { source: body.source.0, message, known };
        match self.versions.propose(Actor::Person(&caller), &name.0.0, proposal, retry).await {
            Ok(proposed) => {
                let status = if proposed.is_new { StatusCode::CREATED } else { StatusCode::OK };
                Ok(ProposedAnswer(ProposedAnswer::of(&proposed.version, status, live.as_deref(), &proposed.warnings)))
            }
            Err(PolicyError::Replayed(answer)) => Ok(ProposedAnswer::again(*answer)),
            Err(error) => Err(error.into()),
        }
    }

    /// Get a version
    ///
    /// With its text.
    #[oai(path = "/:name/versions/:version", method = "get", operation_id = "get_policy_version")]
    async fn get_policy_version(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        version: Path<PolicyVersionName>,
    ) -> Result<Json<VersionTextView>, ApiError> {
        let shown = self.versions.show_version(Actor::Person(&caller), &name.0.0, &version.0.0).await?;
        Ok(Json(VersionTextView::of(shown, self.versions.live_version(&name.0.0).as_deref())))
    }

    /// Delete a draft
    ///
    /// - 409: The version was in force, or is on trial; it stays.
    #[oai(path = "/:name/versions/:version", method = "delete", operation_id = "delete_policy_draft")]
    async fn delete_policy_draft(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        version: Path<PolicyVersionName>,
    ) -> Result<Deleted, ApiError> {
        self.versions.delete_draft(Actor::Person(&caller), &name.0.0, &version.0.0).await?;
        Ok(Deleted::Done)
    }

    /// Approve a version
    ///
    /// Says that somebody else's version may come into force. Needed where the server asks for two people.
    #[oai(path = "/:name/versions/:version/approve", method = "post", operation_id = "approve_policy_version")]
    async fn approve_policy_version(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        version: Path<PolicyVersionName>,
    ) -> Result<Json<VersionView>, ApiError> {
        let version = self.versions.approve(Actor::Person(&caller), &name.0.0, &version.0.0).await?;
        Ok(Json(VersionView::of(version, self.versions.live_version(&name.0.0).as_deref())))
    }

    /// Compare versions
    #[oai(path = "/:name/diff", method = "get", operation_id = "diff_policy_versions")]
    async fn diff_policy_versions(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        /// The version compared with; the one in force when it is left out.
        from: Query<Option<PolicyVersionName>>,
        /// The version compared; the newest when it is left out.
        to: Query<Option<PolicyVersionName>>,
    ) -> Result<Json<DifferenceView>, ApiError> {
        let versions = (from.0.map(|from| from.0), to.0.map(|to| to.0));
        Ok(Json(DifferenceView::of(self.versions.diff(Actor::Person(&caller), &name.0.0, versions).await?)))
    }

    /// Test a version
    ///
    /// Runs the worked examples beside the policy, and those that are sent, against a version or a script.
    #[oai(path = "/:name/test", method = "post", operation_id = "test_policy")]
    async fn test_policy(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        body: Checked<TestInput>,
    ) -> Result<Json<TestReportView>, ApiError> {
        let (which, tests) = body.held_against(|body| body.open().map(drop))?.open()?;
        let (script, report) = self.versions.test(Actor::Person(&caller), &name.0.0, &which, tests).await?;
        Ok(Json(TestReportView::of(&*script, &report)))
    }

    /// Simulate a version
    ///
    /// Ranks your own tasks, and those of a sample of people, by the version in force and by another one: who moves where,
    /// and by which terms. Changes nothing.
    #[oai(path = "/:name/simulate", method = "post", operation_id = "simulate_policy")]
    async fn simulate_policy(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        body: Checked<SimulationInput>,
    ) -> Result<Json<SimulationView>, ApiError> {
        let (which, question) = body.held_against(|body| body.open(&caller).map(drop))?.open(&caller)?;
        let own = caller.policy_params.get(&name.0.0);
        let policies = self.versions.pair(Actor::Person(&caller), &name.0.0, &which, own).await?;
        Ok(Json(self.tasks.simulate(&caller, policies, question).await?.into()))
    }

    /// Activate a version
    ///
    /// Puts it in force at every instance, until another one is activated or the policy's file changes. Its worked
    /// examples must come out.
    ///
    /// - 409: Worked examples fail (`errors` names them), or somebody else must approve the version first.
    /// - 412: `If-Match` names another version than the one in force.
    #[oai(path = "/:name/activate", method = "post", operation_id = "activate_policy")]
    async fn activate_policy(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        /// Only if this version is in force now: an entity tag such as `"41819ef26613"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Checked<ActivationInput>,
    ) -> Result<PolicyAnswer, ApiError> {
        let known = known(if_match.0.as_deref())?;
        let version = body.held_against(|_| Ok::<_, ApiError>(()))?.version.0;
        Ok(self.versions.activate(Actor::Person(&caller), &name.0.0, &version, known).await?.into())
    }

    /// Roll a policy back
    ///
    /// Puts the version in force that was before the present one; again, the one before that.
    ///
    /// - 409: There is no version before.
    /// - 412: `If-Match` names another version than the one in force.
    #[oai(path = "/:name/rollback", method = "post", operation_id = "roll_back_policy")]
    async fn roll_back_policy(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        /// Only if this version is in force now: an entity tag such as `"41819ef26613"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<PolicyAnswer, ApiError> {
        let known = known(if_match.0.as_deref())?;
        Ok(self.versions.roll_back(Actor::Person(&caller), &name.0.0, known).await?.into())
    }

    /// List what came into force
    ///
    /// Each saved file, activation and roll-back of a policy, newest first.
    #[oai(path = "/:name/activations", method = "get", operation_id = "list_policy_activations")]
    async fn list_policy_activations(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "1000")))] limit: Query<u32>,
        #[oai(validator(max_length = 512))] cursor: Query<Option<String>>,
    ) -> Result<Listed<PolicyActivationPage>, ApiError> {
        let page = PageOf { limit: limit.0, cursor: cursor.0 };
        let page = self.versions.list_activations(Actor::Person(&caller), &name.0.0, &page).await?;
        let total = page.total;
        let page = page.map(ActivationView::from);
        Ok(Listed::new(&PolicyActivationPage { items: page.items, next_cursor: page.next_cursor }, total))
    }
}
