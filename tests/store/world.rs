//! A database with the services over it, and people.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use mindflow::accounts::caller::{Scope, Scopes};
use mindflow::accounts::{Caller, Credential};
use mindflow::clock::{Clock, Timestamp};
use mindflow::ids::UserId;
use mindflow::policies::live::{CaseRule, LivePolicies};
use mindflow::store::accounts::UserRecord;
use mindflow::store::{Store, StoreError};
use mindflow::tasks::edit::TaskPatch;
use mindflow::tasks::filter::{Sort, TaskFilter};
use mindflow::tasks::lists::ListTasks;
use mindflow::tasks::{Ask, Task, Tasks};
use tempfile::TempDir;

use crate::support::databases::TestDatabase;

/// 2026-11-02T09:00:00.123456Z, a Monday; the clock stands until it is moved.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_793_610_000_123_456);

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) tasks: Tasks,
    pub(crate) db: TestDatabase,
    policies: Arc<LivePolicies>,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn on(db: TestDatabase) -> Self {
        let store = db.store().await;
        let clock = Clock::fixed(START);
        let folder = tempfile::tempdir().unwrap();
        let policies = Arc::new(LivePolicies::open(folder.path(), CaseRule::Warn, clock.clone()).unwrap());
        let tasks = Tasks::new(store.clone(), clock.clone(), Arc::clone(&policies));
        Self { store, clock, tasks, db, policies, _folder: folder }
    }

    /// The services of another server over the same database.
    pub(crate) async fn another_server(&self) -> Tasks {
        Tasks::new(self.db.connect().await, self.clock.clone(), Arc::clone(&self.policies))
    }

    pub(crate) async fn person(&self, name: &str) -> Caller {
        self.person_in(name, Tz::UTC).await
    }

    pub(crate) async fn person_in(&self, name: &str, zone: Tz) -> Caller {
        let user_id = UserId::new(self.clock.now());
        let record = user_record(user_id, name, zone);
        let added = self.store.write(|tx| Box::pin(async move { tx.insert_user(&record).await }));
        added.await.unwrap();
        Caller {
            role: mindflow::accounts::Role::User,
            user_id,
            scopes: Scope::ALL.into_iter().collect::<Scopes>(),
            credential: Credential::Shell,
            client: None,
            zone,
            windows: None,
            policy: None,
            policy_params: std::sync::Arc::default(),
            data_version: 0,
            request_id: "r-1".into(),
        }
    }

    /// The caller as their next request finds them.
    pub(crate) async fn again(&self, caller: &Caller) -> Caller {
        let user = self.store.find_user(caller.user_id).await.unwrap().unwrap();
        Caller { data_version: user.data_version, ..caller.clone() }
    }

    /// Makes a task, a millisecond after whatever happened last.
    pub(crate) async fn has(&self, caller: &Caller, patch: TaskPatch) -> Task {
        self.clock.advance(Duration::from_millis(1));
        self.tasks.create(Ask::new(caller.clone()), patch).await.unwrap().value
    }

    /// Forgets what is of no use any more, as housekeeping does.
    pub(crate) async fn forget(&self) {
        let now = self.clock.now();
        self.store.write(move |tx| Box::pin(Tasks::forget_in(tx, now))).await.unwrap();
    }

    /// The titles of the first page.
    pub(crate) async fn titles(&self, caller: &Caller, filter: TaskFilter, sort: Sort) -> Vec<String> {
        let list = ListTasks { filter, sort, cursor: None, limit: 1000 };
        let page = self.tasks.list(caller, &list).await.unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.items.into_iter().map(|task| task.title).collect()
    }
}

pub(crate) fn user_record(id: UserId, name: &str, zone: Tz) -> UserRecord {
    UserRecord {
        id: id.0,
        email: format!("{name}@example.org"),
        email_key: format!("{name}@example.org"),
        password_hash: "-".to_owned(),
        full_name: None,
        time_zone: zone.name().to_owned(),
        windows: None,
        policy: None,
        policy_params: None,
        role: "user".to_owned(),
        status: "active".to_owned(),
        data_version: 0,
        created_at: START.as_micros(),
        updated_at: START.as_micros(),
        email_verified_at: None,
        digest: "off".to_owned(),
        digest_at: None,
    }
}

/// Adds somebody, and says what became of it.
pub(crate) async fn add_user(store: &Store, name: &str) -> Result<UserId, StoreError> {
    let id = UserId::new(START);
    let record = user_record(id, name, Tz::UTC);
    store.write(move |tx| Box::pin(async move { tx.insert_user(&record).await.map(|()| id) })).await
}

pub(crate) fn a_task(title: &str) -> TaskPatch {
    TaskPatch { title: Some(title.to_owned()), ..TaskPatch::default() }
}
