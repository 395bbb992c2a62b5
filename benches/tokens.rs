//! What a token costs: issuing one, proving one, and asking who is behind it.
//!
//! `cargo bench --bench tokens`. The hot path is `known`: the first request with a token proves it, later ones remember.
#![expect(clippy::expect_used, reason = "a benchmark without a key measures nothing")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mindflow::accounts::Scopes;
use mindflow::clock::Clock;
use mindflow::ids::{GrantId, SessionId, UserId};
use mindflow::oauth::keys::SigningKey;
use mindflow::oauth::{AccessTokens, GrantToken, KeyRing, KeySet, OAuthScopes, Resources, SessionToken};
use uuid::Uuid;

const ISSUER: &str = "https://mindflow.example";

fn tokens() -> AccessTokens {
    let keys = SigningKey::generate().and_then(|(key, _)| KeySet::new(key, Vec::new()));
    let ring = Arc::new(KeyRing::fixed(keys.expect("a key of this machine")));
    AccessTokens::new(ring, ISSUER, Duration::from_hours(1), Clock::system())
}

fn issue(tokens: &AccessTokens) -> String {
    let token = GrantToken {
        user_id: UserId(Uuid::from_u128(1)),
        grant_id: GrantId(Uuid::from_u128(2)),
        client_id: "https://client.example/oauth/client.json",
        scopes: OAuthScopes::parse("read write").unwrap_or_default(),
        resources: Resources::ALL,
    };
    tokens.issue_for_grant(token).unwrap_or_default()
}

fn access_tokens(criterion: &mut Criterion) {
    let tokens = tokens();
    let token = issue(&tokens);
    let session = SessionToken {
        user_id: UserId(Uuid::from_u128(1)),
        session_id: SessionId(Uuid::from_u128(2)),
        scopes: Scopes::parse("read").unwrap_or_default(),
    };
    let mut group = criterion.benchmark_group("access token");
    group.bench_function("issue", |bench| bench.iter(|| tokens.issue_for_session(black_box(session))));
    group.bench_function("prove", |bench| bench.iter(|| tokens.read(black_box(&token))));
    group.bench_function("known", |bench| bench.iter(|| tokens.verify(black_box(&token))));
    group.bench_function("forged", |bench| {
        let forged = format!("{}A", token.split_at(token.len() - 1).0);
        bench.iter(|| tokens.verify(black_box(&forged)));
    });
    group.finish();
}

criterion_group!(benches, access_tokens);
criterion_main!(benches);
