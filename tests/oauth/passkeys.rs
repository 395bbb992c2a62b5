//! Passkeys over REST, with devices in software, on both databases.

use std::time::Duration;

use mindflow::ids::UserId;
use mindflow::mail::Message;
use reqwest::Method;
use serde_json::{Value, json};

use crate::authenticator::enrol;
use crate::connector::{Connector, actions, text};
use crate::passkey_device::{COPIED, Device, PRESENT, SERVER, VERIFIED, decode, encode};
use crate::support::answer::Answer;
use crate::support::app::{Actor, PASSWORD, TestApp};
use crate::support::databases::Db;

const PATH: &str = "/api/auth/passkeys";

/// A server with a name.
pub(crate) async fn server(db: Db) -> TestApp {
    TestApp::start(db, |config| config.server.public_url = Some(SERVER.to_owned())).await
}

async fn begin(by: &Actor<'_>) -> Answer {
    by.send(Method::POST, &format!("{PATH}/registration"), None, &[]).await
}

async fn finish(by: &Actor<'_>, question: &Value, device: &mut Device) -> Answer {
    let credential = device.make(&question["options"]);
    by.post(PATH, &json!({ "ceremony": question["ceremony"], "credential": credential, "name": "Phone" })).await
}

/// Gives somebody a passkey.
async fn added(by: &Actor<'_>) -> (Device, Value) {
    let mut device = Device::new();
    let question = begin(by).await.good();
    let made = finish(by, &question, &mut device).await.is(201);
    (device, made.body)
}

async fn ask(app: &TestApp) -> Value {
    app.anonymous().send(Method::POST, &format!("{PATH}/sign-in/options"), None, &[]).await.good()
}

async fn answer(app: &TestApp, question: &Value, credential: &Value) -> Answer {
    let body = json!({ "ceremony": question["ceremony"], "credential": credential });
    app.anonymous().post(&format!("{PATH}/sign-in"), &body).await
}

async fn sign_in(app: &TestApp, device: &Device) -> Answer {
    let question = ask(app).await;
    answer(app, &question, &device.show(&question["options"])).await
}

/// Why passkeys were refused, newest first.
async fn reasons(by: &Actor<'_>) -> Vec<String> {
    let page = by.get("/api/auth/activity?limit=1000").await.good();
    let refused = page["items"].as_array().unwrap().iter().filter(|item| item["action"] == "passkey.refused");
    refused.map(|item| item["details"]["reason"].as_str().unwrap().to_owned()).collect()
}

/// What a device does wrong.
type Change = fn(&mut Device);

#[tokio::test]
async fn somebody_signs_in_with_a_passkey_and_nothing_else() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = server(db).await;
        let ada = app.user("ada").await;
        enrol(&app, &ada).await;
        let (mut device, made) = added(&ada).await;
        assert_eq!((made["name"].as_str(), made["host"].as_str()), (Some("Phone"), Some("mindflow.example")));
        assert!(made["last_used_at"].is_null());

        device.counter = 1;
        let signed_in = sign_in(&app, &device).await.good();

        let me = ada.holding(text(&signed_in, "access_token")).get("/api/auth/me").await.good();
        assert_eq!(me["email"], "ada@example.com", "no code was asked for: {db:?}");
        let id = made["id"].as_str().unwrap();
        ada.patch(&format!("{PATH}/{id}"), &json!({ "name": " Old phone " })).await.good();
        let list = ada.get(PATH).await.good();
        assert_eq!(list["items"][0]["name"], "Old phone");
        assert!(list["items"][0]["last_used_at"].is_string());
        ada.delete(&format!("{PATH}/{id}")).await.is(204);
        sign_in(&app, &device).await.is(401).assert_problem("passkey-refused");
        ada.delete(&format!("{PATH}/{id}")).await.is(404);
        let log = actions(&ada).await;
        assert_eq!(log[..4], ["passkey.removed", "passkey.renamed", "passkey.used", "passkey.added"], "{db:?}");
        for message in [Message::SecondFactorOn, Message::PasskeyAdded, Message::PasskeyRemoved] {
            assert_eq!(app.letterbox.next().await.message, message);
        }
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_passkey_the_answer_is_the_same() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = server(db).await;
        let (ada, bob) = (app.user("ada").await, app.user("bob").await);
        let (good, _) = added(&ada).await;
        let (of_bob, _) = added(&bob).await;
        let mut refusals = Vec::new();
        let changes: [(&str, Change); 7] = [
            ("origin", |device| device.origin = "https://evil.example".to_owned()),
            ("origin", |device| device.origin = "https://mindflow.example:8443".to_owned()),
            ("origin", |device| device.origin = "https://sub.mindflow.example".to_owned()),
            ("origin", |device| device.origin = "http://mindflow.example".to_owned()),
            ("host", |device| device.host = "evil.example".to_owned()),
            ("user_not_verified", |device| device.flags = PRESENT),
            ("user_not_verified", |device| device.flags = VERIFIED),
        ];
        let mut device = good;
        for (reason, change) in changes {
            let (origin, host, flags) = (device.origin.clone(), device.host.clone(), device.flags);
            change(&mut device);
            refusals.push(sign_in(&app, &device).await.is(401));
            (device.origin, device.host, device.flags) = (origin, host, flags);
            assert_eq!(reasons(&ada).await[0], reason, "{db:?}");
        }
        let question = ask(&app).await;
        let mut altered = device.show(&question["options"]);
        let mut signature = decode(text(&altered["response"], "signature"));
        *signature.last_mut().unwrap() ^= 1;
        altered["response"]["signature"] = json!(encode(&signature));
        refusals.push(answer(&app, &question, &altered).await.is(401));
        assert_eq!(reasons(&ada).await[0], "signature");
        let other = ask(&app).await;
        refusals.push(answer(&app, &ask(&app).await, &device.show(&other["options"])).await.is(401));
        assert_eq!(reasons(&ada).await[0], "challenge");
        let known = reasons(&ada).await.len();
        device.framed = true;
        refusals.push(sign_in(&app, &device).await.is(401));
        device.framed = false;
        let owner = std::mem::replace(&mut device.owner, of_bob.owner.clone());
        refusals.push(sign_in(&app, &device).await.is(401));
        device.owner = b"nobody".to_vec();
        refusals.push(sign_in(&app, &device).await.is(401));
        device.owner = owner;
        let mut stranger = Device::new();
        stranger.owner.clone_from(&device.owner);
        refusals.push(sign_in(&app, &stranger).await.is(401));
        refusals.push(answer(&app, &ask(&app).await, &json!({ "id": 5 })).await.is(401));

        assert_eq!(reasons(&ada).await.len(), known, "what names no passkey of hers is not in her log");
        for refusal in refusals {
            assert_eq!(refusal.body["detail"], "Nobody can sign in with this passkey.", "{db:?}");
            refusal.assert_problem("passkey-refused");
        }
        sign_in(&app, &device).await.good();
    }
}

#[tokio::test]
async fn a_question_is_answered_once_and_in_time() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = server(db).await;
        let ada = app.user("ada").await;
        let (device, _) = added(&ada).await;
        let over = |refused: Answer| assert_eq!(refused.is(422).faults(), ["/ceremony"], "{db:?}");

        let question = ask(&app).await;
        let shown = device.show(&question["options"]);
        let (first, second) = tokio::join!(answer(&app, &question, &shown), answer(&app, &question, &shown));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{db:?}");
        over(answer(&app, &question, &shown).await);
        let failed = ask(&app).await;
        answer(&app, &failed, &json!({})).await.is(401);
        over(answer(&app, &failed, &device.show(&failed["options"])).await);
        let late = ask(&app).await;
        app.advance(Duration::from_mins(5));
        over(answer(&app, &late, &device.show(&late["options"])).await);
        over(answer(&app, &json!({ "ceremony": "made-up" }), &shown).await);
        let to_add = begin(&ada).await.good();
        over(answer(&app, &to_add, &device.show(&to_add["options"])).await);
        app.app.accounts.forget_expired().await.unwrap();
    }
}

#[tokio::test]
async fn a_passkey_is_added_in_the_session_that_asked() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = server(db).await;
        let (ada, bob) = (app.user("ada").await, app.user("bob").await);
        let login = json!({ "email": "ada@example.com", "password": PASSWORD });
        let elsewhere = app.anonymous().post("/api/auth/login", &login).await.good();
        let elsewhere = ada.holding(text(&elsewhere, "access_token"));
        let mut device = Device::new();
        let question = begin(&ada).await.good();

        for other in [&bob, &elsewhere] {
            assert_eq!(finish(other, &question, &mut device).await.is(422).faults(), ["/ceremony"], "{db:?}");
        }
        finish(&ada, &question, &mut device).await.is(201);
        assert_eq!(finish(&ada, &question, &mut device).await.is(422).faults(), ["/ceremony"]);
        let late = begin(&ada).await.good();
        app.advance(Duration::from_mins(5));
        assert_eq!(finish(&ada, &late, &mut Device::new()).await.is(422).faults(), ["/ceremony"]);
        let question = begin(&bob).await.good();
        finish(&bob, &question, &mut device).await.is(409).assert_problem("passkey-taken");
        let question = begin(&ada).await.good();
        assert_eq!(question["options"]["excludeCredentials"][0]["id"], encode(&device.id));
        assert_eq!(finish(&ada, &question, &mut device).await.is(422).faults(), ["/credential"], "{db:?}");
        let mut unverified = Device::new();
        unverified.flags = PRESENT;
        let question = begin(&ada).await.good();
        assert_eq!(finish(&ada, &question, &mut unverified).await.is(422).faults(), ["/credential"]);
        let mut phished = Device::new();
        phished.origin = "https://evil.example".to_owned();
        let question = begin(&ada).await.good();
        assert_eq!(finish(&ada, &question, &mut phished).await.is(422).faults(), ["/credential"]);
    }
}

#[tokio::test]
async fn a_counter_never_goes_back() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = server(db).await;
        let ada = app.user("ada").await;
        let (mut device, _) = added(&ada).await;
        device.counter = 5;
        sign_in(&app, &device).await.good();

        for copy in [5, 4, 0] {
            device.counter = copy;
            sign_in(&app, &device).await.is(401).assert_problem("passkey-refused");
            assert_eq!(reasons(&ada).await[0], "counter", "{db:?}");
        }
        device.counter = 6;
        let (one, two) = (ask(&app).await, ask(&app).await);
        let (first, second) = (device.show(&one["options"]), device.show(&two["options"]));
        let (one, two) = tokio::join!(answer(&app, &one, &first), answer(&app, &two, &second));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "two copies of a key: {db:?}");
        let (mut uncounted, _) = added(&ada).await;
        uncounted.flags = PRESENT | VERIFIED;
        for _ in 0..3 {
            sign_in(&app, &uncounted).await.good();
        }
    }
}

#[tokio::test]
async fn who_signed_in_long_ago_proves_it_again() {
    let app = server(Db::Sqlite).await;
    let ada = app.user("ada").await;
    let path = format!("{PATH}/registration");
    app.advance(Duration::from_mins(11));
    begin(&ada).await.is(403).assert_problem("proof-needed");
    ada.post(&path, &json!({ "password": "a wrong guess" })).await.is(403).assert_problem("wrong-password");
    ada.post(&path, &json!({ "password": PASSWORD })).await.good();
    let (authenticator, _) = enrol(&app, &ada).await;

    ada.post(&path, &json!({ "password": PASSWORD })).await.is(401).assert_problem("second-factor-needed");
    let wrong = json!({ "password": PASSWORD, "code": "000000" });
    ada.post(&path, &wrong).await.is(401).assert_problem("wrong-second-factor");
    let right = json!({ "password": PASSWORD, "code": authenticator.code(&app) });
    let question = ada.post(&path, &right).await.good();

    finish(&ada, &question, &mut Device::new()).await.is(201);
}

#[tokio::test]
async fn programs_do_not_touch_passkeys() {
    let app = server(Db::Sqlite).await;
    let ada = app.user("ada").await;
    let (_, made) = added(&ada).await;
    let path = format!("{PATH}/{}", text(&made, "id"));
    let new = json!({ "name": "script", "scopes": ["read", "write"] });
    let token = ada.post("/api/auth/tokens", &new).await.is(201).body;
    let script = ada.holding(text(&token, "token"));
    let program = Connector::public(&app, "program").await;
    let program = ada.holding(text(&program.tokens(&ada, "read write").await, "access_token"));

    for other in [&script, &program] {
        begin(other).await.is(403);
        let credential = json!({ "ceremony": "x", "credential": {} });
        other.post(PATH, &credential).await.is(403);
        other.patch(&path, &json!({ "name": "Mine" })).await.is(403);
        other.delete(&path).await.is(403);
    }
    program.get(PATH).await.is(403);
    let bob = app.user("bob").await;
    bob.patch(&path, &json!({ "name": "Mine" })).await.is(404);
    bob.delete(&path).await.is(404);
    assert_eq!(bob.get(PATH).await.good()["items"], json!([]));
    assert_eq!(ada.get(PATH).await.good()["items"][0]["name"], "Phone");
}

#[tokio::test]
async fn an_address_is_a_wish_that_tells_nothing() {
    let app = server(Db::Sqlite).await;
    let ada = app.user("ada").await;
    app.user("bob").await;
    let (device, _) = added(&ada).await;
    let path = format!("{PATH}/sign-in/options");
    let mut shapes = Vec::new();
    for email in ["ada@example.com", "bob@example.com", "nobody@example.com"] {
        let mut question = app.anonymous().post(&path, &json!({ "email": email })).await.good();
        assert_eq!(question["options"]["allowCredentials"], json!([]));
        let answered = answer(&app, &question, &device.show(&question["options"])).await;
        assert_eq!(answered.status, if email.starts_with("ada") { 200 } else { 401 }, "{email}");
        question["ceremony"] = json!(null);
        question["options"]["challenge"] = json!(null);
        shapes.push(question);
    }

    assert!(shapes.iter().all(|shape| *shape == shapes[0]), "{shapes:?}");
    assert_eq!(reasons(&ada).await, ["other_account", "other_account"]);
}

#[tokio::test]
async fn an_account_has_twenty_passkeys_at_most() {
    let app = server(Db::Sqlite).await;
    let ada = app.user("ada").await;
    for _ in 0..19 {
        added(&ada).await;
    }
    let (one, two) = (begin(&ada).await.good(), begin(&ada).await.good());

    finish(&ada, &one, &mut Device::new()).await.is(201);
    finish(&ada, &two, &mut Device::new()).await.is(409).assert_problem("too-many-passkeys");
    begin(&ada).await.is(409).assert_problem("too-many-passkeys");
    assert_eq!(ada.get(PATH).await.header("x-total-count"), Some("20"));
    let page = ada.get(&format!("{PATH}?limit=15")).await.good();
    let next = ada.get(&format!("{PATH}?limit=15&cursor={}", text(&page, "next_cursor"))).await.good();
    assert_eq!((page["items"].as_array().unwrap().len(), next["items"].as_array().unwrap().len()), (15, 5));
}

#[tokio::test]
async fn a_new_password_of_ones_own_keeps_passkeys_and_one_by_mail_removes_them() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = server(db).await;
        let ada = app.user("ada").await;
        let (device, _) = added(&ada).await;
        assert_eq!(app.letterbox.next().await.message, Message::PasskeyAdded);
        let question = begin(&ada).await.good();
        let change = json!({ "current_password": PASSWORD, "new_password": "another horse in a battery" });
        ada.post("/api/auth/password/change", &change).await.is(204);
        sign_in(&app, &device).await.good();
        assert_eq!(app.letterbox.next().await.message, Message::PasswordChanged);

        app.anonymous().post("/api/auth/password/forgot", &json!({ "email": "ada@example.com" })).await.is(202);
        let mail = app.letterbox.next_reset().await;
        let token = mail.message.link().unwrap().split_once("token=").unwrap().1.to_owned();
        let reset = json!({ "token": token, "new_password": "a third horse in a battery" });
        app.anonymous().post("/api/auth/password/reset", &reset).await.is(204);

        sign_in(&app, &device).await.is(401).assert_problem("passkey-refused");
        finish(&ada, &question, &mut Device::new()).await.is(401);
        let told = [app.letterbox.next().await.message, app.letterbox.next().await.message];
        assert!(
            told.contains(&Message::PasskeysRemoved) && told.contains(&Message::PasswordChanged),
            "{db:?} {told:?}"
        );
    }
}

#[tokio::test]
async fn the_only_way_in_stays() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = server(db).await;
        let ada = app.user("ada").await;
        let (device, made) = added(&ada).await;
        let (_, second) = added(&ada).await;
        let (user, now): (UserId, _) = (ada.id(), app.clock.now());
        let without = app.app.store.write(move |tx| Box::pin(async move { tx.set_password(user, "none", now).await }));
        without.await.unwrap();

        ada.delete(&format!("{PATH}/{}", text(&second, "id"))).await.is(204);
        let only = format!("{PATH}/{}", text(&made, "id"));
        ada.delete(&only).await.is(409).assert_problem("last-way-in");

        sign_in(&app, &device).await.good();
        assert_eq!(ada.get(PATH).await.good()["items"].as_array().unwrap().len(), 1, "{db:?}");
    }
}

#[tokio::test]
async fn who_is_shut_out_or_gone_has_no_passkey() {
    let app = server(Db::Sqlite).await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let ((of_ada, _), (of_bob, _)) = (added(&ada).await, added(&bob).await);
    app.app.accounts.set_status("ada@example.com", mindflow::accounts::Status::Disabled).await.unwrap();
    bob.send(Method::DELETE, "/api/auth/me", Some(&json!({ "password": PASSWORD })), &[]).await.is(204);

    sign_in(&app, &of_ada).await.is(401).assert_problem("passkey-refused");
    sign_in(&app, &of_bob).await.is(401).assert_problem("passkey-refused");
    app.app.accounts.set_status("ada@example.com", mindflow::accounts::Status::Active).await.unwrap();
    sign_in(&app, &of_ada).await.good();
    app.app.accounts.set_password("ada@example.com", "an operator's new horse").await.unwrap();
    sign_in(&app, &of_ada).await.is(401).assert_problem("passkey-refused");
}

#[tokio::test]
async fn a_server_with_an_address_for_a_name_says_that_it_has_no_passkeys() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    let refused = begin(&ada).await.is(409);
    assert!(refused.body["detail"].as_str().unwrap().contains("IP address"), "{}", refused.body);
    refused.assert_problem("no-passkeys");
    let asked = app.anonymous().send(Method::POST, &format!("{PATH}/sign-in/options"), None, &[]).await;
    asked.is(409).assert_problem("no-passkeys");
    assert_eq!(ada.get(PATH).await.good()["items"], json!([]));
}

#[tokio::test]
async fn a_passkey_that_is_copied_between_devices_works_as_well() {
    let app = server(Db::Sqlite).await;
    let ada = app.user("ada").await;
    let mut device = Device::new();
    device.flags |= COPIED;
    let question = begin(&ada).await.good();
    finish(&ada, &question, &mut device).await.is(201);

    sign_in(&app, &device).await.good();
    device.flags = PRESENT | VERIFIED;
    sign_in(&app, &device).await.is(401);
}

#[tokio::test]
async fn asking_and_answering_are_counted_as_sign_ins() {
    let app = TestApp::start(Db::Sqlite, |config| {
        config.server.public_url = Some(SERVER.to_owned());
        config.limits.auth_rate_per_minute = 3;
    })
    .await;
    for _ in 0..2 {
        ask(&app).await;
    }
    answer(&app, &json!({ "ceremony": "x" }), &json!({})).await.is(422);

    let refused = app.anonymous().send(Method::POST, &format!("{PATH}/sign-in/options"), None, &[]).await;
    assert_eq!(refused.is(429).header("retry-after").map(str::is_empty), Some(false));
    answer(&app, &json!({ "ceremony": "x" }), &json!({})).await.is(429);
}
