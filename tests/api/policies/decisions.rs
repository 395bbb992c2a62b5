//! What people were recommended, what became of it, and what another version would have recommended.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::shell::{json as shell_json, policy as shell};
use super::{BOTH, activates, by_priority, proposes};
use crate::support::app::{Actor, TestApp, a_task, hours, minutes};
use crate::support::databases::Db;

const DECISIONS: &str = "/api/policies/default/decisions";

/// A server that keeps every recommendation.
async fn keeping(db: Db) -> TestApp {
    TestApp::start(db, |config| config.policies.decisions_sample = 1.0).await
}

async fn decisions(who: &Actor<'_>, query: &str) -> Vec<Value> {
    let list = who.get(&format!("{DECISIONS}?{query}")).await.good();
    list["items"].as_array().unwrap().clone()
}

async fn outcomes_of(who: &Actor<'_>) -> Vec<String> {
    let all = decisions(who, "").await;
    all.iter().map(|one| one["outcome"].as_str().unwrap().to_owned()).collect()
}

async fn best(who: &Actor<'_>) -> String {
    who.get_best_task("").await.good()["task"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recommendation_is_kept_with_facts_and_without_words() {
    for db in BOTH {
        let app = keeping(db).await;
        let (eve, bob) = (app.admin("eve").await, app.user("bob").await);
        let ada = app.user_in("ada", "Europe/Vienna").await;
        let secret = a_task("Visit the clinic").description("About the leg").priority(5).label("Illness");
        let first = ada.has(secret.due("2026-03-24").minutes(15)).await;
        let second = ada.has(a_task("Something else").priority(1)).await;

        assert_eq!(best(&ada).await, first.to_string());
        let own = decisions(&ada, "").await;

        assert_eq!(own.len(), 1, "{own:?}");
        let (one, task) = (&own[0], &own[0]["tasks"][0]);
        assert_eq!((&one["policy"], &one["user_id"]), (&json!("default"), &json!(ada.id())));
        assert_eq!((&one["at"], &one["time_zone"]), (&json!("2026-03-23T12:00:00Z"), &json!("Europe/Vienna")));
        assert_eq!((&one["outcome"], &one["ranked_tasks"]), (&json!("open"), &json!(2)));
        assert_eq!((&task["task_id"], &one["tasks"][1]["task_id"]), (&json!(first), &json!(second)));
        assert_eq!((&task["priority"], &task["due_date"]), (&json!(5), &json!("2026-03-24")));
        assert_eq!(task["score"], ada.get_best_task("").await.good()["score"]);
        let label = task["labels"][0].as_str().unwrap();
        assert!(label.starts_with('#') && label.len() == 17, "{label}");
        let said = format!("{own:?}").to_lowercase();
        assert!(!["clinic", "illness", "leg", "something"].iter().any(|word| said.contains(word)), "{said}");

        assert_eq!(decisions(&eve, "").await, own, "operators see everybody's");
        assert!(decisions(&bob, "").await.is_empty(), "others see their own");
        app.anonymous().get(DECISIONS).await.is(401);
        let version = one["version"].as_str().unwrap();
        assert_eq!(decisions(&ada, &format!("version={version}&outcome=open")).await.len(), 1);
        assert!(decisions(&ada, "version=0123456789ab").await.is_empty());

        let export = ada.get("/api/export").await.good();
        assert_eq!(export["decisions"], json!(own));
        bob.post("/api/import", &export).await.good();
        assert!(decisions(&bob, "").await.is_empty());
        ada.send(Method::DELETE, "/api/auth/me", Some(&json!({ "password": crate::support::app::PASSWORD })), &[])
            .await
            .is(204);
        assert!(decisions(&eve, "").await.is_empty(), "who goes takes them along");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_a_recommendation_is_noted() {
    for db in BOTH {
        let app = keeping(db).await;
        let (eve, ada) = (app.admin("eve").await, app.user("ada").await);
        let tasks = [5, 4, 3, 2, 1].map(|priority| a_task(&format!("Task {priority}")).priority(priority));
        let mut ids = Vec::new();
        for task in tasks {
            ids.push(ada.has(task).await);
        }

        best(&ada).await;
        app.advance(minutes(30));
        ada.complete_task(ids[0]).await.good();
        assert_eq!(outcomes_of(&ada).await, ["done"]);

        best(&ada).await;
        app.advance(minutes(30));
        ada.snooze_task(ids[1], json!({ "minutes": 6000 })).await.good();
        assert_eq!(outcomes_of(&ada).await, ["snoozed", "done"]);

        best(&ada).await;
        app.advance(minutes(30));
        ada.complete_task(ids[4]).await.good();
        app.advance(minutes(30));
        ada.complete_task(ids[2]).await.good();
        let all = decisions(&ada, "outcome=ignored").await;
        assert_eq!((all.len(), &all[0]["instead_task_id"]), (1, &json!(ids[4])), "what came first counts");

        best(&ada).await;
        app.advance(hours(23));
        assert_eq!(outcomes_of(&ada).await[0], "open");
        app.advance(hours(2));
        assert_eq!(outcomes_of(&ada).await, ["ignored", "ignored", "snoozed", "done"]);
        ada.complete_task(ids[3]).await.good();
        assert_eq!(outcomes_of(&ada).await[0], "ignored", "too late");

        let outcomes = eve.get("/api/policies/default/outcomes").await.good();
        let version = &outcomes["versions"][0];
        assert_eq!((&version["shown"], &version["done"]), (&json!(4), &json!(1)), "{outcomes}");
        assert_eq!((&version["snoozed"], &version["ignored"], &version["open"]), (&json!(1), &json!(2), &json!(0)));
        assert_eq!((&version["done_share"], &version["ignored_share"]), (&json!(0.25), &json!(0.5)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_ranking_is_one_recommendation_and_another_moment_is_none() {
    let app = keeping(Db::Sqlite).await;
    let ada = app.user("ada").await;
    ada.has(a_task("Something").minutes(10)).await;

    ada.get_best_task("at=2026-03-25T08:00:00Z").await.good();
    ada.list_ranked_tasks("").await.good();
    assert!(decisions(&ada, "").await.is_empty());
    for _ in 0..3 {
        best(&ada).await;
    }
    assert_eq!(decisions(&ada, "").await.len(), 1);
    ada.get_best_task("available_minutes=30").await.good();
    let all = decisions(&ada, "").await;
    let spans: Vec<_> = all.iter().map(|one| &one["available_minutes"]).collect();
    assert!(spans.contains(&&json!(30)) && all.len() == 2, "{all:?}");
    ada.has(a_task("Another")).await;
    app.advance(minutes(1));
    let token = ada.post("/api/auth/tokens", &json!({ "name": "Chat", "scopes": ["read"] })).await.good();
    ada.holding(token["token"].as_str().unwrap()).post("/mcp/tools/get_best_task", &json!({})).await.good();
    assert_eq!(decisions(&ada, "").await.len(), 3, "chats recommend, too");
    let metrics = app.anonymous().get("/metrics").await.good();
    assert!(metrics.as_str().unwrap().contains("mindflow_policy_decisions_total{outcome=\"kept\"} 3"), "{metrics}");
}

#[tokio::test]
async fn without_a_sample_nothing_is_kept() {
    let app = TestApp::with(|config| config.policies.decisions_sample = 0.0).await;
    let ada = app.user("ada").await;
    ada.has(a_task("Something")).await;

    best(&ada).await;

    assert!(decisions(&ada, "").await.is_empty());
    assert_eq!(ada.get("/api/policies/default/outcomes").await.good()["versions"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recommendations_are_listed_by_page_and_by_time() {
    for db in BOTH {
        let app = keeping(db).await;
        let ada = app.user("ada").await;
        for number in 0..5 {
            ada.has(a_task(&format!("Task {number}"))).await;
            app.advance(hours(1));
            best(&ada).await;
        }

        let list = ada.get(&format!("{DECISIONS}?limit=2")).await;
        assert_eq!(list.header("x-total-count"), Some("5"));
        let (mut list, mut seen) = (list.good(), Vec::new());
        loop {
            seen.extend(list["items"].as_array().unwrap().iter().map(|one| one["at"].as_str().unwrap().to_owned()));
            let Some(cursor) = list["next_cursor"].as_str() else { break };
            ada.get(&format!("{DECISIONS}?outcome=done&cursor={cursor}")).await.is(422);
            list = ada.get(&format!("{DECISIONS}?limit=2&cursor={cursor}")).await.good();
        }
        assert_eq!(seen.len(), 5);
        assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
        let between = decisions(&ada, "from=2026-03-23T14:00:00Z&to=2026-03-23T16:00:00Z").await;
        assert_eq!(between.len(), 2, "{between:?}");

        let turned = ada.get(&format!("{DECISIONS}?from=2026-03-24&to=2026-03-23")).await;
        assert_eq!(turned.faults(), ["?to"]);
        assert_eq!(ada.get(&format!("{DECISIONS}?from=12026-03-24")).await.faults(), ["?from"]);
        ada.get("/api/policies/nothing/decisions").await.is(404);
        ada.get("/api/policies/nothing/outcomes").await.is(404);
    }
}

/// A policy that puts what has a label first.
fn by_label(label: &str) -> String {
    let score =
        format!("fn score(task, ctx) {{ if \"{label}\" in task.labels {{ 10.0 }} else {{ task.priority * 1.0 }} }}");
    by_priority("1.0")
        .replace("fn score(task, ctx) { task.priority * WEIGHT }", &score)
        .replace("let points = task.priority * WEIGHT;", "let points = score(task, ctx);")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recommendations_are_replayed_under_another_version() {
    for db in BOTH {
        let app = keeping(db).await;
        let (eve, ada) = (app.admin("eve").await, app.user("ada").await);
        let live = proposes(&eve, "plain", &by_priority("1.0")).await;
        activates(&eve, "plain", &live).await;
        ada.patch("/api/auth/me", &json!({ "preferences": { "policy": "plain" } })).await.good();
        let great = ada.has(a_task("Great").priority(5)).await;
        let small = ada.has(a_task("Small").priority(1).label("phone")).await;
        ada.has(a_task("Other").priority(3)).await;
        best(&ada).await;
        app.advance(minutes(5));
        ada.complete_task(small).await.good();
        let replay = async |body: Value| eve.post("/api/policies/plain/replay", &body).await;

        let same = replay(json!({ "version": live })).await.good();
        assert_eq!((&same["decisions"], &same["first_changes"]), (&json!(1), &json!(0)), "{same}");
        assert_eq!((&same["spearman"], &same["changes"]), (&json!(1.0), &json!([])));

        let other = replay(json!({ "source": by_label("phone") })).await.good();
        assert_eq!((&other["first_changes"], &other["first_changes_share"]), (&json!(1), &json!(1.0)), "{other}");
        let change = &other["changes"][0];
        assert_eq!((&change["first_before"], &change["first_after"]), (&json!(great), &json!(small)));
        assert_eq!((&change["recommended_by"], &change["outcome"]), (&json!(live), &json!("ignored")));
        let moved = &change["moves"][0];
        assert_eq!(
            (&moved["task_id"], &moved["place_before"], &moved["place_after"]),
            (&json!(small), &json!(3), &json!(1))
        );
        assert_eq!(moved["terms"], json!([{ "name": "priority", "points_before": 1.0, "points_after": 10.0 }]));
        let done = json!({ "decisions": 1, "first_before": 0, "first_after": 1, "mean_place_before": 3.0, "mean_place_after": 1.0 });
        assert_eq!(other["done"], done);
        let unknown = replay(json!({ "source": by_label("another") })).await.good();
        assert_eq!(unknown["first_changes"], 0, "a label that nobody has moves nobody");
        assert_eq!(replay(json!({ "version": live, "outcome": "done" })).await.good()["decisions"], 0);

        assert_eq!(replay(json!({})).await.faults(), ["/version"]);
        assert_eq!(replay(json!({ "version": live, "limit": 0 })).await.faults(), ["/limit"]);
        replay(json!({ "version": "0123456789ab" })).await.is(404);
        assert_eq!(replay(json!({ "source": "fn score(task, ctx) { task." })).await.faults(), ["/source"]);
        ada.post("/api/policies/plain/replay", &json!({ "version": live })).await.is(403);

        let words = ["replay", "plain", &live];
        assert_eq!(shell_json(&app, &words).await["decisions"], 1);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), by_label("phone")).unwrap();
        let (done, said) = shell(&app, &["replay", "plain", "--file", file.path().to_str().unwrap()]).await;
        assert!(done && said.contains("of 1 a task was done: first in 0 -> 1, mean place 3.00 -> 1.00"), "{said}");
        let (done, said) = shell(&app, &["decisions", "plain"]).await;
        assert!(done && said.contains(&great.to_string()) && said.ends_with("1 of 1 recommendations\n"), "{said}");
        assert_eq!(shell_json(&app, &["outcomes", "plain"]).await["versions"][0]["ignored"], 1);
        let (done, said) = shell(&app, &["outcomes", "plain", "--from", "2026-03-24", "--to", "2026-03-23"]).await;
        assert!(!done && said.contains("--to must be later"), "{said}");
    }
}

// Ids never go back, in a process: after one server's clock has been moved, those of another would be too young.
async fn old_recommendations_are_deleted(db: Db) {
    let app = keeping(db).await;
    let ada = app.user("ada").await;
    ada.has(a_task("Something")).await;
    best(&ada).await;
    app.advance(hours(89 * 24));
    assert_eq!(outcomes_of(&ada).await, ["ignored"]);

    app.advance(hours(2 * 24));
    let gone = tokio::time::timeout(Duration::from_secs(30), async { while !decisions(&ada, "").await.is_empty() {} });

    gone.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_recommendations_are_deleted_by_one_instance_on_sqlite() {
    old_recommendations_are_deleted(Db::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_recommendations_are_deleted_by_one_instance_on_postgres() {
    old_recommendations_are_deleted(Db::Postgres).await;
}
