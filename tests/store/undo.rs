//! Deleting, undoing, and what stands in the way.

use std::time::Duration;

use mindflow::tasks::batch::{Action, Operation};
use mindflow::tasks::collections::GroupPatch;
use mindflow::tasks::edit::{Patch, TaskPatch};
use mindflow::tasks::filter::{Sort, TaskFilter};
use mindflow::tasks::{Ask, Changed, Status, TaskError};

use crate::support::databases::{TestDatabase, both_databases};
use crate::world::{World, a_task};

fn named(name: &str) -> GroupPatch {
    GroupPatch { name: Some(name.to_owned()), ..GroupPatch::default() }
}

fn labelled(title: &str, labels: &[&str]) -> TaskPatch {
    TaskPatch { labels: Some(labels.iter().map(|&label| label.to_owned()).collect()), ..a_task(title) }
}

fn token<T>(changed: Changed<T>) -> String {
    changed.undo_token.unwrap()
}

both_databases! {
    async fn undoing_an_update_brings_every_field_back_and_can_be_undone(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let ask = || Ask::new(ada.clone());
        let before = world.has(&ada, labelled("before", &["Home", "garden"])).await;
        world.clock.advance(Duration::from_secs(5));

        let changed = world.tasks.update(ask(), before.id, labelled("after", &["work"])).await.unwrap();
        let undone = world.tasks.undo(Ask::new(ada.clone()), token(changed.clone())).await.unwrap();
        let restored = world.tasks.get_task(&ada, before.id).await.unwrap();
        let redone = world.tasks.undo(Ask::new(ada.clone()), token(undone.clone())).await.unwrap();

        assert_eq!(undone.value.action, "task.updated");
        assert_eq!(undone.value.tasks, std::slice::from_ref(&restored));
        let expected = mindflow::tasks::Task { version: 3, updated_at: restored.updated_at, ..before };
        assert_eq!(restored, expected);
        assert_eq!(redone.value.tasks[0].title, "after");
        assert_eq!(redone.value.tasks[0].labels, ["work"]);
    }

    async fn a_token_is_good_once_for_a_day_and_for_its_owner(db: TestDatabase) {
        let world = World::on(db).await;
        let (ada, eve) = (world.person("ada").await, world.person("eve").await);
        let task = world.has(&ada, a_task("task")).await;
        let done = token(world.tasks.move_to(Ask::new(ada.clone()), task.id, Status::Completed).await.unwrap());
        let undo = |who: &mindflow::accounts::Caller, token: &str| world.tasks.undo(Ask::new(who.clone()), token.to_owned());

        let stolen = undo(&eve, &done).await;
        let made_up = undo(&ada, "no such token").await;
        let first = undo(&ada, &done).await;
        let second = undo(&ada, &done).await;
        let late = token(world.tasks.move_to(Ask::new(ada.clone()), task.id, Status::Completed).await.unwrap());
        world.clock.advance(Duration::from_hours(24));
        world.forget().await;
        let too_late = undo(&ada, &late).await;
        world.clock.advance(Duration::from_hours(24));
        world.forget().await;
        let forgotten = undo(&ada, &late).await;

        assert!(matches!(stolen, Err(TaskError::NotFound(_))), "{stolen:?}");
        assert!(matches!(made_up, Err(TaskError::NotFound(_))), "{made_up:?}");
        first.unwrap();
        assert!(matches!(second, Err(TaskError::UndoSpent(_))), "{second:?}");
        assert!(matches!(too_late, Err(TaskError::UndoSpent(_))), "{too_late:?}");
        assert!(matches!(forgotten, Err(TaskError::NotFound(_))), "{forgotten:?}");
    }

    async fn two_undoes_at_once_take_the_change_back_once(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let other = world.another_server().await;
        let task = world.has(&ada, a_task("task")).await;
        let token = token(world.tasks.delete(Ask::new(ada.clone()), task.id).await.unwrap());

        let (one, two) = tokio::join!(
            world.tasks.undo(Ask::new(ada.clone()), token.clone()),
            other.undo(Ask::new(ada.clone()), token),
        );

        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        assert_eq!(world.tasks.get_task(&ada, task.id).await.unwrap().version, 3);
    }

    async fn what_was_changed_since_is_not_overwritten(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let task = world.has(&ada, a_task("task")).await;
        let token = token(world.tasks.update(Ask::new(ada.clone()), task.id, a_task("first")).await.unwrap());
        world.tasks.update(Ask::new(ada.clone()), task.id, a_task("second")).await.unwrap();

        let overtaken = world.tasks.undo(Ask::new(ada.clone()), token.clone()).await;
        let again = world.tasks.undo(Ask::new(ada.clone()), token).await;

        assert!(matches!(overtaken, Err(TaskError::UndoOvertaken(_))), "{overtaken:?}");
        assert!(matches!(again, Err(TaskError::UndoOvertaken(_))), "{again:?}");
        assert_eq!(world.tasks.get_task(&ada, task.id).await.unwrap().title, "second");
    }

    async fn a_task_goes_and_comes_back_with_all_of_its_parts(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let below = |parent| TaskPatch { parent_id: Patch::Set(parent), ..TaskPatch::default() };
        let top = world.has(&ada, a_task("1 top")).await;
        let middle = world.has(&ada, TaskPatch { title: Some("2 middle".into()), ..below(top.id) }).await;
        world.has(&ada, TaskPatch { title: Some("3 bottom".into()), ..below(middle.id) }).await;
        let gone = world.has(&ada, TaskPatch { title: Some("4 gone before".into()), ..below(top.id) }).await;
        world.has(&ada, a_task("5 beside")).await;
        world.tasks.delete(Ask::new(ada.clone()), gone.id).await.unwrap();

        let deleted = world.tasks.delete(Ask::new(ada.clone()), top.id).await.unwrap();
        let left = world.titles(&ada, TaskFilter::default(), Sort::CreatedAt).await;
        let undone = world.tasks.undo(Ask::new(ada.clone()), token(deleted)).await.unwrap();

        assert_eq!(left, ["5 beside"]);
        assert_eq!(undone.value.tasks.len(), 3);
        let back = world.titles(&ada, TaskFilter::default(), Sort::CreatedAt).await;
        assert_eq!(back, ["1 top", "2 middle", "3 bottom", "5 beside"]);
        let parts = TaskFilter { parent_id: Some(top.id), ..TaskFilter::default() };
        assert_eq!(world.titles(&ada, parts, Sort::CreatedAt).await, ["2 middle"]);
    }

    async fn a_project_goes_without_its_tasks_and_comes_back_to_them(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let project = world.tasks.create_project(Ask::new(ada.clone()), named("House")).await.unwrap().value;
        let within = TaskPatch { project_id: Patch::Set(project.id), ..a_task("paint") };
        let task = world.has(&ada, within).await;
        let taken = world.tasks.create_project(Ask::new(ada.clone()), named("HOUSE")).await;

        let deleted = world.tasks.delete_project(Ask::new(ada.clone()), project.id).await.unwrap();
        let alone = world.tasks.get_task(&ada, task.id).await.unwrap();
        let undone = world.tasks.undo(Ask::new(ada.clone()), token(deleted)).await.unwrap();

        assert!(matches!(taken, Err(TaskError::NameTaken("project"))), "{taken:?}");
        assert_eq!((alone.project_id, alone.version), (None, 2));
        assert_eq!(world.tasks.get_task(&ada, task.id).await.unwrap().project_id, Some(project.id));
        assert_eq!(world.tasks.get_project(&ada, project.id).await.unwrap().name, "House");
        world.tasks.undo(Ask::new(ada.clone()), token(undone)).await.unwrap();
        assert!(matches!(world.tasks.get_project(&ada, project.id).await, Err(TaskError::NotFound(_))));
    }

    async fn a_label_goes_from_its_tasks_and_comes_back_to_them(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let task = world.has(&ada, labelled("paint", &["Home", "zoo", "äpfel"])).await;
        let plain = world.has(&ada, a_task("plain")).await;
        let label = world.tasks.list_labels(&ada, None, 50).await.unwrap().items.into_iter()
            .find(|label| label.name == "Home").unwrap();

        let deleted = world.tasks.delete_label(Ask::new(ada.clone()), label.id).await.unwrap();
        let without = world.tasks.get_task(&ada, task.id).await.unwrap();
        world.tasks.undo(Ask::new(ada.clone()), token(deleted)).await.unwrap();

        assert_eq!((without.labels, without.version), (vec!["zoo".to_owned(), "äpfel".to_owned()], 2));
        assert_eq!(world.tasks.get_task(&ada, task.id).await.unwrap().labels, ["Home", "zoo", "äpfel"]);
        assert_eq!(world.tasks.get_task(&ada, plain.id).await.unwrap(), plain);
    }

    async fn a_label_keeps_the_case_in_which_it_was_first_written(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        world.has(&ada, labelled("first", &["Home"])).await;

        let second = world.has(&ada, labelled("second", &["HOME", "home", " hOME "])).await;
        let found = TaskFilter { label: Some("hoMe".into()), ..TaskFilter::default() };

        assert_eq!(second.labels, ["Home"]);
        assert_eq!(world.titles(&ada, found, Sort::CreatedAt).await, ["first", "second"]);
        let label = &world.tasks.list_labels(&ada, None, 50).await.unwrap().items[0];
        world.tasks.update_label(Ask::new(ada.clone()), label.id, named("Haus")).await.unwrap();
        assert_eq!(world.tasks.get_task(&ada, second.id).await.unwrap().labels, ["Haus"]);
    }

    async fn a_batch_is_all_or_nothing_and_undone_as_one(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let task = world.has(&ada, a_task("task")).await;
        let lost = mindflow::ids::TaskId::new(world.clock.now());
        let operation = Operation::from;
        let good = || vec![
            operation(Action::Create(a_task("made"))),
            operation(Action::Update(task.id, a_task("renamed"))),
            operation(Action::Move(task.id, Status::Completed)),
        ];
        let bad = [good(), vec![operation(Action::Delete(lost))]].concat();

        let refused = world.tasks.batch(Ask::new(ada.clone()), bad).await;
        let untouched = world.titles(&ada, TaskFilter::default(), Sort::CreatedAt).await;
        let done = world.tasks.batch(Ask::new(ada.clone()), good()).await.unwrap();
        let changed = world.titles(&ada, TaskFilter::default(), Sort::CreatedAt).await;
        world.tasks.undo(Ask::new(ada.clone()), token(done)).await.unwrap();

        assert!(matches!(refused, Err(TaskError::Operation { index: 3, .. })), "{refused:?}");
        assert_eq!(untouched, ["task"]);
        assert_eq!(changed, ["renamed", "made"]);
        let again = world.tasks.get_task(&ada, task.id).await.unwrap();
        assert_eq!((again.title.as_str(), again.status, again.completed_at), ("task", Status::Pending, None));
        assert_eq!(world.titles(&ada, TaskFilter::default(), Sort::CreatedAt).await, ["task"]);
    }
}
