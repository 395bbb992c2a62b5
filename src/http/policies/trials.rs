//! `/api/policies/{name}/rollout` and `/shadow`: versions on trial.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use poem_openapi::param::Path;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde::Serialize;
use uuid::Uuid;

use crate::accounts::Role;
use crate::clock::Timestamp;
use crate::http::auth::Operator;
use crate::http::checked::Checked;
use crate::http::fields::{PolicyName, PolicyVersionName};
use crate::http::payload::Json;
use crate::http::problem::ApiError;
use crate::http::tags::Tag;
use crate::ids::UserId;
use crate::policies::versions::trials::{Trial, TrialWish, part_of};
use crate::policies::versions::{Actor, Versions};
use crate::store::policy_candidates::CandidateRecord;

/// The operations on versions on trial.
pub struct PolicyTrialsApi {
    versions: Arc<Versions>,
}

#[derive(ApiResponse)]
enum Ended {
    /// It is over; everybody has the version in force.
    #[oai(status = 204)]
    Done,
}

/// What somebody is.
#[derive(Clone, Copy, Debug, Enum, Serialize)]
#[oai(rename = "PolicyRole", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
enum RoleName {
    /// Has an account.
    User,
    /// Operates the server.
    Admin,
}

impl RoleName {
    const fn role(self) -> Role {
        match self {
            Self::User => Role::User,
            Self::Admin => Role::Admin,
        }
    }

    const fn of(role: Role) -> Self {
        match role {
            Role::User => Self::User,
            Role::Admin => Self::Admin,
        }
    }
}

/// Who is to have a version.
#[derive(Debug, Object)]
#[oai(rename = "PolicyRolloutInput", deny_unknown_fields)]
struct RolloutInput {
    /// The version.
    version: PolicyVersionName,
    /// The share of all people; 0 when it is left out.
    #[oai(validator(minimum(value = "0"), maximum(value = "100")))]
    percent: Option<u8>,
    /// Ids of people who have it whatever the share.
    #[oai(validator(max_items = 1000))]
    users: Option<Vec<Uuid>>,
    /// Roles that have it whatever the share.
    #[oai(validator(max_items = 2))]
    roles: Option<Vec<RoleName>>,
}

impl From<RolloutInput> for TrialWish {
    fn from(input: RolloutInput) -> Self {
        let mut users: Vec<UserId> = input.users.unwrap_or_default().into_iter().map(UserId).collect();
        users.sort_unstable();
        users.dedup();
        let roles = input.roles.unwrap_or_default().into_iter().map(RoleName::role).collect();
        Self { version: input.version.0, percent: input.percent.unwrap_or(0), users, roles }
    }
}

/// A version that scores in the shadow.
#[derive(Debug, Object)]
#[oai(rename = "PolicyShadowInput", deny_unknown_fields)]
struct ShadowInput {
    /// The version.
    version: PolicyVersionName,
    /// The share of rankings that are compared; 10 when it is left out.
    #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
    percent: Option<u8>,
}

impl From<ShadowInput> for TrialWish {
    fn from(input: ShadowInput) -> Self {
        Self { version: input.version.0, percent: input.percent.unwrap_or(10), ..Self::default() }
    }
}

/// A version that a part of the people has.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "PolicyRollout")]
struct RolloutView {
    /// The policy.
    policy: String,
    /// The version.
    version: String,
    /// `running`; `ended` by somebody; `rolled_back` because it failed too often.
    state: String,
    /// The share of all people.
    percent: u8,
    /// Ids of people who have it whatever the share.
    users: Vec<Uuid>,
    /// Roles that have it whatever the share.
    roles: Vec<RoleName>,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When its part was last changed, or it ended.
    updated_at: DateTime<Utc>,
}

impl From<CandidateRecord> for RolloutView {
    fn from(row: CandidateRecord) -> Self {
        let part = part_of(&row);
        Self {
            policy: row.policy,
            version: row.version,
            state: row.state,
            percent: part.percent,
            users: part.users.iter().map(|user| user.0).collect(),
            roles: part.roles.into_iter().map(RoleName::of).collect(),
            started_at: Timestamp::from_micros(row.started_at).to_utc(),
            updated_at: Timestamp::from_micros(row.updated_at).to_utc(),
        }
    }
}

/// A version that scores what the one in force scores.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "PolicyShadow")]
struct ShadowView {
    /// The policy.
    policy: String,
    /// The version.
    version: String,
    /// `running` or `ended`.
    state: String,
    /// The share of rankings that are compared.
    percent: u8,
    /// Rankings that were compared.
    rankings: i64,
    /// Those of them of which another task is the first.
    first_changes: i64,
    /// Tasks in them.
    tasks: i64,
    /// Tasks at another place.
    moved: i64,
    /// Tasks on which the version failed.
    faults: i64,
    /// How it failed last.
    #[oai(nullable)]
    last_fault: Option<String>,
    /// What a task cost under the version in force, in nanoseconds; `null` before the first.
    #[oai(nullable)]
    live_nanos_per_task: Option<i64>,
    /// What a task cost under this version.
    #[oai(nullable)]
    candidate_nanos_per_task: Option<i64>,
    /// When it began.
    started_at: DateTime<Utc>,
}

impl From<CandidateRecord> for ShadowView {
    fn from(row: CandidateRecord) -> Self {
        let part = part_of(&row);
        let each = |nanos: i64| nanos.checked_div(row.counts.tasks);
        Self {
            live_nanos_per_task: each(row.counts.live_nanos),
            candidate_nanos_per_task: each(row.counts.candidate_nanos),
            policy: row.policy,
            version: row.version,
            state: row.state,
            percent: part.percent,
            rankings: row.counts.rankings,
            first_changes: row.counts.first_changes,
            tasks: row.counts.tasks,
            moved: row.counts.moved,
            faults: row.counts.faults,
            last_fault: row.counts.last_fault,
            started_at: Timestamp::from_micros(row.started_at).to_utc(),
        }
    }
}

impl PolicyTrialsApi {
    /// The operations over a service.
    pub const fn new(versions: Arc<Versions>) -> Self {
        Self { versions }
    }
}

#[OpenApi(prefix_path = "/api/policies", tag = "Tag::Policies")]
impl PolicyTrialsApi {
    /// Get a roll-out
    #[oai(path = "/:name/rollout", method = "get", operation_id = "get_policy_rollout")]
    async fn get_policy_rollout(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
    ) -> Result<Json<RolloutView>, ApiError> {
        let row = self.versions.get_trial(Actor::Person(&caller), &name.0.0, Trial::Rollout).await?;
        Ok(Json(row.into()))
    }

    /// Roll a version out
    ///
    /// To a share of all people, to roles, or to people by name; everybody else keeps the version in force. The same version
    /// again changes its part: who has it keeps it while the share grows. Past a number of failures it ends by itself.
    ///
    /// - 409: Worked examples fail (`errors` names them), or somebody else must approve the version first.
    #[oai(path = "/:name/rollout", method = "put", operation_id = "roll_out_policy")]
    async fn roll_out_policy(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        body: Checked<RolloutInput>,
    ) -> Result<Json<RolloutView>, ApiError> {
        let wish = body.held_against(|_| Ok::<_, ApiError>(()))?.into();
        let row = self.versions.put_trial(Actor::Person(&caller), &name.0.0, Trial::Rollout, wish).await?;
        Ok(Json(row.into()))
    }

    /// End a roll-out
    ///
    /// Everybody has the version in force again, at once.
    #[oai(path = "/:name/rollout", method = "delete", operation_id = "end_policy_rollout")]
    async fn end_policy_rollout(&self, caller: Operator, name: Path<PolicyName>) -> Result<Ended, ApiError> {
        self.versions.end_trial(Actor::Person(&caller), &name.0.0, Trial::Rollout).await?;
        Ok(Ended::Done)
    }

    /// See what a version does in the shadow
    ///
    /// How its rankings differ from those of the version in force, on how many tasks it failed, and what both cost.
    #[oai(path = "/:name/shadow", method = "get", operation_id = "get_policy_shadow")]
    async fn get_policy_shadow(&self, caller: Operator, name: Path<PolicyName>) -> Result<Json<ShadowView>, ApiError> {
        let row = self.versions.get_trial(Actor::Person(&caller), &name.0.0, Trial::Shadow).await?;
        Ok(Json(row.into()))
    }

    /// Let a version score in the shadow
    ///
    /// It ranks what the version in force ranks, for a share of the rankings, off the way of requests. Nobody sees it.
    #[oai(path = "/:name/shadow", method = "put", operation_id = "shadow_policy")]
    async fn shadow_policy(
        &self,
        caller: Operator,
        name: Path<PolicyName>,
        body: Checked<ShadowInput>,
    ) -> Result<Json<ShadowView>, ApiError> {
        let wish = body.held_against(|_| Ok::<_, ApiError>(()))?.into();
        let row = self.versions.put_trial(Actor::Person(&caller), &name.0.0, Trial::Shadow, wish).await?;
        Ok(Json(row.into()))
    }

    /// End a shadow
    #[oai(path = "/:name/shadow", method = "delete", operation_id = "end_policy_shadow")]
    async fn end_policy_shadow(&self, caller: Operator, name: Path<PolicyName>) -> Result<Ended, ApiError> {
        self.versions.end_trial(Actor::Person(&caller), &name.0.0, Trial::Shadow).await?;
        Ok(Ended::Done)
    }
}
