//! Carrying a plan out, and taking it back: a handful of statements, whatever its size, but for one a task.

use std::collections::HashMap;

use super::Imported;
use super::plan::Plan;
use crate::clock::Timestamp;
use crate::ids::{LabelId, ProjectId, TaskId};
use crate::tasks::change::Work;
use crate::tasks::error::TaskError;
use crate::tasks::groups::{Label, Project};
use crate::tasks::task::Task;
use crate::tasks::text::name_key;
use crate::tasks::undo::Before;

/// What an import made, for the way back.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(in crate::tasks) struct Made {
    /// The tasks, every one after the task that it is a part of.
    tasks: Vec<TaskId>,
    /// The version that they all have.
    version: i64,
    projects: Vec<ProjectId>,
    labels: Vec<LabelId>,
}

/// Makes everything in the plan; projects and labels whose name is there already are used as they are.
pub(in crate::tasks) async fn carry_out(work: &mut Work<'_, '_>, mut plan: Plan) -> Result<Imported, TaskError> {
    let (project_ids, projects) = settle_projects(work, plan.projects).await?;
    let (label_ids, labels) = settle_labels(work, plan.labels, &plan.tasks).await?;
    let mut pairs = Vec::new();
    for task in &mut plan.tasks {
        task.project_id = task.project_id.and_then(|id| project_ids.get(&id).copied());
        pairs.extend(task.labels.iter().filter_map(|name| Some((task.id, *label_ids.get(&name_key(name))?))));
        let due_at = work.due_at(task);
        work.tx.insert_task_row(work.caller.user_id, task, due_at).await?;
    }
    if !pairs.is_empty() {
        work.tx.insert_task_labels(work.caller.user_id, &pairs).await?;
    }
    let imported = Imported { tasks: plan.tasks.len(), projects: projects.len(), labels: labels.len() };
    if imported != Imported::default() {
        let version = plan.tasks.first().map_or(1, |task| task.version);
        let tasks = plan.tasks.iter().map(|task| task.id).collect();
        work.remember(Before::Import(Made { tasks, version, projects, labels }));
        note(work, "data.imported", imported);
    }
    Ok(imported)
}

/// Removes what an import made: all tasks, and those projects and labels that nothing else has come to use.
///
/// # Errors
///
/// [`TaskError::UndoOvertaken`] when a task was changed since, another was made a part of it, or a file was attached.
pub(in crate::tasks) async fn take_back(work: &mut Work<'_, '_>, made: Made) -> Result<(), TaskError> {
    let owner = work.caller.user_id;
    let tasks = find_in_order(work, &made.tasks).await?;
    let unchanged = tasks.len() == made.tasks.len() && tasks.iter().all(|task| task.version == made.version);
    let grown =
        work.tx.count_other_parts(owner, &made.tasks).await? + work.tx.count_attached(owner, &made.tasks).await?;
    if !unchanged || grown > 0 {
        return Err(TaskError::UndoOvertaken("import"));
    }
    let mut plan =
        Plan { tasks, projects: work.tx.list_projects(owner).await?, labels: work.tx.list_labels(owner).await? };
    plan.projects.retain(|project| made.projects.contains(&project.id));
    work.tx.delete_tasks(owner, &made.tasks).await?;
    work.tx.delete_unused_projects(owner, &made.projects).await?;
    work.tx.delete_unused_labels(owner, &made.labels).await?;
    let labels: std::collections::HashSet<LabelId> = made.labels.iter().copied().collect();
    plan.labels.retain(|label| labels.contains(&label.id));
    let removed = Imported { tasks: plan.tasks.len(), projects: made.projects.len(), labels: made.labels.len() };
    work.remember(Before::Removal(Box::new(plan)));
    note(work, "data.removed", removed);
    Ok(())
}

/// Makes again what was taken back. Returns the tasks.
pub(in crate::tasks) async fn make_again(work: &mut Work<'_, '_>, mut plan: Plan) -> Result<Vec<Task>, TaskError> {
    for task in &mut plan.tasks {
        task.version += 1;
        task.updated_at = work.now;
    }
    let ids: Vec<TaskId> = plan.tasks.iter().map(|task| task.id).collect();
    carry_out(work, plan).await?;
    find_in_order(work, &ids).await
}

/// The caller's tasks among `ids`, in their order.
async fn find_in_order(work: &mut Work<'_, '_>, ids: &[TaskId]) -> Result<Vec<Task>, TaskError> {
    let found = work.tx.find_tasks(work.caller.user_id, ids).await?;
    let mut found: HashMap<TaskId, Task> = found.into_iter().map(|task| (task.id, task)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Makes the projects whose name is new; says what becomes of each id, and which were made.
async fn settle_projects(
    work: &mut Work<'_, '_>,
    wanted: Vec<Project>,
) -> Result<(HashMap<ProjectId, ProjectId>, Vec<ProjectId>), TaskError> {
    let owner = work.caller.user_id;
    let existing = work.tx.list_projects(owner).await?;
    let mut ids: HashMap<ProjectId, ProjectId> = existing.iter().map(|project| (project.id, project.id)).collect();
    let mut by_name: HashMap<String, ProjectId> =
        existing.iter().map(|project| (name_key(&project.name), project.id)).collect();
    let mut made = Vec::new();
    for project in wanted {
        let id = *by_name.entry(name_key(&project.name)).or_insert(project.id);
        if id == project.id && !ids.contains_key(&id) {
            work.tx.save_project(owner, &project).await?;
            made.push(id);
        }
        ids.insert(project.id, id);
    }
    Ok((ids, made))
}

/// Makes the labels whose name is new, also those that only tasks name; says which label has a name, and which were
/// made.
async fn settle_labels(
    work: &mut Work<'_, '_>,
    wanted: Vec<Label>,
    tasks: &[Task],
) -> Result<(HashMap<String, LabelId>, Vec<LabelId>), TaskError> {
    let owner = work.caller.user_id;
    let existing = work.tx.list_labels(owner).await?;
    let mut ids: HashMap<String, LabelId> = existing.iter().map(|label| (name_key(&label.name), label.id)).collect();
    let mut new = Vec::new();
    for label in wanted {
        ids.entry(name_key(&label.name)).or_insert_with(|| {
            new.push(label.clone());
            label.id
        });
    }
    for name in tasks.iter().flat_map(|task| &task.labels) {
        ids.entry(name_key(name)).or_insert_with(|| {
            let label = new_label(name, work.now);
            new.push(label.clone());
            label.id
        });
    }
    if !new.is_empty() {
        work.tx.insert_labels(owner, &new).await?;
    }
    Ok((ids, new.into_iter().map(|label| label.id).collect()))
}

fn new_label(name: &str, now: Timestamp) -> Label {
    Label { id: LabelId::new(now), name: name.to_owned(), version: 1, created_at: now, updated_at: now }
}

fn note(work: &mut Work<'_, '_>, action: &'static str, counts: Imported) {
    let Imported { tasks, projects, labels } = counts;
    let details = serde_json::json!({ "tasks": tasks, "projects": projects, "labels": labels });
    work.note(action, "user", work.caller.user_id.0, Some(details));
}
