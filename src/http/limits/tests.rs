use std::time::Duration;

use poem::http::{HeaderMap, StatusCode};
use uuid::Uuid;

use super::*;
use crate::clock::Timestamp;
use crate::config::Config;

const ADDRESS: Subject = Subject::Address(None);

fn limits(choose: impl FnOnce(&mut Settings)) -> (Limits, Clock) {
    let clock = Clock::fixed(Timestamp::from_micros(1_000_000_000));
    let mut settings = Config::default().limits;
    choose(&mut settings);
    (Limits::new(&settings, &clock), clock)
}

fn state(remaining: Option<Remaining>) -> String {
    let mut headers = HeaderMap::new();
    remaining.unwrap().write(&mut headers);
    format!("{} of {}", headers["ratelimit"].to_str().unwrap(), headers["ratelimit-policy"].to_str().unwrap())
}

#[tokio::test]
async fn a_quota_is_used_up_and_comes_back_with_time() {
    let (limits, clock) = limits(|settings| settings.auth_rate_per_minute = 2);

    let first = limits.count(Class::SignIn, ADDRESS).await.unwrap();
    limits.count(Class::SignIn, ADDRESS).await.unwrap();
    let refused = limits.count(Class::SignIn, ADDRESS).await.unwrap_err().to_response(None);

    assert_eq!(state(first), r#""sign-in";r=1;t=30 of "sign-in";q=2;w=60"#);
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "30");
    assert_eq!(refused.headers()["ratelimit"], r#""sign-in";r=0;t=60"#);
    clock.advance(Duration::from_secs(30));
    limits.count(Class::SignIn, ADDRESS).await.unwrap();
}

#[tokio::test]
async fn everyone_has_their_own_quota_and_zero_is_no_limit() {
    let (limits, _clock) = limits(|settings| {
        settings.rate_per_minute = 0;
        settings.auth_rate_per_minute = 1;
    });

    let mine = Subject::address(Some("10.0.0.1".parse().unwrap()));
    assert!(limits.count(Class::SignIn, mine).await.unwrap().is_some());
    assert!(limits.count(Class::SignIn, ADDRESS).await.is_ok());
    assert!(limits.count(Class::SignIn, mine).await.is_err());
    assert!(limits.count(Class::General, mine).await.unwrap().is_none());
    assert!(limits.count(Class::Exempt, mine).await.unwrap().is_none());
}

#[tokio::test]
async fn a_client_has_sixty_times_the_quota_of_an_address() {
    let (limits, _clock) = limits(|settings| settings.auth_rate_per_minute = 1);
    let client = Subject::Client(Uuid::from_u128(1));

    for _ in 0..60 {
        limits.count(Class::Client, client).await.unwrap();
    }

    assert!(limits.count(Class::Client, client).await.is_err());
    assert!(limits.count(Class::Client, Subject::Client(Uuid::from_u128(2))).await.is_ok());
}

#[tokio::test]
async fn a_class_without_a_quota_of_its_own_is_counted_with_another() {
    let (together, _clock) = limits(|settings| settings.rate_per_minute = 1);
    let (apart, _clock) = limits(|settings| {
        settings.rate_per_minute = 1;
        settings.mcp_rate_per_minute = Some(2);
        settings.token_rate_per_minute = Some(3);
        settings.registration_rate_per_minute = Some(4);
        settings.client_rate_per_minute = Some(5);
        settings.page_rate_per_minute = Some(6);
        settings.transfer_rate_per_minute = Some(0);
    });
    let user = Subject::User(Uuid::from_u128(1));

    together.count(Class::General, user).await.unwrap();
    for class in [Class::Mcp, Class::Transfer] {
        assert!(together.count(class, user).await.is_err());
    }
    apart.count(Class::General, user).await.unwrap();
    let mut told = Vec::new();
    for class in [Class::Mcp, Class::Token, Class::Registration, Class::Client, Class::Page] {
        told.push(state(apart.count(class, user).await.unwrap()));
    }
    assert!(apart.count(Class::Transfer, user).await.unwrap().is_none());
    assert_eq!(
        told,
        [
            r#""mcp";r=1;t=30 of "mcp";q=2;w=60"#,
            r#""token";r=2;t=20 of "token";q=3;w=60"#,
            r#""registration";r=3;t=15 of "registration";q=4;w=60"#,
            r#""client";r=4;t=12 of "client";q=5;w=60"#,
            r#""page";r=5;t=10 of "page";q=6;w=60"#,
        ]
    );
}

#[tokio::test]
async fn who_stays_away_is_forgotten() {
    let (limits, clock) = limits(|_| {});
    limits.count(Class::General, ADDRESS).await.unwrap();

    clock.advance(Duration::from_mins(2));
    limits.forget_the_idle();

    assert_eq!(limits.classes.general.as_ref().map(|limit| limit.local.len()), Some(0));
}
