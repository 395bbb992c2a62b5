//! Pages stay right while rows come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use mindflow::calendar::Due;
use mindflow::clock::Timestamp;
use mindflow::ids::TaskId;
use mindflow::tasks::edit::{Patch, TaskPatch};
use mindflow::tasks::filter::{Sort, TaskFilter};
use mindflow::tasks::lists::ListTasks;
use mindflow::tasks::search::SearchTerms;
use mindflow::tasks::{Ask, Task};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use crate::support::databases::{TestDatabase, both_databases};
use crate::world::{START, World, a_task};

const SORTS: [Sort; 9] = [
    Sort::CreatedAt,
    Sort::CreatedAtDesc,
    Sort::DueDate,
    Sort::DueDateDesc,
    Sort::Priority,
    Sort::PriorityDesc,
    Sort::Relevance,
    Sort::Score,
    Sort::ScoreDesc,
];

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Event {
    Add(TaskPatch),
    Delete(prop::sample::Index),
}

fn patches() -> impl Strategy<Value = TaskPatch> {
    (1..=5_u8, prop::option::of(0..5_i64), prop::bool::ANY).prop_map(|(priority, due, in_title)| {
        let due = due.map(|hours| Due::At(Timestamp::from_micros(START.as_micros() + hours * 3_600_000_000)));
        TaskPatch {
            priority: Some(priority),
            due: due.map_or(Patch::Keep, Patch::Set),
            description: Patch::Set("word".to_owned()),
            ..a_task(if in_title { "word" } else { "title" })
        }
    })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![patches().prop_map(Event::Add), any::<prop::sample::Index>().prop_map(Event::Delete)];
    prop::collection::vec(event, 0..4)
}

/// The rows of all pages, read while the events happen, one handful between two pages.
async fn read_through(world: &World, sort: Sort, limit: u32, between: &[Vec<Event>]) {
    let name = format!("{sort:?}{limit}{}", world.store.list_users().await.unwrap().len());
    let ada = world.person(&name).await;
    for number in 0..12_u8 {
        let due = Due::At(Timestamp::from_micros(START.as_micros() + i64::from(number % 4) * 3_600_000_000));
        let due = if number % 3 == 0 { Patch::Keep } else { Patch::Set(due) };
        let patch = TaskPatch { priority: Some(1 + number % 3), due, ..a_task("word") };
        // Two of a kind at the same moment: their ids decide.
        if number % 2 == 0 {
            world.clock.advance(Duration::from_millis(1));
        }
        world.tasks.create(Ask::new(ada.clone()), patch).await.unwrap();
    }
    let filter = TaskFilter { search: Some(SearchTerms::parse("word")), ..TaskFilter::default() };
    let everything = ListTasks { filter: filter.clone(), sort: Sort::CreatedAt, cursor: None, limit: 1000 };
    let before = world.tasks.list(&ada, &everything).await.unwrap().items;
    let mut deleted = BTreeSet::new();
    let mut shown: Vec<Task> = Vec::new();
    let mut cursor = None;
    let mut handfuls = between.iter();
    loop {
        let list = ListTasks { filter: filter.clone(), sort, cursor: cursor.take(), limit };
        let caller = world.again(&ada).await;
        let page = if matches!(sort, Sort::Score | Sort::ScoreDesc) {
            world.tasks.list_by_score(&caller, &list, None).await.unwrap().map(|(task, _)| task)
        } else {
            world.tasks.list(&caller, &list).await.unwrap()
        };
        assert!(page.items.len() <= limit as usize);
        shown.extend(page.items);
        for event in handfuls.next().into_iter().flatten() {
            match event {
                Event::Add(patch) => drop(world.has(&ada, patch.clone()).await),
                Event::Delete(index) => {
                    let task = index.get(&before).id;
                    if deleted.insert(task) {
                        world.tasks.delete(Ask::new(ada.clone()), task).await.unwrap();
                    }
                }
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let ids: BTreeSet<TaskId> = shown.iter().map(|task| task.id).collect();
    assert_eq!(ids.len(), shown.len(), "{sort:?}: a row was shown twice");
    for task in before.iter().filter(|task| !deleted.contains(&task.id)) {
        assert!(ids.contains(&task.id), "{sort:?}: a row was left out");
    }
    assert!(is_sorted(&shown, sort), "{sort:?}: {shown:#?}");
}

fn is_sorted(tasks: &[Task], sort: Sort) -> bool {
    let due = |task: &Task| task.due.map(|due| due.last_moment(chrono_tz::Tz::UTC));
    let (first, last) = (Timestamp::MIN, Timestamp::MAX);
    tasks.windows(2).all(|pair| {
        let (a, b) = (&pair[0], &pair[1]);
        match sort {
            Sort::CreatedAt => (a.created_at, a.id) < (b.created_at, b.id),
            Sort::CreatedAtDesc => (a.created_at, a.id) > (b.created_at, b.id),
            Sort::DueDate => due(a).unwrap_or(last) <= due(b).unwrap_or(last),
            Sort::DueDateDesc => due(a).unwrap_or(first) >= due(b).unwrap_or(first),
            Sort::Priority => a.priority <= b.priority,
            Sort::PriorityDesc => a.priority >= b.priority,
            Sort::Relevance => (a.title == "word", a.created_at) >= (b.title == "word", b.created_at),
            Sort::Score | Sort::ScoreDesc => true,
        }
    })
}

both_databases! {
    async fn pages_stay_right_while_rows_are_added_and_deleted(db: TestDatabase) {
        let world = World::on(db).await;
        let mut runner = TestRunner::new_with_rng(Config::default(), prop::test_runner::TestRng::deterministic_rng(
            prop::test_runner::RngAlgorithm::ChaCha,
        ));
        let cases = (1..5_u32, prop::collection::vec(events(), 0..6));

        for sort in SORTS {
            for _ in 0..3 {
                let (limit, between) = cases.new_tree(&mut runner).unwrap().current();
                read_through(&world, sort, limit, &between).await;
            }
        }
    }
}
