//! What to do now, and why.

use std::time::Duration;

use serde_json::{Value, json};

use crate::metrics::{metrics, value};
use crate::support::app::{TestApp, a_task, hours, minutes};

#[tokio::test]
async fn the_best_task_comes_with_its_reasons() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("Small").priority(1)).await;
    ada.has(a_task("Write blog post").priority(4).minutes(30).due("2026-03-23T17:00:00Z")).await;

    let best = ada.get_best_task("").await.good();

    assert_eq!(best["task"]["title"], "Write blog post");
    assert_eq!(best["score"], 87.5);
    assert_eq!(best["policy"]["name"], "default");
    insta::assert_json_snapshot!(best["reasoning"], @r#"
    {
      "deadline_urgency": 1.0,
      "deadline_urgency_score": 40.0,
      "priority_score": 40.0,
      "effort_bonus": 0.75,
      "effort_bonus_score": 7.5,
      "time_of_day_multiplier": 1.0,
      "total_score": 87.5,
      "recommendation": "Due today with high priority - good time to tackle this",
      "parts": [
        {
          "name": "deadline",
          "value": 1.0,
          "weight": 40.0,
          "points": 40.0
        },
        {
          "name": "priority",
          "value": 4.0,
          "weight": 10.0,
          "points": 40.0
        },
        {
          "name": "effort",
          "value": 0.75,
          "weight": 10.0,
          "points": 7.5
        },
        {
          "name": "time_of_day",
          "value": 1.0,
          "weight": 87.5,
          "points": 0.0
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn completed_and_sleeping_tasks_are_never_recommended() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let done = ada.has(a_task("done").priority(5)).await;
    let asleep = ada.has(a_task("asleep").priority(5)).await;
    ada.complete_task(done).await.good();
    ada.snooze_task(asleep, json!({ "until": "2026-03-23T13:00:00Z" })).await.good();

    ada.get_best_task("").await.is(404).assert_problem("no-candidate");
    assert_eq!(ada.list_ranked_tasks("").await.titles(), [""; 0]);

    app.set_clock("2026-03-23T12:59:59Z");
    ada.get_best_task("").await.is(404);
    app.set_clock("2026-03-23T13:00:00Z");
    assert_eq!(ada.get_best_task("").await.good()["task"]["title"], "asleep");
}

#[tokio::test]
async fn equal_scores_put_the_older_task_first_whatever_the_float_noise() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("due").priority(1).minutes(30).due("2026-03-23T20:00:00Z").prefers("morning")).await; // 57.5 * 0.9
    app.advance(minutes(1));
    ada.has(a_task("older 55").priority(1).minutes(60).due("2026-03-23T20:00:00Z")).await; // 40 + 10 + 5
    app.advance(minutes(1));
    ada.has(a_task("younger 55").priority(5).prefers("afternoon")).await; // 50 * 1.1

    let ranked = ada.list_ranked_tasks("").await.good();

    let shown: Vec<_> = ranked["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["task"]["title"].clone(), item["score"].clone()))
        .collect();
    assert_eq!(
        shown,
        [(json!("older 55"), json!(55.0)), (json!("younger 55"), json!(55.0)), (json!("due"), json!(51.75))]
    );
}

#[tokio::test]
async fn an_answer_is_fresh_at_every_edge_of_time() {
    let app = TestApp::new().await;
    app.set_clock("2026-03-23T04:00:00Z");
    let ada = app.user_in("ada", "Europe/Vienna").await; // 05:00
    ada.has(a_task("report").priority(3).minutes(15).due("2026-03-23T10:00:00Z").prefers("morning")).await;

    for (now, score) in [
        ("2026-03-23T04:59:59.999999Z", 72.0), // night: another time of day
        ("2026-03-23T05:00:00Z", 88.0),        // 06:00, the morning begins
        ("2026-03-23T09:59:59.999999Z", 88.0),
        ("2026-03-23T10:00:00Z", 99.0), // overdue from the instant on
        ("2026-03-23T11:00:00Z", 81.0), // noon
    ] {
        app.set_clock(now);
        assert_eq!(ada.get_best_task("").await.good()["score"], score, "{now}");
    }
}

#[tokio::test]
async fn a_date_alone_is_due_all_day_in_the_users_zone() {
    let app = TestApp::new().await;
    let ada = app.user_in("ada", "Europe/Vienna").await;
    ada.has(a_task("report").priority(1).due("2026-03-29")).await; // the day on which an hour is missing

    for (now, urgency) in [
        ("2026-03-27T22:59:59Z", 0.5),
        ("2026-03-27T23:00:00Z", 0.75),
        ("2026-03-28T23:00:00Z", 1.0),
        ("2026-03-29T21:59:59Z", 1.0),
        ("2026-03-29T22:00:00Z", 1.25), // midnight in summer time
    ] {
        app.set_clock(now);
        assert_eq!(ada.get_best_task("").await.good()["reasoning"]["deadline_urgency"], urgency, "{now}");
    }
}

#[tokio::test]
async fn the_users_own_windows_count() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await; // noon
    ada.has(a_task("report").prefers("morning")).await;
    assert_eq!(ada.get_best_task("").await.good()["reasoning"]["time_of_day_multiplier"], 0.9);

    let windows = json!({ "preferences": { "windows": { "morning": ["09:00", "12:01"] } } });
    ada.patch("/api/auth/me", &windows).await.good();

    assert_eq!(ada.get_best_task("").await.good()["reasoning"]["time_of_day_multiplier"], 1.1);
    app.advance(minutes(1));
    assert_eq!(ada.get_best_task("").await.good()["reasoning"]["time_of_day_multiplier"], 0.9);
}

#[tokio::test]
async fn at_travels_in_time_without_disturbing_the_present() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("later").priority(5)).await;
    ada.has(a_task("due in april").priority(3).due("2026-04-10")).await;

    assert_eq!(ada.get_best_task("at=2026-04-11T08:00:00Z").await.good()["task"]["title"], "due in april");
    assert_eq!(ada.get_best_task("at=2026-04-11T09:00:00+01:00").await.good()["task"]["title"], "due in april");
    assert_eq!(ada.get_best_task("at=2026-04-10").await.good()["task"]["title"], "due in april");
    assert_eq!(ada.get_best_task("").await.good()["task"]["title"], "later");
    assert_eq!(ada.get_best_task("at=yesterday").await.faults(), ["?at"]);
    let by_score = ada.list_tasks("sort=-score&at=2026-04-10").await.titles();
    assert_eq!(by_score.first().map(String::as_str), Some("due in april"), "{by_score:?}");
    assert_eq!(ada.list_tasks("sort=-score&at=yesterday").await.faults(), ["?at"]);
    assert_eq!(ada.list_tasks("sort=priority&at=2026-04-10").await.faults(), ["?at"]);
    assert_eq!(ada.list_tasks("at=2026-04-10").await.faults(), ["?at"]);
}

#[tokio::test]
async fn available_minutes_leave_out_what_takes_longer() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("long").priority(5).minutes(45)).await;
    ada.has(a_task("short").priority(2).minutes(30)).await;
    ada.has(a_task("unknown").priority(1)).await;

    assert_eq!(ada.list_ranked_tasks("available_minutes=30").await.titles(), ["short", "unknown"]);
    assert_eq!(ada.get_best_task("available_minutes=44").await.good()["task"]["title"], "short");
    assert_eq!(ada.get_best_task("available_minutes=45").await.good()["task"]["title"], "long");
    for minutes in ["0", "1441", "x"] {
        let query = format!("available_minutes={minutes}");
        assert_eq!(ada.get_best_task(&query).await.faults(), ["?available_minutes"]);
    }
}

#[tokio::test]
async fn a_ranking_is_paged_at_one_moment_and_filtered() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    for priority in 1..=5 {
        ada.has(a_task(&format!("p{priority}")).priority(priority).label(if priority % 2 == 0 {
            "even"
        } else {
            "odd"
        }))
        .await;
    }

    let first = ada.list_ranked_tasks("limit=2").await.is(200);
    assert_eq!(first.header("x-total-count"), Some("5"));
    let cursor = first.body["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(first.titles(), ["p5", "p4"]);
    ada.has(a_task("urgent").priority(5).due("2026-03-23")).await;
    let rest = ada.list_ranked_tasks(&format!("limit=10&cursor={cursor}")).await.titles();

    assert_eq!(rest, ["p3", "p2", "p1"]);
    assert_eq!(ada.list_ranked_tasks("label=odd").await.titles(), ["p5", "p3", "p1"]);
    assert_eq!(ada.list_ranked_tasks("status=completed").await.titles(), [""; 0]);
    assert_eq!(ada.list_tasks("sort=score&label=odd").await.titles(), ["p1", "p3", "p5"]);
    assert_eq!(ada.list_tasks("sort=-score&limit=1").await.good()["items"][0]["score"], 90.0);
}

#[tokio::test]
async fn an_explanation_says_what_would_move_the_score_and_when_it_moves_itself() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("report").priority(4).minutes(30).due("2026-03-24")).await;

    let explained = ada.explain_task(task, "").await.good();

    assert_eq!(explained["score"], 77.5);
    assert_eq!(explained["is_candidate"], true);
    assert_eq!(explained["time_zone"], "UTC");
    assert_eq!(explained["next_change"], json!({ "at": "2026-03-24T00:00:00Z", "score": 87.5 }));
    let levers = explained["levers"].as_array().unwrap();
    let lever =
        |field: &str, value: Value| levers.iter().find(|lever| lever["field"] == field && lever["value"] == value);
    assert_eq!(lever("priority", json!(5)).unwrap()["difference"], 10.0);
    assert_eq!(lever("effort_estimate_minutes", json!(15)).unwrap()["difference"], 2.5);
    assert_eq!(lever("due_date", Value::Null).unwrap()["difference"], -30.0);
    assert!(lever("priority", json!(4)).is_none());
    let far = ada.has(a_task("far").due("2031-12-31")).await;
    let change = ada.explain_task(far, "").await.good()["next_change"].clone();
    assert_eq!(change, json!({ "at": "2031-12-24T00:00:00Z", "score": 50.0 }));
}

#[tokio::test]
async fn a_completed_task_can_be_explained_and_is_no_candidate() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("report")).await;
    ada.complete_task(task).await.good();

    assert_eq!(ada.explain_task(task, "").await.good()["is_candidate"], false);
}

#[tokio::test]
async fn what_a_policy_leaves_out_is_no_candidate_and_stands_below() {
    let app = TestApp::with(|config| {
        let folder = config.policies.dir.join("grown");
        std::fs::create_dir_all(&folder).unwrap();
        let shipped = include_str!("../../policies/default/policy.rhai");
        let grown = format!("{shipped}\nfn eligible(task, ctx) {{ task.priority > 2 }}\n");
        std::fs::write(folder.join("policy.rhai"), grown).unwrap();
    })
    .await;
    let ada = app.user("ada").await;
    let small = ada.has(a_task("small").priority(2).due("2026-03-20")).await;
    let large = ada.has(a_task("large").priority(3)).await;

    let explained = ada.explain_task(small, &format!("policy=grown&versus={}", large.0)).await.good();

    assert_eq!((&explained["is_candidate"], &explained["score"]), (&json!(false), &Value::Null));
    let versus = &explained["versus"];
    assert_eq!((&versus["is_candidate"], &versus["decided_by"]), (&json!(true), &json!("candidacy")));
    assert_eq!(versus["is_outranked"], false);
    assert_eq!(ada.explain_task(small, "").await.good()["is_candidate"], true);
}

#[tokio::test]
async fn an_edited_policy_decides_the_next_answer_and_a_broken_one_changes_nothing() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("report").priority(5)).await;
    let file = app.policies_dir().join("default/policy.rhai");
    let script = std::fs::read_to_string(&file).unwrap();
    let before = ada.get_best_task("").await.good();

    std::fs::write(&file, script.replace("priority: 10.0", "priority: 12.0")).unwrap();
    let after = live(&app, &ada, |best| best["policy"]["version"] != before["policy"]["version"]).await;
    std::fs::write(&file, script.replace("fn score(task, ctx)", "fn score(task, ctx")).unwrap();
    let health = degraded(&app).await;

    assert_eq!((&before["score"], &after["score"]), (&json!(50.0), &json!(60.0)));
    assert_eq!((&health["checks"]["database"], &health["checks"]["policies"]), (&json!("healthy"), &json!("degraded")));
    let refused = &health["details"]["policies"]["attention"][0]["refused"];
    assert!(refused["file"].as_str().unwrap().ends_with("policy.rhai") && refused["line"].is_u64(), "{refused}");
    assert_eq!(ada.get_best_task("").await.good()["score"], 60.0);
}

#[tokio::test]
async fn nobody_waits_for_a_large_ranking_when_a_policy_comes_into_force() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let tasks: Vec<Value> =
        (0..1_000).map(|number| json!({ "title": format!("task {number}"), "priority": 5 })).collect();
    ada.post("/api/import", &json!({ "version": 1, "tasks": tasks })).await.is(200);
    let made = async || value(&metrics(&app).await, "mindflow_rankings_total", &[r#"outcome="made""#]).to_string();
    let file = app.policies_dir().join("default/policy.rhai");
    let script = std::fs::read_to_string(&file).unwrap();
    let before = ada.get_best_task("").await.good();

    std::fs::write(&file, script.replace("priority: 10.0", "priority: 12.0")).unwrap();
    app.app.policies.reload();
    let after = ada.get_best_task("").await.good();
    let made_by_both = made().await;
    ada.has(a_task("report").priority(5)).await;
    std::fs::write(&file, script.replace("priority: 10.0", "priority: 14.0")).unwrap();
    app.app.policies.reload();
    let changed = ada.get_best_task("").await.good();

    assert_eq!([&before["score"], &after["score"], &changed["score"]], [&json!(50.0), &json!(60.0), &json!(70.0)]);
    assert_eq!([made_by_both, made().await], ["1", "2"], "what was made ahead of a change of tasks does not hold");
}

/// Asks until the answer is as wanted; a policy goes live within seconds, or the test fails.
async fn live(app: &TestApp, ada: &crate::support::app::Actor<'_>, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut changes = app.app.policies.changes();
    loop {
        let best = ada.get_best_task("").await.good();
        if wanted(&best) {
            return best;
        }
        tokio::time::timeout(Duration::from_secs(10), changes.changed()).await.unwrap().unwrap();
    }
}

async fn degraded(app: &TestApp) -> Value {
    let mut changes = app.app.policies.changes();
    loop {
        let health = app.anonymous().get("/health").await.good();
        if health["status"] == "degraded" {
            return health;
        }
        tokio::time::timeout(Duration::from_secs(10), changes.changed()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_policy_can_be_chosen_for_a_question_or_for_good() {
    let app = TestApp::with(|config| {
        let folder = config.policies.dir.join("lazy");
        std::fs::create_dir_all(config.policies.dir.join("default")).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        let shipped = include_str!("../../policies/default/policy.rhai");
        std::fs::write(config.policies.dir.join("default/policy.rhai"), shipped).unwrap();
        std::fs::write(folder.join("policy.rhai"), shipped.replace("priority: 10.0", "priority: 1.0")).unwrap();
    })
    .await;
    let ada = app.user("ada").await;
    ada.has(a_task("report").priority(5)).await;

    let once = ada.get_best_task("policy=lazy").await.good();
    assert_eq!((&once["score"], &once["policy"]["name"]), (&json!(5.0), &json!("lazy")));
    assert_eq!(ada.get_best_task("").await.good()["score"], 50.0);
    ada.patch("/api/auth/me", &json!({ "preferences": { "policy": "lazy" } })).await.good();
    assert_eq!(ada.get_best_task("").await.good()["score"], 5.0);
    assert_eq!(ada.get_best_task("policy=nope").await.faults(), ["?policy"]);
}

#[tokio::test]
async fn a_fault_in_one_task_leaves_the_others_in_order() {
    let app = TestApp::with(|config| {
        std::fs::create_dir_all(config.policies.dir.join("odd")).unwrap();
        std::fs::create_dir_all(config.policies.dir.join("default")).unwrap();
        let shipped = include_str!("../../policies/default/policy.rhai");
        std::fs::write(config.policies.dir.join("default/policy.rhai"), shipped).unwrap();
        // The trial does not know this label, so the fault shows only at run time.
        let odd = "fn score(task, ctx) { if \"odd-label-of-the-test\" in task.labels { return 1 / 0; } task.priority * 1.0 }\n\
                   fn explain(task, ctx) { #{ total: score(task, ctx), parts: [#{ name: \"priority\", value: task.priority, weight: 1.0, points: task.priority * 1.0 }], recommendation: \"Do it\" } }\n";
        std::fs::write(config.policies.dir.join("odd/policy.rhai"), odd).unwrap();
    })
    .await;
    let ada = app.user("ada").await;
    ada.has(a_task("faulty").priority(5).label("odd-label-of-the-test")).await;
    ada.has(a_task("good").priority(1)).await;

    let ranked = ada.list_ranked_tasks("policy=odd").await.good();

    let items = ranked["items"].as_array().unwrap();
    assert_eq!((&items[0]["task"]["title"], &items[0]["score"]), (&json!("good"), &json!(1.0)));
    assert_eq!((&items[1]["task"]["title"], &items[1]["score"]), (&json!("faulty"), &Value::Null));
    assert!(items[1]["reasoning"]["error"].as_str().unwrap().contains("line 1"), "{ranked}");
    assert!(app.app.policies.score_faults() > 0);
}

#[tokio::test]
async fn one_user_never_sees_anothers_ranking() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    ada.has(a_task("hers").priority(5)).await;
    eve.has(a_task("his").priority(1)).await;

    for _ in 0..2 {
        assert_eq!(ada.list_ranked_tasks("").await.titles(), ["hers"]);
        assert_eq!(eve.get_best_task("").await.good()["task"]["title"], "his");
    }
    app.advance(hours(1));
    assert_eq!(eve.list_ranked_tasks("").await.titles(), ["his"]);
}

#[tokio::test]
async fn one_task_is_explained_beside_another() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let first = ada.has(a_task("report").priority(5).due("2026-03-23")).await;
    let second = ada.has(a_task("call").priority(3).minutes(15)).await;
    let twin = ada.has(a_task("another call").priority(3).minutes(15)).await;
    let done = ada.has(a_task("done").priority(5)).await;
    ada.complete_task(done).await.good();
    let foreign = bob.has(a_task("secret")).await;
    let beside = async |one, other| ada.explain_task(one, &format!("versus={other}")).await.good()["versus"].clone();

    let versus = beside(first, second).await;
    assert_eq!((&versus["task"]["title"], &versus["is_outranked"]), (&json!("call"), &json!(true)));
    assert_eq!((&versus["decided_by"], &versus["difference"]), (&json!("score"), &json!(50.0)));
    let gaps = versus["gaps"].as_array().unwrap();
    let told: Vec<_> =
        gaps.iter().map(|gap| (gap["name"].as_str().unwrap(), gap["difference"].as_f64().unwrap())).collect();
    assert_eq!(told, [("deadline", 40.0), ("priority", 20.0), ("effort", -10.0)]);
    assert_eq!((&gaps[1]["points"], &gaps[1]["versus_points"]), (&json!(50.0), &json!(30.0)));

    let equal = beside(twin, second).await;
    assert_eq!((&equal["decided_by"], &equal["is_outranked"]), (&json!("age"), &json!(false)));
    assert_eq!((&equal["difference"], &equal["gaps"]), (&json!(0.0), &json!([])));
    let over = beside(second, done).await;
    assert_eq!((&over["decided_by"], &over["is_outranked"]), (&json!("candidacy"), &json!(true)));
    assert_eq!(ada.explain_task(first, "").await.good()["versus"], Value::Null);
    assert_eq!(ada.explain_task(first, &format!("versus={foreign}")).await.faults(), ["?versus"]);
    assert_eq!(ada.explain_task(first, &format!("versus={first}")).await.faults(), ["?versus"]);
}
