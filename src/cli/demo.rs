//! `mindflow demo`: an account with some forty believable tasks, to see what the recommendations are like.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use chrono::{NaiveTime, TimeDelta};
use clap::Args;

use crate::accounts::registration::NewAccount;
use crate::accounts::secrets::random_secret;
use crate::accounts::{Caller, Credential, Role, Scope, Scopes, User};
use crate::app::App;
use crate::calendar::{Due, TimeOfDay, local_date, resolve_local};
use crate::clock::Timestamp;
use crate::ids::ProjectId;
use crate::tasks::batch::{Action, Operation};
use crate::tasks::collections::GroupPatch;
use crate::tasks::edit::{Patch, TaskPatch};
use crate::tasks::filter::{Sort, TaskFilter};
use crate::tasks::lists::ListTasks;
use crate::tasks::{Ask, Status};

mod tasks;

use tasks::{DEMO_TASKS, DemoTask, When};

/// Whose account to fill.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The account; it is made, with a password that is printed, when it does not exist
    #[arg(long, default_value = "demo@example.com")]
    email: String,
    /// Fill it even if it has tasks already
    #[arg(long)]
    force: bool,
}

/// Fills the account; what it has to say goes to `out`.
pub async fn run(args: DemoArgs, app: &App, out: &mut dyn Write) -> anyhow::Result<()> {
    let users = app.accounts.list_users().await?;
    let known = users.into_iter().find(|user| user.email.eq_ignore_ascii_case(&args.email));
    let (user, password) = match known {
        Some(user) => (user, None),
        None => make_account(app, &args.email).await.map(|(user, password)| (user, Some(password)))?,
    };
    let caller = caller_for(&user);
    let list = ListTasks { filter: TaskFilter::default(), sort: Sort::CreatedAt, cursor: None, limit: 1 };
    if !args.force && app.tasks.list(&caller, &list).await?.total > 0 {
        bail!("{} has tasks already; use --force to add the demo's to them", user.email);
    }
    fill(app, &caller).await?;
    writeln!(out, "{} now has {} tasks.", user.email, DEMO_TASKS.len())?;
    if let Some(password) = password {
        writeln!(out, "Password: {password}")?;
    }
    Ok(())
}

async fn make_account(app: &App, email: &str) -> anyhow::Result<(User, String)> {
    let password = random_secret("")?;
    let new = NewAccount {
        email: email.to_owned(),
        password: password.clone(),
        full_name: Some("Demo".to_owned()),
        time_zone: None,
    };
    let user = app.accounts.create_user(new, Role::User).await.context("the account could not be made")?;
    Ok((user, password))
}

fn caller_for(user: &User) -> Caller {
    Caller {
        role: user.role,
        user_id: user.id,
        scopes: Scopes::from_iter([Scope::Read, Scope::Write]),
        credential: Credential::Shell,
        client: None,
        zone: user.zone,
        windows: None,
        policy: None,
        policy_params: Arc::default(),
        data_version: 0,
        request_id: Arc::from("demo"),
    }
}

async fn fill(app: &App, caller: &Caller) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut projects: Vec<(&str, ProjectId)> = Vec::new();
    for name in tasks::PROJECTS {
        let patch = GroupPatch { name: Some(name.to_owned()), description: Patch::Keep };
        match app.tasks.create_project(Ask::new(caller.clone()), patch).await {
            Ok(made) => projects.push((name, made.value.id)),
            // Filling an account again finds its projects there.
            Err(crate::tasks::TaskError::NameTaken(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let operations = DEMO_TASKS.iter().map(|task| {
        let project = projects.iter().find(|(name, _)| Some(*name) == task.project).map(|(_, id)| *id);
        Operation::from(Action::Create(patch_of(task, project, caller, now)))
    });
    app.tasks.batch(Ask::new(caller.clone()), operations.collect()).await?;
    Ok(())
}

fn patch_of(task: &DemoTask, project: Option<ProjectId>, caller: &Caller, now: Timestamp) -> TaskPatch {
    TaskPatch {
        title: Some(task.title.to_owned()),
        description: task.description.map_or(Patch::Keep, |text| Patch::Set(text.to_owned())),
        status: Some(task.status),
        priority: Some(task.priority),
        due: task.due.and_then(|when| due_of(when, caller, now)).map_or(Patch::Keep, Patch::Set),
        effort_minutes: task.minutes.map_or(Patch::Keep, Patch::Set),
        preferred_time: task.preferred.map_or(Patch::Keep, Patch::Set),
        snoozed_until: match task.status {
            Status::Snoozed => Patch::Set(now.plus(std::time::Duration::from_hours(48))),
            _ => Patch::Keep,
        },
        labels: Some(task.labels.iter().map(|label| (*label).to_owned()).collect()),
        project_id: project.map_or(Patch::Keep, Patch::Set),
        parent_id: Patch::Keep,
    }
}

fn due_of(when: When, caller: &Caller, now: Timestamp) -> Option<Due> {
    let (days, time) = match when {
        When::Day(days) => (days, None),
        When::Hour(days, hour) => (days, NaiveTime::from_hms_opt(hour, 0, 0)),
    };
    let date = local_date(now, caller.zone).checked_add_signed(TimeDelta::days(days))?;
    Some(time.map_or(Due::On(date), |time| Due::At(resolve_local(date.and_time(time), caller.zone))))
}

/// The part of the day, shortened for the table.
const MORNING: Option<TimeOfDay> = Some(TimeOfDay::Morning);
const AFTERNOON: Option<TimeOfDay> = Some(TimeOfDay::Afternoon);
const EVENING: Option<TimeOfDay> = Some(TimeOfDay::Evening);
