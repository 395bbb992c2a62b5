//! Changes at the same time, and requests that come twice.

use std::sync::Arc;

use futures_util::future::join_all;
use mindflow::accounts::Caller;
use mindflow::tasks::change::Condition;
use mindflow::tasks::edit::{Patch, TaskPatch};
use mindflow::tasks::filter::TaskFilter;
use mindflow::tasks::receipts::{Answer, RetryKey};
use mindflow::tasks::{Ask, Retry, Status, Task, TaskError};

use crate::support::databases::{TestDatabase, both_databases};
use crate::world::{World, a_task};

fn answer(outcome: Result<&mindflow::tasks::Changed<Task>, &TaskError>) -> Answer {
    match outcome {
        Ok(changed) => Answer { status: 201, headers: Vec::new(), body: changed.value.id.to_string() },
        Err(error) => Answer { status: 404, headers: vec![("x".into(), "y".into())], body: error.to_string() },
    }
}

fn once(caller: &Caller, key: &str, fingerprint: u8) -> Ask<Task> {
    let key = RetryKey { key: key.to_owned(), fingerprint: [fingerprint; 32] };
    Ask { retry: Some(Retry { key, render: Arc::new(answer) }), ..Ask::new(caller.clone()) }
}

fn with_priority(priority: u8) -> TaskPatch {
    TaskPatch { priority: Some(priority), ..TaskPatch::default() }
}

fn part_of(parent: &Task) -> TaskPatch {
    TaskPatch { parent_id: Patch::Set(parent.id), ..TaskPatch::default() }
}

both_databases! {
    async fn fifty_requests_with_one_key_make_one_task(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let servers = [world.tasks.clone(), world.another_server().await];

        let requests = (0..50).map(|number| {
            let (server, ada) = (servers[number % 2].clone(), ada.clone());
            tokio::spawn(async move {
                loop {
                    match server.create(once(&ada, "key", 1), a_task("once")).await {
                        // As a client does after `Retry-After`.
                        Err(TaskError::KeyRunning) => tokio::task::yield_now().await,
                        Err(TaskError::Replayed(answer)) => return answer.body,
                        made => return made.unwrap().value.id.to_string(),
                    }
                }
            })
        });
        let answers: Vec<String> = join_all(requests).await.into_iter().map(Result::unwrap).collect();

        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(world.store.count_tasks(ada.user_id, &TaskFilter::default()).await.unwrap(), 1);
    }

    async fn a_key_belongs_to_one_request_of_one_person_for_a_day(db: TestDatabase) {
        let world = World::on(db).await;
        let (ada, eve) = (world.person("ada").await, world.person("eve").await);
        world.tasks.create(once(&ada, "key", 1), a_task("first")).await.unwrap();

        let other_body = world.tasks.create(once(&ada, "key", 2), a_task("second")).await;
        let other_person = world.tasks.create(once(&eve, "key", 2), a_task("mine")).await;
        world.clock.advance(std::time::Duration::from_hours(24));
        let a_day_later = world.tasks.create(once(&ada, "key", 2), a_task("third")).await;

        assert!(matches!(other_body, Err(TaskError::KeyReused)), "{other_body:?}");
        other_person.unwrap();
        a_day_later.unwrap();
    }

    async fn a_refusal_that_was_an_answer_is_given_again(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let task = world.has(&ada, a_task("gone")).await;
        world.tasks.delete(Ask::new(ada.clone()), task.id).await.unwrap();

        let first = world.tasks.update(once(&ada, "key", 1), task.id, with_priority(5)).await;
        world.tasks.restore(Ask::new(ada.clone()), task.id).await.unwrap();
        let again = world.tasks.update(once(&ada, "key", 1), task.id, with_priority(5)).await;

        let first = first.unwrap_err();
        let Err(TaskError::Replayed(replayed)) = again else { panic!("{again:?}") };
        assert_eq!(*replayed, answer(Err(&first)));
    }

    async fn refused_input_is_not_kept(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;

        let refused = world.tasks.create(once(&ada, "key", 1), TaskPatch::default()).await;
        let mended = world.tasks.create(once(&ada, "key", 2), a_task("mended")).await;

        assert!(matches!(refused, Err(TaskError::Invalid(_))), "{refused:?}");
        mended.unwrap();
    }

    async fn of_two_updates_at_once_both_count_and_with_a_condition_one(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let task = world.has(&ada, a_task("wanted by two")).await;
        let other = world.another_server().await;
        let title = || TaskPatch { title: Some("renamed".into()), ..TaskPatch::default() };
        let knowing = |version| Ask { conditions: vec![Condition::OneOf(vec![version])], ..Ask::new(ada.clone()) };

        let (one, two) = tokio::join!(
            world.tasks.update(Ask::new(ada.clone()), task.id, with_priority(5)),
            other.update(Ask::new(ada.clone()), task.id, title()),
        );
        let both = world.tasks.get_task(&ada, task.id).await.unwrap();
        let (three, four) = tokio::join!(
            world.tasks.update(knowing(both.version), task.id, with_priority(1)),
            other.update(knowing(both.version), task.id, with_priority(2)),
        );

        one.unwrap();
        two.unwrap();
        assert_eq!((both.priority, both.title.as_str(), both.version), (5, "renamed", 3));
        let lost = [three, four].into_iter().filter_map(Result::err).collect::<Vec<_>>();
        assert!(matches!(lost[..], [TaskError::Changed { current: 4, .. }]), "{lost:?}");
    }

    async fn a_task_never_becomes_a_part_of_itself(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let other = world.another_server().await;
        for round in 0..10 {
            let top = world.has(&ada, a_task("top")).await;
            let middle = world.has(&ada, TaskPatch { parent_id: Patch::Set(top.id), ..a_task("middle") }).await;
            let lone = world.has(&ada, a_task("lone")).await;

            let itself = world.tasks.update(Ask::new(ada.clone()), top.id, part_of(&top)).await;
            let below = world.tasks.update(Ask::new(ada.clone()), top.id, part_of(&middle)).await;
            let (one, two) = tokio::join!(
                world.tasks.update(Ask::new(ada.clone()), top.id, part_of(&lone)),
                other.update(Ask::new(ada.clone()), lone.id, part_of(&middle)),
            );

            assert!(matches!(itself, Err(TaskError::Invalid(_))), "{itself:?}");
            assert!(matches!(below, Err(TaskError::Invalid(_))), "{below:?}");
            assert!(one.is_ok() != two.is_ok(), "{round}: {one:?} {two:?}");
        }
    }

    async fn many_people_write_at_once(db: TestDatabase) {
        let world = World::on(db).await;
        let mut people = Vec::new();
        for number in 0..8 {
            people.push(world.person(&format!("p{number}")).await);
        }

        let writing = (0..160).map(|number| {
            let (tasks, caller) = (world.tasks.clone(), people[number % 8].clone());
            tokio::spawn(async move {
                let labels = Some(vec!["home".to_owned(), format!("l{}", number % 3)]);
                let made = tasks.create(Ask::new(caller.clone()), TaskPatch { labels, ..a_task("busy") }).await.unwrap();
                tasks.move_to(Ask::new(caller), made.value.id, Status::Completed).await.unwrap()
            })
        });
        join_all(writing).await.into_iter().for_each(|done| assert_eq!(done.unwrap().value.labels.len(), 2));

        for person in &people {
            assert_eq!(world.store.count_tasks(person.user_id, &TaskFilter::default()).await.unwrap(), 20);
            // Twenty tasks, each made and completed, and four labels that came with them.
            assert_eq!(world.again(person).await.data_version, 44);
        }
    }
}
