//! Tells people in the morning what there is to do, if they asked for it.
//!
//! A person's row says when their next morning begins (`digest_at`). One instance goes through who is due: the mail, the mark
//! that they were told of this day, and their next morning come in one transaction, so nobody hears of a day twice,
//! whatever happens between two lines. Who has nothing to do gets no mail, nor who has not proved their address.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::accounts::digest::{DigestChoice, unsubscribe_link};
use crate::accounts::{Accounts, Caller, Credential, Scope, Status, User};
use crate::background::{Duty, DutyError, Turn};
use crate::calendar::{Due, Windows, local_date, local_time};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::mail::digest::{Digest, Line, Lines};
use crate::mail::{Letter, Message, Post};
use crate::secret_key::SecretKey;
use crate::store::accounts::UserRecord;
use crate::store::mails::NewMail;
use crate::store::{Store, StoreError};
use crate::tasks::ranking::{RankQuestion, Standing};
use crate::tasks::{Task, TaskError, Tasks};

/// How often it is looked who is due.
const EVERY: Duration = Duration::from_mins(1);
/// People who are gone through before others are looked for.
const AT_ONCE: i64 = 100;
/// How late a mail of a day may be, for instance after the server was away.
const LATE_IN_A_DAY: Duration = Duration::from_hours(6);
/// How late a mail of a week may be.
const LATE_IN_A_WEEK: Duration = Duration::from_hours(36);
const DAY: Duration = Duration::from_hours(24);
/// The most tasks that are counted as completed.
const MOST_COMPLETED: i64 = 100;

/// The duty of telling people.
pub struct SendDigests {
    /// What they have to do.
    pub tasks: Tasks,
    /// How their day is divided.
    pub accounts: Arc<Accounts>,
    /// Takes the mail.
    pub post: Post,
    /// Seals the links to end it.
    pub secret: SecretKey,
}

/// What becomes of a person who is due.
struct Plan {
    /// Their next morning.
    next: Option<Timestamp>,
    /// The day, and the mail about it.
    mail: Option<(String, NewMail)>,
}

#[async_trait]
impl Duty for SendDigests {
    fn name(&self) -> &'static str {
        "send_digests"
    }

    fn every(&self) -> Duration {
        EVERY
    }

    async fn run(&self, turn: &Turn) -> Result<(), DutyError> {
        loop {
            let due = turn.store().list_due_digests(turn.now(), AT_ONCE).await?;
            let is_last = i64::try_from(due.len()).is_ok_and(|count| count < AT_ONCE);
            for row in due {
                self.tell(turn, row).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

impl SendDigests {
    async fn tell(&self, turn: &Turn, row: UserRecord) -> Result<(), DutyError> {
        let (user, Some(due_at)) = (UserId(row.id), row.digest_at) else { return Ok(()) };
        let now = turn.now();
        let plan = match self.plan(turn.store(), row, Timestamp::from_micros(due_at), now).await {
            Ok(plan) => plan,
            Err(error @ TaskError::Store(StoreError::Unavailable(_))) => {
                return Err(DutyError::Failed("the tasks cannot be read", Box::new(error)));
            }
            Err(error) => {
                // Whatever is wrong with one person's data, the others are told.
                let error = &error as &dyn std::error::Error;
                tracing::error!(user.id = %user, error, "somebody cannot be told what there is to do");
                Plan { next: Some(now.plus(DAY)), mail: None }
            }
        };
        let Plan { next, mail } = plan;
        let is_mail = mail.is_some();
        turn.write(move |tx| {
            Box::pin(async move {
                if !tx.move_digest(user, due_at, next).await? {
                    return Ok(());
                }
                if let Some((day, mail)) = mail
                    && tx.insert_digest(user, &day, now).await?
                {
                    tx.insert_mail(&mail).await?;
                }
                Ok(())
            })
        })
        .await?;
        if is_mail {
            self.post.wake();
        }
        Ok(())
    }

    async fn plan(&self, store: &Store, row: UserRecord, due_at: Timestamp, now: Timestamp) -> Result<Plan, TaskError> {
        let data_version = row.data_version;
        let user = User::try_from(row)?;
        let windows = self.accounts.preferences(&user).windows;
        let next = user.digest.next_at(now, user.zone, &windows);
        let none = Plan { next, mail: None };
        let due_at = match latest_morning(&user, &windows, due_at, now) {
            Some(morning) if morning <= now => morning,
            // The policy's morning moved since the moment was noted.
            other => return Ok(Plan { next: other, mail: None }),
        };
        let (late, span) = match user.digest {
            DigestChoice::Weekly => (LATE_IN_A_WEEK, DAY * 7),
            DigestChoice::Daily | DigestChoice::Off => (LATE_IN_A_DAY, DAY),
        };
        if user.status != Status::Active || !user.email_verified || now > due_at.plus(late) {
            return Ok(none);
        }
        let caller = caller_of(&user, data_version);
        let standing = self.tasks.recommend(&caller, &RankQuestion::default()).await?;
        let link = unsubscribe_link(&self.secret, self.post.server(), user.id).map_err(|_| StoreError::Dropped)?;
        let Some(mut digest) = digest_of(&standing, &user, now, link) else { return Ok(none) };
        let since = store.find_last_digest(user.id).await?.unwrap_or(Timestamp::MIN).max(now.minus(span));
        for title in store.list_completed_since(user.id, since, MOST_COMPLETED).await? {
            digest.completed.push(|| Line { title, note: String::new() });
        }
        let message = Message::Digest(Box::new(digest));
        let letter = Letter::new(user.id, &user.email, message).named(user.full_name).until(now.plus(late));
        let mail = self.post.seal(letter).map_err(|_| StoreError::Dropped)?;
        let day = local_date(due_at, user.zone).format("%Y-%m-%d").to_string();
        Ok(Plan { next, mail: Some((day, mail)) })
    }
}

/// The latest of their mornings from `due_at` until `now`; when there is none, the next.
fn latest_morning(user: &User, windows: &Windows, due_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let next_at = |after: Timestamp| user.digest.next_at(after, user.zone, windows);
    let mut morning = next_at(due_at.minus(Duration::from_micros(1)).max(now.minus(DAY * 9)))?;
    while let Some(later) = next_at(morning).filter(|later| *later <= now) {
        morning = later;
    }
    Some(morning)
}

/// The person, as if they asked themselves.
fn caller_of(user: &User, data_version: i64) -> Caller {
    Caller {
        role: user.role,
        user_id: user.id,
        scopes: [Scope::Read].into_iter().collect(),
        credential: Credential::Shell,
        client: None,
        zone: user.zone,
        windows: user.windows,
        policy: user.policy.clone(),
        policy_params: Arc::clone(&user.policy_params),
        data_version,
        request_id: Arc::from(""),
    }
}

/// What there is to do; `None` when there is nothing.
fn digest_of(standing: &Standing, user: &User, now: Timestamp, unsubscribe: String) -> Option<Digest> {
    let best = standing.entries().first()?;
    let today = local_date(now, user.zone);
    let note = standing.explain(best).recommendation.clone();
    let mut digest = Digest {
        day: today.format("%A, %-d %B").to_string(),
        best: Line { title: standing.task(best).title.clone(), note },
        open: standing.entries().len(),
        unsubscribe,
        ..Digest::default()
    };
    for task in standing.entries().iter().map(|entry| standing.task(entry)) {
        let Some(due) = task.due else { continue };
        if due.overdue_from(user.zone) <= now {
            let note = || format!("since {}", due.date(user.zone).format("%-d %B"));
            push(&mut digest.overdue, task, note);
        } else if due.date(user.zone) == today {
            push(&mut digest.due, task, || match due {
                Due::On(_) => String::new(),
                Due::At(at) => format!("at {}", local_time(at, user.zone).format("%H:%M")),
            });
        }
    }
    Some(digest)
}

fn push(lines: &mut Lines, task: &Task, note: impl FnOnce() -> String) {
    lines.push(|| Line { title: task.title.clone(), note: note() });
}
