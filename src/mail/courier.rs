//! Sends what waits. Every instance does; each mail is taken by one.
//!
//! Taking a mail is one statement: it counts the attempt and puts the next one off until [`CLAIM`] later, which is longer
//! than an attempt can take. So nobody else sends it meanwhile, and when this instance dies, another tries again then. A mail
//! that was taken by the mail server, whose row could not be deleted before the instance died, is sent once more: with the
//! same Message-ID, by which mail programs know it again.

use std::error::Error as StdError;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use tokio::task::JoinSet;

use super::{MailError, Post};
use crate::background::{Own, Stop};
use crate::clock::Timestamp;
use crate::observe::metrics::Posted;
use crate::store::mails::{Attempt, MailRecord};
use crate::store::{StoreError, StoreResult};

/// Mails that are sent at the same time.
const MOST_AT_ONCE: usize = 4;
/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long other instances leave a mail alone that this one has taken.
const CLAIM: Duration = Duration::from_mins(5);
/// How long after the first failure it is tried again; twice as long after each further one.
const FIRST_RETRY: Duration = Duration::from_secs(30);
/// The longest such time.
const LAST_RETRY: Duration = Duration::from_hours(4);
/// So many attempts take some two days; after the last, the mail is given up.
const MOST_ATTEMPTS: i64 = 20;
/// How often an instance looks for mail that others left.
const LOOKS_AGAIN: Duration = Duration::from_mins(1);
/// How long the database is left in peace after it failed.
const REST: Duration = Duration::from_secs(5);
/// How often an outcome is written down before it is left to the next attempt.
const MARKS: u32 = 60;
/// How long a stop waits for mail that is being sent.
const LAST_MOMENT: Duration = Duration::from_secs(4);

/// Sends what waits.
#[derive(Clone)]
pub struct Courier(Post);

impl Courier {
    /// A courier of this queue.
    pub const fn new(post: Post) -> Self {
        Self(post)
    }

    /// The courier as an instance's own work.
    pub fn own(self) -> Own {
        Box::new(move |stop| Box::pin(self.clone().deliver(stop)))
    }

    /// Sends what waits and what comes, until it is time to stop; what is being sent then has a moment left.
    pub async fn deliver(self, mut stop: Stop) {
        let mut under_way = JoinSet::new();
        let clock = self.0.office().parts.clock.clone();
        while !stop.is_asked() {
            let next = self.begin(&mut under_way).await.unwrap_or_else(|error| {
                tracing::warn!(error = &error as &dyn StdError, "the mail that waits cannot be read");
                clock.now().plus(REST)
            });
            let is_busy = under_way.len() >= MOST_AT_ONCE;
            tokio::select! {
                biased;
                () = stop.asked() => break,
                Some(_) = under_way.join_next() => {}
                () = self.0.office().arrived.notified(), if !is_busy => {}
                () = clock.reached(next), if !is_busy => {}
            }
        }
        let rest = async { while under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_MOMENT, rest).await.is_err() {
            tracing::warn!("mail that was being sent when the server stopped is tried again later");
        }
    }

    /// Begins to send as much as there is room for; says when to look again.
    async fn begin(&self, under_way: &mut JoinSet<()>) -> StoreResult<Timestamp> {
        let parts = &self.0.office().parts;
        let now = parts.clock.now();
        let room = MOST_AT_ONCE.saturating_sub(under_way.len());
        let due = parts.store.find_next_mail().await?;
        if room == 0 || due.is_none_or(|due| due > now) {
            return Ok(due.unwrap_or(Timestamp::MAX).min(now.plus(LOOKS_AGAIN)));
        }
        let most = i64::try_from(room).unwrap_or(1);
        let claimed = parts.store.claim_mails(now, most, now.plus(CLAIM)).await?;
        let all = claimed.len() < room;
        for row in claimed {
            let courier = self.clone();
            under_way.spawn(async move { courier.try_to_send(row).await });
        }
        // What others are about to take is not there any more in a moment.
        Ok(if all { now.plus(Duration::from_secs(1)) } else { now })
    }

    async fn try_to_send(&self, row: MailRecord) {
        let parts = &self.0.office().parts;
        let attempt = Attempt { id: row.id, number: row.attempts };
        let now = parts.clock.now();
        let outcome = if row.expires_at.is_some_and(|at| at <= now.as_micros()) {
            Outcome::Dead("its link had expired before it could be sent".to_owned())
        } else {
            match self.0.open(&row) {
                None => Outcome::Dead("it was sealed under another `SECRET_KEY`".to_owned()),
                Some(mail) => {
                    let sent = tokio::time::timeout(PATIENCE, parts.mailer.send(&mail)).await;
                    judge(sent.unwrap_or_else(|late| Err(MailError::Delayed(Box::new(late)))), attempt)
                }
            }
        };
        parts.metrics.note(outcome.posted());
        match &outcome {
            Outcome::Sent => tracing::info!(mail.id = %row.id, mail.kind = row.kind, "mail was sent"),
            // The mail server's words may hold the address, so they are kept beside the mail and not in the log.
            Outcome::Later(_) => {
                tracing::warn!(mail.id = %row.id, mail.kind = row.kind, attempt = row.attempts, "mail was not taken yet");
            }
            Outcome::Dead(_) => {
                // Anybody can name an address that does not exist: no fault of ours that had to be reported.
                tracing::warn!(mail.id = %row.id, mail.kind = row.kind, "mail was given up; see `mindflow mail list`");
            }
        }
        self.mark(attempt, outcome).await;
    }

    /// Writes the outcome down. While the database is away, it is tried until others may take the mail.
    async fn mark(&self, attempt: Attempt, outcome: Outcome) {
        for _ in 0..MARKS {
            match self.mark_once(attempt, outcome.clone()).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(mail.id = %attempt.id, error = &error as &dyn StdError, "a mail's outcome is not kept yet");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    async fn mark_once(&self, attempt: Attempt, outcome: Outcome) -> StoreResult<()> {
        let parts = &self.0.office().parts;
        let now = parts.clock.now();
        let work = parts.store.write(move |tx| {
            Box::pin(async move {
                match outcome {
                    Outcome::Sent => tx.delete_sent_mail(attempt).await.map(drop),
                    Outcome::Later(error) => tx.delay_mail(attempt, now.plus(backoff(attempt)), &error).await,
                    Outcome::Dead(error) => tx.bury_mail(attempt, now, &error).await,
                }?;
                Ok::<_, StoreError>(())
            })
        });
        work.await
    }
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Sent,
    Later(String),
    Dead(String),
}

impl Outcome {
    const fn posted(&self) -> Posted {
        match self {
            Self::Sent => Posted::Sent,
            Self::Later(_) => Posted::Failed,
            Self::Dead(_) => Posted::Dead,
        }
    }
}

fn judge(sent: Result<(), MailError>, attempt: Attempt) -> Outcome {
    match sent {
        Ok(()) => Outcome::Sent,
        Err(MailError::Refused(reason)) => Outcome::Dead(chain(&*reason)),
        Err(error) => {
            let said = error.source().map_or_else(|| error.to_string(), chain);
            if attempt.number >= MOST_ATTEMPTS { Outcome::Dead(said) } else { Outcome::Later(said) }
        }
    }
}

/// Everything that an error says, as a line of at most 500 characters.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line = format!("{line}: {cause}");
        source = cause.source();
    }
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

/// How long to wait after this attempt: doubled each time, a fifth more or less by chance.
fn backoff(attempt: Attempt) -> Duration {
    let doublings = u32::try_from(attempt.number - 1).unwrap_or(0).min(12);
    let wait = (FIRST_RETRY * 2_u32.pow(doublings)).min(LAST_RETRY);
    let permille = u32::try_from(RandomState::new().hash_one(attempt.id) % 400).unwrap_or(0);
    wait * (800 + permille) / 1000
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn mail_is_tried_for_two_days() {
        let attempts = (1..MOST_ATTEMPTS).map(|number| backoff(Attempt { id: Uuid::nil(), number }));

        let hours = attempts.sum::<Duration>().as_secs() / 3600;

        assert!((36..=58).contains(&hours), "{hours}");
    }

    #[test]
    fn what_is_refused_or_tried_too_often_is_given_up() {
        let refused = || MailError::Refused("550 no such user".into());
        let delayed = || MailError::Delayed("451 come\r\nback".into());
        let number = |number| Attempt { id: Uuid::nil(), number };

        assert_eq!(judge(Ok(()), number(1)), Outcome::Sent);
        assert_eq!(judge(Err(refused()), number(1)), Outcome::Dead("550 no such user".to_owned()));
        assert_eq!(judge(Err(delayed()), number(1)), Outcome::Later("451 come  back".to_owned()));
        assert!(matches!(judge(Err(delayed()), number(MOST_ATTEMPTS)), Outcome::Dead(_)));
        assert!(matches!(judge(Err(MailError::NotConfigured), number(1)), Outcome::Later(_)));
    }
}
