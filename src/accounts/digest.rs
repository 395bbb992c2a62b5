//! The mail of the morning: how often somebody wants it, when it is due, and how they end it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{Datelike as _, Weekday};
use chrono_tz::Tz;
use uuid::Uuid;

use super::audit::AuditEntry;
use super::error::AccountError;
use super::secrets::RandomError;
use super::{Accounts, Origin};
use crate::calendar::{Windows, local_date, resolve_local};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::secret_key::SecretKey;
use crate::store::{StoreError, StoreResult};

/// Where the link to end these mails leads, below the public URL.
pub const UNSUBSCRIBE_PATH: &str = "/oauth/unsubscribe";
/// What the link's seal is made for.
const PURPOSE: &str = "unsubscribe";
/// Days that are looked through for the next one: more than a week, as some zones have left out a day.
const DAYS_AHEAD: usize = 16;

/// How often somebody wants to read what there is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DigestChoice {
    /// Never.
    #[default]
    Off,
    /// Each morning.
    Daily,
    /// On Mondays.
    Weekly,
}

impl DigestChoice {
    /// The word that is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }

    /// Reads a stored word.
    pub fn parse(text: &str) -> StoreResult<Self> {
        [Self::Off, Self::Daily, Self::Weekly]
            .into_iter()
            .find(|choice| choice.as_str() == text)
            .ok_or_else(|| StoreError::corrupt("digest", text))
    }

    /// The first start of a morning after `after` on which it is due, in `zone`; local times as [`resolve_local`] reads them.
    pub fn next_at(self, after: Timestamp, zone: Tz, windows: &Windows) -> Option<Timestamp> {
        let wanted = |day: Weekday| match self {
            Self::Off => false,
            Self::Daily => true,
            Self::Weekly => day == Weekday::Mon,
        };
        let days = local_date(after, zone).iter_days().take(DAYS_AHEAD).filter(|date| wanted(date.weekday()));
        days.map(|date| resolve_local(date.and_time(windows.morning.start_time()), zone)).find(|at| *at > after)
    }
}

/// The link with which this person ends these mails, without signing in.
pub fn unsubscribe_link(secret: &SecretKey, server: &str, user: UserId) -> Result<String, RandomError> {
    let seal = URL_SAFE_NO_PAD.encode(secret.mac(PURPOSE, &[user.0.as_bytes()])?);
    Ok(format!("{server}{UNSUBSCRIBE_PATH}?token={}.{seal}", user.0.simple()))
}

impl Accounts {
    /// Ends the mails of the morning for who holds their link. Who has ended them already, or is gone, hears the same.
    ///
    /// # Errors
    ///
    /// [`AccountError::Invalid`] when this server made no such link.
    pub async fn unsubscribe(&self, token: &str, origin: &Origin) -> Result<(), AccountError> {
        let user = self.holder_of(token).ok_or_else(|| AccountError::fault("/token", &"is no link of this server"))?;
        let now = self.clock.now();
        let entry = AuditEntry::anonymous(Some(user), "user.updated", now).on(user.0).from(origin);
        let entry = entry.with(serde_json::json!({ "fields": ["preferences.digest"] }));
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                if tx.end_digest(user, now).await? {
                    tx.insert_audit(&entry).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        Ok(work.await?)
    }

    fn holder_of(&self, token: &str) -> Option<UserId> {
        let (id, seal) = token.split_once('.')?;
        let (id, seal) = (Uuid::try_parse(id).ok()?, URL_SAFE_NO_PAD.decode(seal).ok()?);
        self.secret.mac_matches(PURPOSE, &[id.as_bytes()], &seal).then_some(UserId(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Window, parse_moment};

    const DEFAULT: [&str; 2] = ["06:00", "12:00"];

    fn next(choice: DigestChoice, after: &str, zone: &str, morning: [&str; 2]) -> String {
        let window = |from, to| Window::parse(from, to).unwrap();
        let windows = Windows {
            morning: window(morning[0], morning[1]),
            afternoon: window("12:00", "18:00"),
            evening: window("18:00", "23:00"),
        };
        let after = parse_moment(after, chrono_tz::UTC).unwrap();
        choice.next_at(after, zone.parse().unwrap(), &windows).unwrap().to_string()
    }

    #[test]
    fn it_is_due_when_the_morning_begins_where_the_person_is() {
        let cases = [
            ("2026-03-23T04:59:59Z", "Europe/Vienna", "2026-03-23T05:00:00Z"),
            ("2026-03-23T05:00:00Z", "Europe/Vienna", "2026-03-24T05:00:00Z"),
            ("2026-03-28T05:00:00Z", "Europe/Vienna", "2026-03-29T04:00:00Z"),
            ("2026-10-24T04:00:00Z", "Europe/Vienna", "2026-10-25T05:00:00Z"),
            ("2026-03-23T12:00:00Z", "Pacific/Kiritimati", "2026-03-23T16:00:00Z"),
            ("2026-03-23T12:00:00Z", "Pacific/Pago_Pago", "2026-03-23T17:00:00Z"),
            ("2011-12-30T15:59:00Z", "Pacific/Apia", "2011-12-30T16:00:00Z"),
        ];

        for (after, zone, expected) in cases {
            assert_eq!(next(DigestChoice::Daily, after, zone, DEFAULT), expected, "{after} {zone}");
        }
    }

    #[test]
    fn a_morning_that_the_clock_skips_or_repeats_comes_once() {
        let skipped = next(DigestChoice::Daily, "2026-03-28T12:00:00Z", "Europe/Vienna", ["02:30", "12:00"]);
        assert_eq!(skipped, "2026-03-29T01:30:00Z");
        let doubled = next(DigestChoice::Daily, "2026-10-24T12:00:00Z", "Europe/Vienna", ["02:30", "12:00"]);
        assert_eq!(doubled, "2026-10-25T00:30:00Z");
        assert_eq!(next(DigestChoice::Daily, &doubled, "Europe/Vienna", ["02:30", "12:00"]), "2026-10-26T01:30:00Z");
    }

    #[test]
    fn once_a_week_is_on_mondays_and_never_is_never() {
        assert_eq!(next(DigestChoice::Weekly, "2026-03-23T12:00:00Z", "UTC", DEFAULT), "2026-03-30T06:00:00Z");
        let windows = Windows {
            morning: Window::new(360, 720).unwrap(),
            afternoon: Window::new(720, 1080).unwrap(),
            evening: Window::new(1080, 1380).unwrap(),
        };
        assert_eq!(DigestChoice::Off.next_at(Timestamp::MIN, Tz::UTC, &windows), None);
    }
}
