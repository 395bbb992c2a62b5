//! A backup of a server that is written to meanwhile is of one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use mindflow::backup::crypt::Unlock;
use mindflow::backup::restore::Force;
use serde_json::{Value, json};

use crate::support::app::{Actor, TestApp};
use crate::support::databases::{Db, TestDatabase, both_databases};
use crate::world::{Shelf, inspect, restore, rows};

const PEOPLE: [&str; 4] = ["ada", "bob", "eve", "joe"];

/// The values of a row.
fn values(line: &str) -> Vec<Value> {
    serde_json::from_str(line).unwrap()
}

/// By person: how often their data changed, and the titles of their tasks.
fn people(rows: &BTreeMap<&'static str, Vec<String>>) -> BTreeMap<String, (i64, BTreeSet<String>)> {
    let mut people = BTreeMap::new();
    for user in rows["users"].iter().map(|line| values(line)) {
        let titles = rows["tasks"].iter().map(|line| values(line)).filter(|task| task[1] == user[0]);
        let titles = titles.map(|task| task[4].as_str().unwrap().to_owned()).collect();
        people.insert(user[1].as_str().unwrap().to_owned(), (user[10].as_i64().unwrap(), titles));
    }
    people
}

/// Who was told that which tasks are kept.
type Ledger = Mutex<BTreeMap<&'static str, Vec<String>>>;

async fn write_tasks(name: &'static str, actor: Actor<'_>, stop: &AtomicBool, ledger: &Ledger) {
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        let title = format!("{name} {number}");
        actor.create_task(json!({ "title": title, "labels": ["busy"] })).await.is(201);
        ledger.lock().unwrap().entry(name).or_default().push(title);
        number += 1;
    }
}

both_databases! {
    async fn a_backup_under_load_is_of_one_moment(db: TestDatabase) {
        let app = TestApp::on(db.kind).await;
        let shelf = Shelf::new();
        let mut actors = Vec::new();
        for name in PEOPLE {
            actors.push((name, app.user(name).await));
        }
        let stop = AtomicBool::new(false);
        let ledger = Ledger::default();
        let acknowledged = |name: &str| ledger.lock().unwrap().get(name).cloned().unwrap_or_default();
        let backing = async {
            let mut kept = Vec::new();
            for _ in 0..5 {
                while PEOPLE.iter().any(|name| acknowledged(name).len() < 10 * (kept.len() + 1)) {
                    tokio::task::yield_now().await;
                }
                let before: BTreeMap<_, _> = PEOPLE.iter().map(|name| (*name, acknowledged(name))).collect();
                let archive = shelf.keep(&app.app.store).await;
                let after: BTreeMap<_, _> = PEOPLE.iter().map(|name| (*name, acknowledged(name).len())).collect();
                kept.push((before, archive, after));
            }
            stop.store(true, Ordering::SeqCst);
            kept
        };
        let mut writers = actors.into_iter().map(|(name, actor)| write_tasks(name, actor, &stop, &ledger));
        let (one, two, three, four) =
            (writers.next().unwrap(), writers.next().unwrap(), writers.next().unwrap(), writers.next().unwrap());

        let (kept, ..) = tokio::join!(backing, one, two, three, four);

        for (before, archive, after) in kept {
            inspect(&archive, Unlock::Nothing).await.unwrap();
            let target = TestDatabase::new(Db::Sqlite).await;
            let store = target.connect().await;
            restore(&archive, &store, Force::Never).await.unwrap();
            for (email, (version, titles)) in people(&rows(&store).await) {
                let name = email.split('@').next().unwrap();
                // Each task was one change, and the first brought its label as another: that both counts agree is what makes
                // it one moment.
                assert_eq!(usize::try_from(version).unwrap(), titles.len() + 1, "{name}");
                assert!(before[name].iter().all(|title| titles.contains(title)), "{name} lost an acknowledged task");
                // One more may have been on its way.
                assert!(titles.len() <= after[name] + 1, "{name}: {} of {}", titles.len(), after[name]);
            }
        }
    }
}
