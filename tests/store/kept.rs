//! What is written is read back exactly, by its owner alone.

use chrono_tz::{America, Pacific, Tz};
use mindflow::calendar::{Due, TimeOfDay, parse_due, parse_moment};
use mindflow::clock::Timestamp;
use mindflow::ids::TaskId;
use mindflow::tasks::batch::{Action, Operation};
use mindflow::tasks::collections::GroupPatch;
use mindflow::tasks::edit::{Patch, TaskPatch};
use mindflow::tasks::filter::{Sort, TaskFilter};
use mindflow::tasks::ranking::RankQuestion;
use mindflow::tasks::{Ask, Status, Task, TaskError};

use crate::raw::Raw;
use crate::support::databases::{Db, TestDatabase, both_databases};
use crate::world::{World, a_task};

#[tokio::test]
async fn the_order_of_labels_is_not_the_servers_locale() {
    let world = World::on(TestDatabase::new(Db::Postgres).await).await;
    let ada = world.person("ada").await;
    let raw = Raw::open(&world.db).await;
    raw.run(r#"ALTER TABLE labels ALTER COLUMN name_key TYPE TEXT COLLATE "en-x-icu""#).await;
    let labels = Some(vec!["zoo".to_owned(), "äpfel".to_owned(), "a-b".to_owned(), "ab".to_owned(), "a c".to_owned()]);
    let patch = TaskPatch { labels, ..a_task("task") };

    let made = world.has(&ada, patch.clone()).await;
    let same = world.tasks.update(Ask::new(ada.clone()), made.id, patch).await.unwrap();

    assert_eq!(made.labels, ["a c", "a-b", "ab", "zoo", "äpfel"]);
    assert_eq!(same.value, made);
    assert!(same.undo_token.is_none());
}

/// A task with something odd in every field.
fn full(project: mindflow::ids::ProjectId, parent: TaskId) -> TaskPatch {
    TaskPatch {
        title: Some("𝔘nïcode 北京 😀👩‍👩‍👧 <b>'\"\\%_ e\u{301}".into()),
        description: Patch::Set("line\r\n\ttab\u{2028}שלום ".into()),
        status: Some(Status::Snoozed),
        priority: Some(5),
        due: Patch::Set(Due::At(parse_moment("9999-12-31T23:59:59.999999Z", Tz::UTC).unwrap())),
        effort_minutes: Patch::Set(525_600),
        preferred_time: Patch::Set(TimeOfDay::Evening),
        snoozed_until: Patch::Set(Timestamp::from_micros(4_000_000_000_000_001)),
        labels: Some(vec!["😀".into(), "b".into(), "Ärger".into(), "a b".into()]),
        project_id: Patch::Set(project),
        parent_id: Patch::Set(parent),
    }
}

async fn full_task(world: &World, ada: &mindflow::accounts::Caller) -> Task {
    let parent = world.has(ada, a_task("parent")).await;
    let name = GroupPatch { name: Some("Große Straße".into()), description: Patch::Set("d".into()) };
    let project = world.tasks.create_project(Ask::new(ada.clone()), name).await.unwrap().value;
    world.has(ada, full(project.id, parent.id)).await
}

both_databases! {
    async fn every_field_comes_back_as_it_was_given(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;

        let made = full_task(&world, &ada).await;
        let read = world.tasks.get_task(&ada, made.id).await.unwrap();

        assert_eq!(read, made);
        let patch = full(made.project_id.unwrap(), made.parent_id.unwrap());
        let wanted = Task::blank(made.id, made.created_at).edited(patch, made.created_at).unwrap();
        assert_eq!(read, wanted);
        assert_eq!(read.snoozed_until.map(Timestamp::as_micros), Some(4_000_000_000_000_001));
        assert_eq!(read.created_at.as_micros() % 1_000, 456);
    }

    async fn the_first_and_the_last_day_come_back_as_days(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person_in("ada", America::New_York).await;
        for day in ["1970-01-01", "2024-02-29", "2026-12-24", "9999-12-31"] {
            let due = parse_due(day, ada.zone).unwrap();

            let task = world.has(&ada, TaskPatch { due: Patch::Set(due), ..a_task(day) }).await;

            assert_eq!(world.tasks.get_task(&ada, task.id).await.unwrap().due.unwrap().to_string(), day);
        }
        let all = world.titles(&ada, TaskFilter::default(), Sort::DueDate).await;
        assert_eq!(all, ["1970-01-01", "2024-02-29", "2026-12-24", "9999-12-31"]);
    }

    async fn days_move_with_the_zone_and_moments_stay(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let day = parse_due("2026-12-24", Tz::UTC).unwrap();
        let noon = Due::At(parse_moment("2026-12-24T12:00:00Z", Tz::UTC).unwrap());
        let on_day = world.has(&ada, TaskPatch { due: Patch::Set(day), ..a_task("day") }).await;
        world.has(&ada, TaskPatch { due: Patch::Set(noon), ..a_task("noon") }).await;
        let before = world.titles(&ada, TaskFilter::default(), Sort::DueDate).await;

        // There the day ends when it has only begun in Greenwich.
        let (user, zone) = (ada.user_id, Pacific::Kiritimati);
        let moved = world.store.write(move |tx| Box::pin(async move { tx.move_due_days(user, zone).await }));
        moved.await.unwrap();

        let after = world.titles(&ada, TaskFilter::default(), Sort::DueDate).await;
        assert_eq!((before, after), (vec!["noon".to_owned(), "day".to_owned()], vec!["day".to_owned(), "noon".to_owned()]));
        let until = TaskFilter { due_before: Some(day.last_moment(zone)), ..TaskFilter::default() };
        assert_eq!(world.titles(&ada, until, Sort::DueDate).await, [""; 0]);
        assert_eq!(world.tasks.get_task(&ada, on_day.id).await.unwrap().due, Some(day));
    }

    async fn another_persons_things_do_not_exist(db: TestDatabase) {
        let world = World::on(db).await;
        let (ada, eve) = (world.person("ada").await, world.person("eve").await);
        let task = full_task(&world, &ada).await;
        let project = task.project_id.unwrap();
        let label = world.tasks.list_labels(&ada, None, 1).await.unwrap().items[0].id;
        let ask = || Ask::new(eve.clone());
        let group = || GroupPatch { name: Some("mine".into()), ..GroupPatch::default() };
        let later = Timestamp::from_micros(world.clock.now().as_micros() + 60_000_000);
        let before = Raw::open(&world.db).await.number("SELECT CAST(SUM(version) AS BIGINT) FROM tasks").await;

        let refused = [
            world.tasks.get_task(&eve, task.id).await.map(drop),
            world.tasks.update(ask(), task.id, a_task("mine")).await.map(drop),
            world.tasks.move_to(ask(), task.id, Status::Completed).await.map(drop),
            world.tasks.snooze(ask(), task.id, later).await.map(drop),
            world.tasks.delete(Ask::new(eve.clone()), task.id).await.map(drop),
            world.tasks.restore(ask(), task.id).await.map(drop),
            world.tasks.explain(&eve, task.id, &RankQuestion::default(), None).await.map(drop),
            world.tasks.get_project(&eve, project).await.map(drop),
            world.tasks.update_project(Ask::new(eve.clone()), project, group()).await.map(drop),
            world.tasks.delete_project(Ask::new(eve.clone()), project).await.map(drop),
            world.tasks.get_label(&eve, label).await.map(drop),
            world.tasks.update_label(Ask::new(eve.clone()), label, group()).await.map(drop),
            world.tasks.delete_label(Ask::new(eve.clone()), label).await.map(drop),
        ];
        let deleting = Operation::from(Action::Delete(task.id));
        let batch = world.tasks.batch(Ask::new(eve.clone()), vec![deleting]).await;
        let as_parent = TaskPatch { parent_id: Patch::Set(task.id), ..a_task("below") };
        let as_project = TaskPatch { project_id: Patch::Set(project), ..a_task("within") };

        for (number, outcome) in refused.into_iter().enumerate() {
            assert!(matches!(outcome, Err(TaskError::NotFound(_))), "{number}: {outcome:?}");
        }
        let Err(TaskError::Operation { source, .. }) = batch else { panic!("{batch:?}") };
        assert!(matches!(*source, TaskError::NotFound(_)));
        assert!(matches!(world.tasks.create(ask(), as_parent).await, Err(TaskError::Invalid(_))));
        assert!(matches!(world.tasks.create(ask(), as_project).await, Err(TaskError::Invalid(_))));
        for filter in [
            TaskFilter::default(),
            TaskFilter { project_id: Some(project), ..TaskFilter::default() },
            TaskFilter { parent_id: task.parent_id, ..TaskFilter::default() },
            TaskFilter { label: Some("b".into()), ..TaskFilter::default() },
        ] {
            assert_eq!(world.titles(&eve, filter, Sort::CreatedAt).await, [""; 0]);
        }
        let ranked = world.tasks.rank(&eve, &RankQuestion::default()).await.unwrap();
        assert!(ranked.entries().is_empty());
        assert_eq!(world.tasks.list_labels(&eve, None, 50).await.unwrap().total, 0);
        assert_eq!(world.tasks.list_projects(&eve, None, 50).await.unwrap().total, 0);
        assert_eq!(Raw::open(&world.db).await.number("SELECT CAST(SUM(version) AS BIGINT) FROM tasks").await, before);
    }

    async fn two_people_may_use_the_same_names(db: TestDatabase) {
        let world = World::on(db).await;
        let (ada, eve) = (world.person("ada").await, world.person("eve").await);

        full_task(&world, &ada).await;
        full_task(&world, &eve).await;

        assert_eq!(world.tasks.list_labels(&eve, None, 50).await.unwrap().total, 4);
    }

    async fn nothing_of_a_person_is_left_when_they_go(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        full_task(&world, &ada).await;
        let user = ada.user_id;

        world.store.write(move |tx| Box::pin(async move { tx.delete_user(user).await })).await.unwrap();

        let raw = Raw::open(&world.db).await;
        for table in ["users", "tasks", "labels", "task_labels", "projects", "undo_tokens", "audit_log"] {
            assert_eq!(raw.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
        let late = world.tasks.create(Ask::new(ada), a_task("too late")).await;
        assert!(matches!(late, Err(TaskError::AccountGone)), "{late:?}");
    }

    async fn every_change_leaves_a_row_in_the_audit_log(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let task = world.has(&ada, a_task("task")).await;
        world.tasks.update(Ask::new(ada.clone()), task.id, a_task("other")).await.unwrap();
        world.tasks.update(Ask::new(ada.clone()), task.id, a_task("other")).await.unwrap();
        world.tasks.update(Ask::new(ada.clone()), task.id, a_task(" ")).await.unwrap_err();
        world.tasks.delete(Ask::new(ada.clone()), task.id).await.unwrap();

        let slice = mindflow::store::audit::Slice { before: None, limit: 50 };
        let rows = world.store.list_audit(ada.user_id, slice).await.unwrap();

        let mut actions: Vec<_> = rows.iter().map(|row| row.action.as_str()).collect();
        actions.sort_unstable();
        assert_eq!(actions, ["task.created", "task.deleted", "task.updated"]);
        assert!(rows.iter().all(|row| row.entity_id == Some(task.id.0) && row.request_id.as_deref() == Some("r-1")));
        assert!(rows.iter().all(|row| !row.details.as_deref().unwrap_or_default().contains("other")));
    }

    async fn columns_that_a_newer_program_adds_disturb_nobody(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let task = full_task(&world, &ada).await;
        let slice = mindflow::store::audit::Slice { before: None, limit: 50 };
        let raw = Raw::open(&world.db).await;

        // Before and after: what was prepared before must go on.
        for round in 0..2 {
            world.tasks.get_task(&ada, task.id).await.unwrap();
            world.tasks.list_labels(&ada, None, 50).await.unwrap();
            world.tasks.list_projects(&ada, None, 50).await.unwrap();
            world.store.find_user(ada.user_id).await.unwrap().unwrap();
            world.store.find_user_by_email("ada@example.org").await.unwrap().unwrap();
            world.store.list_users().await.unwrap();
            world.store.list_sessions(ada.user_id, world.clock.now(), slice).await.unwrap();
            world.store.list_tokens(ada.user_id, slice).await.unwrap();
            world.store.list_audit(ada.user_id, slice).await.unwrap();
            let user = ada.user_id;
            world.store.write(move |tx| Box::pin(async move { tx.lock_user(user).await })).await.unwrap().unwrap();
            if round == 0 {
                for table in ["users", "sessions", "personal_tokens", "audit_log", "projects", "labels", "tasks"] {
                    raw.run(&format!("ALTER TABLE {table} ADD COLUMN later TEXT")).await;
                }
            }
        }
    }
}
