//! The service as a whole, on both databases.

mod browser;
mod email_tokens;
mod operators;
mod personal_tokens;
mod profile;
mod registration;
pub(crate) mod second_factor;
mod sign_in;

use std::sync::{LazyLock, Mutex};

pub(super) use super::attempts::MOST_FAILURES;
pub(super) use super::pages::Paging;
use super::registration::NewAccount;
pub(super) use super::sign_in::{SignIn, SignedIn};
use super::*;
use crate::background::Background;
use crate::calendar::Window;
use crate::mail::tests::{Letterbox, post_over};
use crate::oauth::keys::SigningKey;
use crate::oauth::{KeyRing, KeySet, Resource};
use crate::scoring::params::{Param, ParamKind, ParamValue, Params};
use crate::store::testing::{TestStore, test_stores};

pub(crate) const GOOD: &str = "correct horse battery";

static KEYS: LazyLock<Arc<KeyRing>> = LazyLock::new(|| {
    let (key, _) = SigningKey::generate().unwrap();
    Arc::new(KeyRing::fixed(KeySet::new(key, Vec::new()).unwrap()))
});

struct Policies;

impl PolicyDirectory for Policies {
    fn default_name(&self) -> String {
        "default".to_owned()
    }

    fn has(&self, name: &str) -> bool {
        ["default", "eisenhower"].contains(&name)
    }

    fn windows(&self, name: Option<&str>) -> Windows {
        let start = if name == Some("eisenhower") { "08:00" } else { "06:00" };
        Windows {
            morning: Window::parse(start, "12:00").unwrap(),
            afternoon: Window::parse("12:00", "18:00").unwrap(),
            evening: Window::parse("18:00", "23:00").unwrap(),
        }
    }

    fn params(&self, name: &str) -> Params {
        let whole = |name: &str, most| Param {
            name: name.to_owned(),
            kind: ParamKind::Whole { min: 0, max: most },
            default: ParamValue::Whole(1),
            label: String::new(),
            user: true,
        };
        if name == "eisenhower" { Params::new(vec![whole("days", 30), whole("from", 5)]) } else { Params::default() }
    }
}

#[derive(Default)]
struct Follower(Mutex<Vec<(UserId, Tz)>>);

impl ZoneFollower for Follower {
    fn move_to<'t>(
        &'t self,
        _: &'t mut Tx<'_>,
        user: UserId,
        zone: Tz,
        _: Timestamp,
    ) -> BoxFuture<'t, StoreResult<()>> {
        self.0.lock().unwrap().push((user, zone));
        Box::pin(async { Ok(()) })
    }
}

pub(crate) struct World {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) guard: Arc<Guard>,
    pub(crate) clock: Clock,
    pub(super) name: &'static str,
    pub(super) letterbox: Arc<Letterbox>,
    follower: Arc<Follower>,
    _courier: Background,
    _store: TestStore,
}

pub(crate) const SETTINGS: AccountSettings = AccountSettings {
    registration: Registration::Open,
    session_life: Duration::from_hours(30 * 24),
    rotation: Rotation::EachUse,
    most_failures: 10,
    browser_life: BrowserLife { most: Duration::from_hours(14 * 24), idle: Duration::from_hours(48) },
};

pub(crate) async fn worlds_with(settings: AccountSettings) -> Vec<World> {
    let world = |test: TestStore| {
        let clock = Clock::fixed(Timestamp::from_micros(1_800_000_000_000_000));
        let life = Duration::from_hours(1);
        let tokens = Arc::new(AccessTokens::new(KEYS.clone(), "https://mindflow.example", life, clock.clone()));
        let follower = Arc::new(Follower::default());
        let letterbox = Arc::new(Letterbox::default());
        let (post, courier) = post_over(&test.store, &clock, letterbox.clone());
        let parts = AccountParts {
            store: test.store.clone(),
            clock: clock.clone(),
            passwords: Passwords::new(2, 100),
            tokens: tokens.clone(),
            policies: Arc::new(Policies),
            zone_follower: follower.clone(),
            secret: SecretKey::new("a secret of the tests, 32 bytes long"),
            post,
            settings,
        };
        let guard = Arc::new(Guard::new(test.store.clone(), tokens, clock.clone()));
        World {
            accounts: Arc::new(Accounts::new(parts)),
            guard,
            clock,
            name: test.name,
            letterbox,
            follower,
            _courier: courier,
            _store: test,
        }
    };
    test_stores().await.into_iter().map(world).collect()
}

pub(crate) async fn worlds() -> Vec<World> {
    worlds_with(SETTINGS).await
}

pub(super) fn origin() -> Origin {
    Origin {
        request_id: Some("r-1".to_owned()),
        address: Some("192.0.2.7".to_owned()),
        user_agent: Some("curl/9".to_owned()),
    }
}

impl World {
    /// Lets a moment pass, so that what follows is later.
    pub(crate) fn tick(&self) {
        self.clock.advance(Duration::from_millis(1));
    }

    pub(super) async fn person(&self, email: &str) -> User {
        let new = NewAccount { email: email.to_owned(), password: GOOD.to_owned(), ..NewAccount::default() };
        self.accounts.register(new, None, &origin()).await.unwrap()
    }

    pub(super) async fn login(&self, email: &str) -> SignedIn {
        self.tick();
        self.try_login(email, GOOD).await.unwrap()
    }

    pub(super) async fn try_login(&self, email: &str, password: &str) -> Result<SignedIn, AccountError> {
        self.accounts.login(SignIn { email, password, code: None }, &origin()).await
    }

    /// Registers and signs in.
    pub(super) async fn caller(&self, email: &str) -> Caller {
        self.person(email).await;
        let caller = self.identify(&self.login(email).await.access_token).await.unwrap();
        self.tick();
        caller
    }

    pub(super) async fn identify(&self, token: &str) -> Result<Caller, GuardError> {
        self.guard.identify(token, Resource::Api, "r-2").await
    }

    pub(super) async fn actions(&self, caller: &Caller) -> Vec<String> {
        let page = self.accounts.list_activity(caller, &Paging::default()).await.unwrap();
        page.items.into_iter().map(|activity| activity.action).collect()
    }
}

pub(super) fn fields(error: AccountError) -> Vec<String> {
    match error {
        AccountError::Invalid(faults) => faults.into_iter().map(|fault| fault.field).collect(),
        other => panic!("{other:?}"),
    }
}
