//! `/api/projects` and `/api/labels`.

use chrono::{DateTime, Utc};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json as JsonBody;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;
use uuid::Uuid;

use crate::ids::{LabelId, ProjectId};
use crate::tasks::Tasks;
use crate::tasks::collections::GroupPatch;
use crate::tasks::edit::Patch;
use crate::tasks::groups::{Label, Project};

use super::auth::{Reader, Writer};
use super::changes::{Conditions, Created, Done, Gone, IdempotencyKey, Shown, change};
use super::conditional::Preconditions;
use super::fields::{Description, Name};
use super::lists::Listed;
use super::problem::ApiError;
use super::tags::Tag;
use super::tasks::default_limit;

/// A folder of tasks.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "Project")]
pub struct ProjectView {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Its name, unique among yours whatever the case.
    pub name: Name,
    /// What it is about.
    #[oai(nullable)]
    pub description: Option<Description>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts its changes; the entity tag of `If-Match` in quotes.
    pub version: i64,
}

impl From<&Project> for ProjectView {
    fn from(project: &Project) -> Self {
        Self {
            id: project.id.0,
            name: Name(project.name.clone()),
            description: project.description.clone().map(Description),
            created_at: project.created_at.to_utc(),
            updated_at: project.updated_at.to_utc(),
            version: project.version,
        }
    }
}

impl Shown for Project {
    type View = ProjectView;

    fn view(&self) -> ProjectView {
        ProjectView::from(self)
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }

    fn location(&self) -> Option<String> {
        Some(format!("/api/projects/{}", self.id))
    }
}

/// A word that marks tasks.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "Label")]
pub struct LabelView {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Its name, unique among yours whatever the case.
    pub name: Name,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts its changes; the entity tag of `If-Match` in quotes.
    pub version: i64,
}

impl From<&Label> for LabelView {
    fn from(label: &Label) -> Self {
        Self {
            id: label.id.0,
            name: Name(label.name.clone()),
            created_at: label.created_at.to_utc(),
            updated_at: label.updated_at.to_utc(),
            version: label.version,
        }
    }
}

impl Shown for Label {
    type View = LabelView;

    fn view(&self) -> LabelView {
        LabelView::from(self)
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }

    fn location(&self) -> Option<String> {
        Some(format!("/api/labels/{}", self.id))
    }
}

/// One page of projects.
#[derive(Debug, Object, Serialize)]
pub struct ProjectPage {
    /// The projects, oldest first.
    pub items: Vec<ProjectView>,
    /// Where the next page begins; `null` on the last one.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// One page of labels.
#[derive(Debug, Object, Serialize)]
pub struct LabelPage {
    /// The labels, oldest first.
    pub items: Vec<LabelView>,
    /// Where the next page begins; `null` on the last one.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// A new project.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ProjectInput {
    /// Its name, unique among yours whatever the case.
    pub name: Name,
    /// What it is about.
    #[oai(nullable)]
    pub description: Option<Description>,
}

/// A change of a project (RFC 7396): what is left out stays, `null` empties.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ProjectChange {
    /// Its name, unique among yours whatever the case.
    pub name: Option<Name>,
    /// What it is about.
    #[oai(nullable)]
    pub description: MaybeUndefined<Description>,
}

/// A new label.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct LabelInput {
    /// Its name, unique among yours whatever the case.
    pub name: Name,
}

/// A change of a label (RFC 7396): what is left out stays.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct LabelChange {
    /// Its name, unique among yours whatever the case.
    pub name: Option<Name>,
}

/// The operations on projects.
#[derive(Debug)]
pub struct ProjectsApi {
    tasks: Tasks,
}

impl ProjectsApi {
    /// The operations over a service.
    pub fn new(tasks: Tasks) -> Self {
        Self { tasks }
    }
}

#[OpenApi(prefix_path = "/api/projects", tag = "Tag::Projects")]
impl ProjectsApi {
    /// List projects
    #[oai(path = "/", method = "get", operation_id = "list_projects")]
    async fn list_projects(
        &self,
        caller: Reader,
        /// How many projects, at most.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<u32>,
        /// Where the page begins: the `next_cursor` of the page before.
        #[oai(validator(max_length = 512))]
        cursor: Query<Option<String>>,
    ) -> Result<Listed<ProjectPage>, ApiError> {
        let page = self.tasks.list_projects(&caller, cursor.0.as_deref(), limit.0).await?;
        let items = page.items.iter().map(ProjectView::from).collect();
        Ok(Listed::new(&ProjectPage { items, next_cursor: page.next_cursor }, page.total))
    }

    /// Make a project
    ///
    /// - 409: Another project has this name, or the first request with this key still runs.
    #[oai(path = "/", method = "post", operation_id = "create_project")]
    async fn create_project(
        &self,
        caller: Writer,
        /// Makes a repetition safe: the same key and body within 24 hours get the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        body: JsonBody<ProjectInput>,
    ) -> Result<Created<Project>, ApiError> {
        let description = Patch::replace(body.0.description.map(|text| text.0));
        let patch = GroupPatch { name: Some(body.0.name.0), description };
        change(&caller, Conditions::repeatable(idempotency_key), |ask| self.tasks.create_project(ask, patch)).await
    }

    /// Get a project
    #[oai(path = "/:project_id", method = "get", operation_id = "get_project")]
    async fn get_project(&self, caller: Reader, project_id: Path<Uuid>) -> Result<Done<Project>, ApiError> {
        Ok(Done::shown(self.tasks.get_project(&caller, ProjectId(project_id.0)).await?))
    }

    /// Change a project
    ///
    /// A JSON merge patch (RFC 7396): what is left out stays, `null` empties.
    ///
    /// - 409: Another project has this name.
    #[oai(path = "/:project_id", method = "patch", operation_id = "update_project")]
    async fn update_project(
        &self,
        caller: Writer,
        project_id: Path<Uuid>,
        /// Only if the project is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
        body: JsonBody<ProjectChange>,
    ) -> Result<Done<Project>, ApiError> {
        let description = match body.0.description {
            MaybeUndefined::Undefined => Patch::Keep,
            MaybeUndefined::Null => Patch::Clear,
            MaybeUndefined::Value(text) => Patch::Set(text.0),
        };
        let patch = GroupPatch { name: body.0.name.map(|name| name.0), description };
        let on = Conditions::default().matching(&preconditions);
        change(&caller, on, |ask| self.tasks.update_project(ask, ProjectId(project_id.0), patch)).await
    }

    /// Delete a project
    ///
    /// Its tasks stay, without a project.
    #[oai(path = "/:project_id", method = "delete", operation_id = "delete_project")]
    async fn delete_project(
        &self,
        caller: Writer,
        project_id: Path<Uuid>,
        /// Only if the project is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
    ) -> Result<Gone, ApiError> {
        let on = Conditions::default().matching(&preconditions);
        change(&caller, on, |ask| self.tasks.delete_project(ask, ProjectId(project_id.0))).await
    }
}

/// The operations on labels.
#[derive(Debug)]
pub struct LabelsApi {
    tasks: Tasks,
}

impl LabelsApi {
    /// The operations over a service.
    pub fn new(tasks: Tasks) -> Self {
        Self { tasks }
    }
}

#[OpenApi(prefix_path = "/api/labels", tag = "Tag::Labels")]
impl LabelsApi {
    /// List labels
    #[oai(path = "/", method = "get", operation_id = "list_labels")]
    async fn list_labels(
        &self,
        caller: Reader,
        /// How many labels, at most.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<u32>,
        /// Where the page begins: the `next_cursor` of the page before.
        #[oai(validator(max_length = 512))]
        cursor: Query<Option<String>>,
    ) -> Result<Listed<LabelPage>, ApiError> {
        let page = self.tasks.list_labels(&caller, cursor.0.as_deref(), limit.0).await?;
        let items = page.items.iter().map(LabelView::from).collect();
        Ok(Listed::new(&LabelPage { items, next_cursor: page.next_cursor }, page.total))
    }

    /// Make a label
    ///
    /// - 409: Another label has this name, or the first request with this key still runs.
    #[oai(path = "/", method = "post", operation_id = "create_label")]
    async fn create_label(
        &self,
        caller: Writer,
        /// Makes a repetition safe: the same key and body within 24 hours get the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        body: JsonBody<LabelInput>,
    ) -> Result<Created<Label>, ApiError> {
        let patch = GroupPatch { name: Some(body.0.name.0), description: Patch::Keep };
        change(&caller, Conditions::repeatable(idempotency_key), |ask| self.tasks.create_label(ask, patch)).await
    }

    /// Get a label
    #[oai(path = "/:label_id", method = "get", operation_id = "get_label")]
    async fn get_label(&self, caller: Reader, label_id: Path<Uuid>) -> Result<Done<Label>, ApiError> {
        Ok(Done::shown(self.tasks.get_label(&caller, LabelId(label_id.0)).await?))
    }

    /// Rename a label
    ///
    /// On all its tasks, which change with it.
    ///
    /// - 409: Another label has this name.
    #[oai(path = "/:label_id", method = "patch", operation_id = "update_label")]
    async fn update_label(
        &self,
        caller: Writer,
        label_id: Path<Uuid>,
        /// Only if the label is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
        body: JsonBody<LabelChange>,
    ) -> Result<Done<Label>, ApiError> {
        let patch = GroupPatch { name: body.0.name.map(|name| name.0), description: Patch::Keep };
        let on = Conditions::default().matching(&preconditions);
        change(&caller, on, |ask| self.tasks.update_label(ask, LabelId(label_id.0), patch)).await
    }

    /// Delete a label
    ///
    /// Its tasks stay, without it.
    #[oai(path = "/:label_id", method = "delete", operation_id = "delete_label")]
    async fn delete_label(
        &self,
        caller: Writer,
        label_id: Path<Uuid>,
        /// Only if the label is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
    ) -> Result<Gone, ApiError> {
        let on = Conditions::default().matching(&preconditions);
        change(&caller, on, |ask| self.tasks.delete_label(ask, LabelId(label_id.0))).await
    }
}
