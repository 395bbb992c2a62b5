//! Projects and labels: made, renamed, removed by the same way as tasks.

use crate::ids::{LabelId, ProjectId};
use crate::paging::Page;

use super::Tasks;
use super::change::{Ask, Changed};
use super::edit::Patch;
use super::error::{Fault, TaskError};
use super::filter::Position;
use super::groups::{Label, Project};
use super::lists::{asked, page, read_cursor};
use super::text::{self, DESCRIPTION_MAX, several_lines};
use super::undo::Before;
use crate::accounts::Caller;
use crate::clock::Timestamp;

/// A wanted change of a project or label; what is not mentioned stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupPatch {
    /// Its name.
    pub name: Option<String>,
    /// A project's description; labels have none.
    pub description: Patch<String>,
}

impl GroupPatch {
    fn checked_name(&self) -> Result<Option<String>, Fault> {
        self.name.as_ref().map(|name| text::name("/name", name)).transpose()
    }

    /// Applies the patch to a project.
    fn edit(self, project: &Project, now: Timestamp) -> Result<Project, TaskError> {
        let name = self.checked_name();
        let description = match &self.description {
            Patch::Keep => Ok(project.description.clone()),
            Patch::Clear => Ok(None),
            Patch::Set(text) => several_lines("/description", text, DESCRIPTION_MAX).map(Some),
        };
        match (name, description) {
            (Ok(name), Ok(description)) => Ok(Project {
                name: name.unwrap_or_else(|| project.name.clone()),
                description,
                version: project.version + 1,
                updated_at: now,
                ..project.clone()
            }),
            (name, description) => {
                Err(TaskError::Invalid([name.err(), description.err()].into_iter().flatten().collect()))
            }
        }
    }
}

impl Tasks {
    /// The caller's project.
    pub async fn get_project(&self, caller: &Caller, id: ProjectId) -> Result<Project, TaskError> {
        self.store().find_project(caller.user_id, id).await?.ok_or(TaskError::NotFound("project"))
    }

    /// The caller's projects, oldest first.
    pub async fn list_projects(
        &self,
        caller: &Caller,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Project>, TaskError> {
        let asked = asked(caller, "projects");
        let after = cursor.map(|cursor| read_cursor(&asked, cursor)).transpose()?;
        let projects = self.store().list_projects(caller.user_id, after, limit.saturating_add(1)).await?;
        let total = self.store().count_projects(caller.user_id).await?;
        let position = |project: &Project| Position { key: project.created_at.as_micros(), id: project.id.0 };
        Ok(page(&asked, projects.into_iter().map(|project| (position(&project), project)).collect(), limit, total))
    }

    /// Makes a project.
    pub async fn create_project(&self, ask: Ask<Project>, patch: GroupPatch) -> Result<Changed<Project>, TaskError> {
        self.changes
            .run("project.created", ask, move |work| {
                Box::pin(async move {
                    let blank = Project {
                        id: ProjectId::new(work.now),
                        name: String::new(),
                        description: None,
                        version: 0,
                        created_at: work.now,
                        updated_at: work.now,
                    };
                    let project = patch.edit(&blank, work.now)?;
                    let saved = work.tx.save_project(work.caller.user_id, &project).await;
                    saved.map_err(|error| TaskError::taken("project", error))?;
                    work.note("project.created", "project", project.id.0, None);
                    work.remember(Before::Project {
                        id: project.id,
                        version: Some(project.version),
                        before: None,
                        tasks: Vec::new(),
                    });
                    Ok(project)
                })
            })
            .await
    }

    /// Changes a project.
    pub async fn update_project(
        &self,
        ask: Ask<Project>,
        id: ProjectId,
        patch: GroupPatch,
    ) -> Result<Changed<Project>, TaskError> {
        self.changes
            .run("project.updated", ask, move |work| {
                Box::pin(async move {
                    let before = work.tx.find_project(work.caller.user_id, id).await?;
                    let before = before.ok_or(TaskError::NotFound("project"))?;
                    work.check_version("project", before.version)?;
                    let project = patch.edit(&before, work.now)?;
                    if (&project.name, &project.description) == (&before.name, &before.description) {
                        return Ok(before);
                    }
                    let saved = work.tx.save_project(work.caller.user_id, &project).await;
                    saved.map_err(|error| TaskError::taken("project", error))?;
                    work.note("project.updated", "project", id.0, None);
                    let version = Some(project.version);
                    work.remember(Before::Project { id, version, before: Some(before), tasks: Vec::new() });
                    Ok(project)
                })
            })
            .await
    }

    /// Removes a project; its tasks stay.
    pub async fn delete_project(&self, ask: Ask<()>, id: ProjectId) -> Result<Changed<()>, TaskError> {
        self.changes
            .run("project.deleted", ask, move |work| {
                Box::pin(async move {
                    let before = work.tx.find_project(work.caller.user_id, id).await?;
                    let before = before.ok_or(TaskError::NotFound("project"))?;
                    work.check_version("project", before.version)?;
                    let tasks = work.tx.delete_project(work.caller.user_id, id, work.now).await?;
                    work.note("project.deleted", "project", id.0, None);
                    work.tasks_changed(&tasks, "project_id").await?;
                    work.remember(Before::Project { id, version: None, before: Some(before), tasks });
                    Ok(())
                })
            })
            .await
    }

    /// The caller's label.
    pub async fn get_label(&self, caller: &Caller, id: LabelId) -> Result<Label, TaskError> {
        self.store().find_label(caller.user_id, id).await?.ok_or(TaskError::NotFound("label"))
    }

    /// The caller's labels, oldest first.
    pub async fn list_labels(
        &self,
        caller: &Caller,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Label>, TaskError> {
        let asked = asked(caller, "labels");
        let after = cursor.map(|cursor| read_cursor(&asked, cursor)).transpose()?;
        let labels = self.store().list_labels(caller.user_id, after, limit.saturating_add(1)).await?;
        let total = self.store().count_labels(caller.user_id).await?;
        let position = |label: &Label| Position { key: label.created_at.as_micros(), id: label.id.0 };
        Ok(page(&asked, labels.into_iter().map(|label| (position(&label), label)).collect(), limit, total))
    }

    /// Makes a label.
    pub async fn create_label(&self, ask: Ask<Label>, patch: GroupPatch) -> Result<Changed<Label>, TaskError> {
        self.changes
            .run("label.created", ask, move |work| {
                Box::pin(async move {
                    let id = LabelId::new(work.now);
                    let (created_at, updated_at) = (work.now, work.now);
                    let name = checked_name(&patch)?.unwrap_or_default();
                    let label = Label { id, name, version: 1, created_at, updated_at };
                    let saved = work.tx.save_label(work.caller.user_id, &label).await;
                    saved.map_err(|error| TaskError::taken("label", error))?;
                    work.note("label.created", "label", id.0, None);
                    work.remember(Before::Label { id, version: Some(1), before: None, tasks: Vec::new() });
                    Ok(label)
                })
            })
            .await
    }

    /// Renames a label, on all its tasks.
    pub async fn update_label(
        &self,
        ask: Ask<Label>,
        id: LabelId,
        patch: GroupPatch,
    ) -> Result<Changed<Label>, TaskError> {
        self.changes
            .run("label.updated", ask, move |work| {
                Box::pin(async move {
                    let before = work.tx.find_label(work.caller.user_id, id).await?;
                    let before = before.ok_or(TaskError::NotFound("label"))?;
                    work.check_version("label", before.version)?;
                    let name = checked_name(&patch)?.unwrap_or_else(|| before.name.clone());
                    if name == before.name {
                        return Ok(before);
                    }
                    let version = before.version + 1;
                    let label = Label { name, version, updated_at: work.now, ..before.clone() };
                    let saved = work.tx.save_label(work.caller.user_id, &label).await;
                    saved.map_err(|error| TaskError::taken("label", error))?;
                    work.note("label.updated", "label", id.0, None);
                    let tasks = work.tx.list_label_tasks(work.caller.user_id, id).await?;
                    work.tasks_changed(&tasks, "labels").await?;
                    work.remember(Before::Label {
                        id,
                        version: Some(version),
                        before: Some(before),
                        tasks: Vec::new(),
                    });
                    Ok(label)
                })
            })
            .await
    }

    /// Removes a label from all its tasks and from the list.
    pub async fn delete_label(&self, ask: Ask<()>, id: LabelId) -> Result<Changed<()>, TaskError> {
        self.changes
            .run("label.deleted", ask, move |work| {
                Box::pin(async move {
                    let before = work.tx.find_label(work.caller.user_id, id).await?;
                    let before = before.ok_or(TaskError::NotFound("label"))?;
                    work.check_version("label", before.version)?;
                    let tasks = work.tx.delete_label(work.caller.user_id, id, work.now).await?;
                    work.note("label.deleted", "label", id.0, None);
                    work.tasks_changed(&tasks, "labels").await?;
                    work.remember(Before::Label { id, version: None, before: Some(before), tasks });
                    Ok(())
                })
            })
            .await
    }
}

fn checked_name(patch: &GroupPatch) -> Result<Option<String>, TaskError> {
    patch.checked_name().map_err(|fault| TaskError::Invalid(vec![fault]))
}
