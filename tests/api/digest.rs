//! The mail of the morning.

use std::time::Duration;

use mindflow::accounts::AccountError;
use mindflow::mail::{Mail, Message};
use reqwest::Method;
use serde_json::json;

use crate::support::app::{Actor, TestApp, a_task, hours, minutes};
use crate::support::databases::Db;

/// Their address is theirs, and they want this mail.
async fn wants(app: &TestApp, person: &Actor<'_>, digest: &str) {
    let (id, now) = (person.id(), app.clock.now());
    let verified: Result<bool, AccountError> =
        app.app.store.write(move |tx| Box::pin(async move { Ok(tx.verify_email(id, now).await?) })).await;
    verified.unwrap();
    let wish = json!({ "preferences": { "digest": digest } });
    assert_eq!(person.patch("/api/auth/me", &wish).await.good()["preferences"]["digest"], digest);
}

/// Waits until this person's morning is over: their next one lies ahead, and no mail waits.
async fn told(app: &TestApp, person: &Actor<'_>) {
    loop {
        let row = app.app.store.find_user(person.id()).await.unwrap().unwrap();
        let is_over = row.digest_at.is_none_or(|at| at > app.clock.now().as_micros());
        if is_over && app.app.post.count().await.unwrap().waiting == 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn digest_of(mail: &Mail) -> &mindflow::mail::digest::Digest {
    let Message::Digest(digest) = &mail.message else { panic!("{mail:?}") };
    digest
}

async fn the_morning(db: Db) {
    let app = TestApp::on(db).await;
    let ada = app.user_in("ada", "Europe/Vienna").await;
    ada.has(a_task("Pay the rent").priority(5).due("2026-03-22")).await;
    ada.has(a_task("Call Bob").due("2026-03-24T13:30:00Z")).await;
    let done = ada.has(a_task("Buy milk")).await;
    wants(&app, &ada, "daily").await;
    ada.complete_task(done).await.good();

    app.set_clock("2026-03-24T04:59:59Z");
    assert!(app.letterbox.is_empty().await);
    app.set_clock("2026-03-24T05:00:00Z");
    let mail = app.letterbox.next().await;
    told(&app, &ada).await;

    let digest = digest_of(&mail);
    assert_eq!((mail.to.as_str(), mail.name.as_deref()), ("ada@example.com", Some("ada")));
    assert_eq!(mail.message.subject(), "Tuesday, 24 March: 1 overdue, 1 due");
    assert!(!digest.best.note.is_empty() && !digest.best.title.is_empty());
    assert_eq!((digest.overdue.named[0].title.as_str(), digest.overdue.total), ("Pay the rent", 1));
    assert_eq!(digest.due.named[0].note, "at 14:30");
    assert_eq!(digest.completed.named[0].title, "Buy milk");
    assert_eq!(digest.open, 2);
    for _ in 0..3 {
        app.advance(minutes(1));
        told(&app, &ada).await;
    }
    assert!(app.letterbox.is_empty().await, "once a day");
    app.set_clock("2026-03-25T05:00:00Z");
    assert!(digest_of(&app.letterbox.next().await).completed.named.is_empty(), "told already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_morning_brings_one_mail_on_sqlite() {
    the_morning(Db::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_morning_brings_one_mail_on_postgres() {
    the_morning(Db::Postgres).await;
}

#[tokio::test]
async fn who_has_nothing_to_do_or_has_not_proved_their_address_gets_none() {
    let app = TestApp::new().await;
    let (idle, unproved) = (app.user("idle").await, app.user("unproved").await);
    wants(&app, &idle, "daily").await;
    unproved.has(a_task("Call Bob")).await;
    unproved.patch("/api/auth/me", &json!({ "preferences": { "digest": "daily" } })).await.good();

    app.set_clock("2026-03-24T06:00:00Z");
    told(&app, &idle).await;
    told(&app, &unproved).await;

    assert!(app.letterbox.is_empty().await);
}

#[tokio::test]
async fn after_a_while_away_a_mail_comes_late_or_not_at_all() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("Call Bob")).await;
    wants(&app, &ada, "daily").await;

    app.set_clock("2026-03-27T11:00:00Z"); // Three mornings were missed, and this one is five hours ago.
    let mail = app.letterbox.next().await;
    told(&app, &ada).await;
    assert!(app.letterbox.is_empty().await, "{mail:?}");

    app.set_clock("2026-03-28T12:00:01Z");
    told(&app, &ada).await;
    assert!(app.letterbox.is_empty().await, "too late for the 28th");
    app.set_clock("2026-03-29T06:00:00Z");
    app.letterbox.next().await;
}

#[tokio::test]
async fn another_zone_does_not_bring_the_same_day_twice() {
    let app = TestApp::new().await;
    let ada = app.user_in("ada", "Pacific/Kiritimati").await;
    ada.has(a_task("Call Bob")).await;
    wants(&app, &ada, "daily").await;
    app.set_clock("2026-03-23T16:00:00Z"); // The 24th, 06:00 there.
    app.letterbox.next().await;
    told(&app, &ada).await;

    ada.patch("/api/auth/me", &json!({ "time_zone": "Pacific/Pago_Pago" })).await.good();
    app.set_clock("2026-03-24T17:00:00Z"); // The 24th, 06:00 there.
    told(&app, &ada).await;

    assert!(app.letterbox.is_empty().await);
    app.set_clock("2026-03-25T17:00:00Z");
    app.letterbox.next().await;
}

#[tokio::test]
async fn a_link_ends_the_mails_without_a_sign_in_but_not_by_being_looked_at() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("Call Bob")).await;
    wants(&app, &ada, "weekly").await;
    app.set_clock("2026-03-30T06:00:00Z");
    let mail = app.letterbox.next().await;
    let link = mail.message.unsubscribe().unwrap().strip_prefix(app.url()).unwrap().to_owned();
    let digest = async || ada.get("/api/auth/me").await.good()["preferences"]["digest"].clone();

    let page = app.anonymous().request(Method::GET, &link).send().await.unwrap();
    assert_eq!((page.status(), digest().await), (reqwest::StatusCode::OK, json!("weekly")));
    let forged = app.anonymous().request(Method::POST, &format!("{link}x")).send().await.unwrap();
    assert_eq!((forged.status().as_u16(), digest().await), (422, json!("weekly")));
    let one_click = app.anonymous().request(Method::POST, &link);
    let one_click =
        one_click.header("content-type", "application/x-www-form-urlencoded").body("List-Unsubscribe=One-Click");
    assert_eq!(one_click.send().await.unwrap().status(), 200);

    assert_eq!(digest().await, json!("off"));
    app.advance(Duration::from_hours(24 * 7));
    told(&app, &ada).await;
    assert!(app.letterbox.is_empty().await);
}

#[tokio::test]
async fn mail_that_cannot_be_sent_is_seen_in_the_health_of_the_server() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("Call Bob")).await;

    let well = app.anonymous().get("/health").await.good();

    assert_eq!((&well["checks"]["mail"], &well["checks"]["background"]), (&json!("healthy"), &json!("healthy")));
    app.advance(hours(1));
}
