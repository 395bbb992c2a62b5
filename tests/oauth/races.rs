//! Requests at the same time: exactly one comes first, on both databases.

use futures_util::future::join_all;
use serde_json::Value;

use crate::connector::{Connector, refusal, text};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::databases::Db;

const MANY: usize = 50;

/// Sends the same request many times at once.
async fn at_once<'c, F: Future<Output = Answer> + 'c>(ask: impl Fn() -> F) -> Vec<Answer> {
    join_all((0..MANY).map(|_| ask())).await
}

fn refresh_token(tokens: &Value) -> &str {
    text(tokens, "refresh_token")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_redemptions_one_gets_tokens_and_none_keeps_them() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = TestApp::on(db).await;
        let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
        let code = client.code(&ada, "read").await;

        let answers = at_once(|| client.redeem(&code)).await;

        let (good, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(good.len(), 1, "{db:?}");
        for answer in refused {
            assert_eq!(refusal(answer), "invalid_grant", "{db:?}");
        }
        let tokens = good.into_iter().next().unwrap().good();
        app.anonymous().holding(text(&tokens, "access_token")).get("/api/tasks").await.is(401);
        assert_eq!(refusal(client.refresh(refresh_token(&tokens)).await), "invalid_grant");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_removes_a_client_or_a_grant_and_who_uses_it_do_not_lock_each_other_out() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        for round in 0..10 {
            let client = Connector::public(&app, &format!("notes{round}")).await;
            let tokens = join_all((0..4).map(|_| client.tokens(&ada, "read"))).await;
            let codes = join_all((0..4).map(|_| client.code(&ada, "read"))).await;

            let (redeemed, refreshed, revoked, removed) = tokio::join!(
                join_all(codes.iter().map(|code| client.redeem(code))),
                join_all(tokens.iter().map(|tokens| client.refresh(refresh_token(tokens)))),
                join_all(tokens.iter().map(|tokens| client.revoke(text(tokens, "access_token")))),
                app.app.clients.delete(&client.client.client_id),
            );

            removed.unwrap();
            for answer in redeemed.into_iter().chain(refreshed).chain(revoked) {
                assert!(answer.status < 500, "{db:?}: {} {}", answer.status, answer.body);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_refreshes_all_get_the_one_successor() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = TestApp::on(db).await;
        let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
        let mut tokens = client.tokens(&ada, "read").await;

        for _ in 0..3 {
            let answers = at_once(|| client.refresh(refresh_token(&tokens))).await;
            let answers: Vec<Value> = answers.into_iter().map(Answer::good).collect();
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{db:?}");
            tokens = answers.into_iter().next().unwrap();
        }

        app.anonymous().holding(text(&tokens, "access_token")).get("/api/tasks").await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_polls_of_an_allowed_device_one_gets_tokens() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = TestApp::on(db).await;
        let (ada, client) = (app.user("ada").await, Connector::public(&app, "tv").await);
        let codes = client.post("/oauth/device_authorization", &[]).await.good();
        let decision = mindflow::oauth::devices::Decision {
            client: &client.client,
            verdict: mindflow::oauth::devices::Verdict::Allow(mindflow::oauth::OAuthScopes::parse("read").unwrap()),
            user_id: ada.id(),
            session_id: None,
            authenticated_at: app.clock.now(),
            methods: "pwd".to_owned(),
        };
        let origin = mindflow::accounts::Origin::default();
        app.app.grants.decide_device(text(&codes, "user_code"), decision, &origin).await.unwrap();

        let answers = at_once(|| client.poll(text(&codes, "device_code"))).await;

        let (good, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(good.len(), 1, "{db:?}");
        for answer in refused {
            assert_eq!(refusal(answer), "invalid_grant", "{db:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_lets_no_redemption_slip_through() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = TestApp::on(db).await;
        let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
        let codes = join_all((0..10).map(|_| client.code(&ada, "read"))).await;
        let change = serde_json::json!({
            "current_password": crate::support::app::PASSWORD, "new_password": "another correct horse battery",
        });

        let redemptions = join_all(codes.iter().map(|code| client.redeem(code)));
        let (changed, answers) = tokio::join!(ada.post("/api/auth/password/change", &change), redemptions);

        changed.good();
        for answer in answers {
            if answer.status == 200 {
                let token = text(&answer.body, "access_token").to_owned();
                app.anonymous().holding(&token).get("/api/tasks").await.is(401);
            } else {
                assert_eq!(refusal(answer), "invalid_grant", "{db:?}");
            }
        }
    }
}
