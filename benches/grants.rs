//! What the token endpoint's service gives a second: codes and refresh tokens, 32 requests at a time.
//!
//! `cargo bench --bench grants` measures SQLite; `tests/services/with postgres -- cargo bench --bench grants` measures
//! PostgreSQL as well. The throughput counts exchanges, each with the code that it needs, and refreshes.
#![expect(clippy::expect_used, reason = "a benchmark without a database measures nothing")]

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use mindflow::accounts::{Origin, Rotation};
use mindflow::clock::Clock;
use mindflow::ids::{ClientRef, UserId};
use mindflow::oauth::codes::Approved;
use mindflow::oauth::exchange::Exchange;
use mindflow::oauth::keys::SigningKey;
use mindflow::oauth::refresh::Refresh;
use mindflow::oauth::{
    AccessTokens, Client, GrantParts, GrantSettings, Grants, KeyRing, KeySet, OAuthScopes, Resources,
};
use mindflow::store::accounts::UserRecord;
use mindflow::store::oauth_clients::ClientRecord;
use mindflow::store::{PoolLimits, Store};
use tokio::runtime::Runtime;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const AT_ONCE: usize = 32;
const DAY: Duration = Duration::from_hours(24);

/// A service over a database, and people who use one client.
struct World {
    grants: Grants,
    client: Arc<Client>,
    people: Vec<UserId>,
}

impl World {
    async fn over(url: &str) -> Self {
        let store = Store::connect(url, &PoolLimits::default()).await.expect("a database");
        store.migrate_up().await.expect("a schema");
        let clock = Clock::system();
        let keys = SigningKey::generate().and_then(|(key, _)| KeySet::new(key, Vec::new()));
        let ring = Arc::new(KeyRing::fixed(keys.expect("a key of this machine")));
        let issuer = "https://mindflow.example";
        let tokens = Arc::new(AccessTokens::new(ring, issuer, Duration::from_hours(1), clock.clone()));
        let settings = GrantSettings { life: 30 * DAY, idle: 14 * DAY, rotation: Rotation::EachUse };
        let now = clock.now();
        let record = client_record(now.as_micros(), ClientRef::new(now));
        let client = Arc::new(Client::try_from(record.clone()).expect("a client"));
        let people: Vec<UserId> = (0..AT_ONCE).map(|_| UserId::new(now)).collect();
        let added = people.clone();
        let work = store.write(move |tx| {
            Box::pin(async move {
                tx.insert_client(&record).await?;
                for id in added {
                    tx.insert_user(&user_record(id, now.as_micros())).await?;
                }
                Ok::<_, mindflow::store::StoreError>(())
            })
        });
        work.await.expect("people");
        Self { grants: Grants::new(GrantParts { store, clock, tokens, settings }), client, people }
    }

    /// Somebody allows the client, which redeems the code: two commits.
    async fn exchange(&self, by: UserId, at: mindflow::clock::Timestamp) -> String {
        let approved = Approved {
            client: Arc::clone(&self.client),
            user_id: by,
            session_id: None,
            redirect_uri: "https://client.example/".to_owned(),
            challenge: CHALLENGE.to_owned(),
            scopes: OAuthScopes::parse("read write").unwrap_or_default(),
            resources: Resources::ALL,
            nonce: None,
            authenticated_at: at,
            methods: "pwd".to_owned(),
        };
        let code = self.grants.issue_code(approved).await.expect("a code");
        let ask = Exchange {
            client: &self.client,
            code: &code,
            redirect_uri: None,
            verifier: Some(VERIFIER),
            resources: None,
            origin: &Origin::default(),
        };
        self.grants.exchange(ask).await.expect("tokens").refresh_token
    }

    async fn refresh(&self, token: &str) -> String {
        let origin = Origin::default();
        let ask = Refresh { client: &self.client, token, scope: None, resources: None, origin: &origin };
        self.grants.refresh(ask).await.expect("tokens").refresh_token
    }
}

fn client_record(now: i64, id: ClientRef) -> ClientRecord {
    ClientRecord {
        id: id.0,
        client_id: format!("bench-{}", id.0),
        kind: "static".to_owned(),
        name: "Bench".to_owned(),
        auth_method: "none".to_owned(),
        secret_hash: None,
        metadata:
            r#"{"redirect_uris": ["https://client.example/"], "grant_types": ["authorization_code", "refresh_token"]}"#
                .to_owned(),
        registration_token_hash: None,
        address: None,
        created_at: now,
        updated_at: now,
        last_used_at: None,
        expires_at: None,
        fetched_at: None,
    }
}

fn user_record(id: UserId, now: i64) -> UserRecord {
    UserRecord {
        id: id.0,
        email: format!("{id}@example.org"),
        email_key: format!("{id}@example.org"),
        password_hash: "-".to_owned(),
        full_name: None,
        time_zone: "UTC".to_owned(),
        windows: None,
        policy: None,
        policy_params: None,
        role: "user".to_owned(),
        status: "active".to_owned(),
        data_version: 0,
        created_at: now,
        updated_at: now,
        email_verified_at: None,
        digest: "off".to_owned(),
        digest_at: None,
    }
}

fn measure(criterion: &mut Criterion, runtime: &Runtime, name: &str, url: &str) {
    let world = runtime.block_on(World::over(url));
    let mut group = criterion.benchmark_group(format!("grants on {name}"));
    group.measurement_time(Duration::from_secs(8)).sample_size(20);
    group.throughput(Throughput::Elements(AT_ONCE as u64));
    group.bench_function("code exchange", |bench| {
        bench.to_async(runtime).iter(|| async {
            let now = Clock::system().now();
            join_all(world.people.iter().map(|by| world.exchange(*by, now))).await
        });
    });
    let now = Clock::system().now();
    let first = runtime.block_on(join_all(world.people.iter().map(|by| world.exchange(*by, now))));
    let tokens = std::sync::Mutex::new(first);
    group.bench_function("refresh", |bench| {
        bench.to_async(runtime).iter(|| async {
            let mine = tokens.lock().expect("no panic").clone();
            let next = join_all(mine.iter().map(|token| world.refresh(token))).await;
            *tokens.lock().expect("no panic") = next;
        });
    });
    group.finish();
}

fn grants(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("threads");
    let folder = tempfile::tempdir().expect("a folder");
    measure(criterion, &runtime, "SQLite", &format!("sqlite://{}", folder.path().join("bench.db").display()));
    if let Ok(url) = std::env::var("MINDFLOW_TEST_POSTGRES_URL") {
        measure(criterion, &runtime, "PostgreSQL", &url);
    }
}

criterion_group!(benches, grants);
criterion_main!(benches);
