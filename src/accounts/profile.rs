//! What somebody tells about themselves and chooses: name, zone, day, policy, password.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::attempts::Guess;
use super::audit::AuditEntry;
use super::digest::DigestChoice;
use super::error::{AccountError, Faults};
use super::letters::letter_to;
use super::passwords::{Verdict, check_strength};
use super::policy_params::set_params;
use super::registration::ZONE_RULE;
use super::user::{FULL_NAME_MAX, read_windows, read_zone};
use super::{Accounts, Caller, Credential, Origin, PolicyDirectory, User};
use crate::calendar::{TimeOfDay, Window, Windows, parse_zone};
use crate::clock::Timestamp;
use crate::events::{Happening, Happenings};
use crate::fault::Fault;
use crate::mail::Message;
use crate::scoring::params::{ParamValue, ParamValues};
use crate::store::accounts::{ProfileRecord, UserRecord};
use crate::store::{StoreError, StoreResult};
use crate::tasks::text::one_line;

const WINDOW_RULE: &str =
    "must be a start and another end, such as `06:00` and `12:00`; an end may be `24:00` or lie after midnight";

/// What a merge patch does to one field (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It was absent.
    #[default]
    Keep,
    /// It was `null`.
    Clear,
    /// It had a value.
    Set(T),
}

/// What is to change of a profile.
#[derive(Clone, Debug, Default)]
pub struct ProfileChanges {
    /// What they are called.
    pub full_name: Change<String>,
    /// IANA name; it cannot be cleared.
    pub time_zone: Option<String>,
    /// Their day; clearing leaves it to the policy.
    pub windows: Change<WindowChanges>,
    /// The policy's name; clearing chooses the server's default.
    pub policy: Change<String>,
    /// Values of the parameters of the policy that is theirs afterwards; `null` gives one back, clearing all of them.
    pub policy_params: Change<BTreeMap<String, serde_json::Value>>,
    /// How often they want to read what there is to do; clearing is never.
    pub digest: Change<DigestChoice>,
}

/// What is to change of a day; clearing a part gives it the policy's window.
#[derive(Clone, Debug, Default)]
pub struct WindowChanges {
    /// Start and end of the morning.
    pub morning: Change<[String; 2]>,
    /// Start and end of the afternoon.
    pub afternoon: Change<[String; 2]>,
    /// Start and end of the evening.
    pub evening: Change<[String; 2]>,
}

/// What is in force for somebody, chosen by them or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Preferences {
    /// Their day.
    pub windows: Windows,
    /// The policy's name.
    pub policy: String,
    /// The values of those of its parameters that they may set.
    pub policy_params: ParamValues,
    /// How often they are told what there is to do.
    pub digest: DigestChoice,
}

/// [`ProfileChanges`] that keep the rules.
struct Checked {
    full_name: Change<String>,
    zone: Option<Tz>,
    windows: Change<[Change<Window>; 3]>,
    policy: Change<String>,
    params: Change<BTreeMap<String, Option<ParamValue>>>,
    digest: Change<DigestChoice>,
}

impl Accounts {
    /// The caller's own row.
    pub async fn get_me(&self, caller: &Caller) -> Result<User, AccountError> {
        let row = self.store.find_user(caller.user_id).await?.ok_or(AccountError::NotFound("account"))?;
        Ok(row.try_into()?)
    }

    /// What is in force for this person.
    pub fn preferences(&self, user: &User) -> Preferences {
        let policy = user.policy.clone().unwrap_or_else(|| self.policies.default_name());
        let params = self.policies.params(&policy);
        let own = user.policy_params.get(&policy);
        Preferences {
            windows: user.windows.unwrap_or_else(|| self.policies.windows(user.policy.as_deref())),
            policy_params: own.map_or_else(|| params.defaults(), |own| params.with_own(&params.defaults(), own)),
            policy,
            digest: user.digest,
        }
    }

    /// Holds changes of a profile against every rule.
    pub fn check_changes(&self, caller: &Caller, changes: ProfileChanges) -> Result<(), AccountError> {
        self.check(caller, changes).map(drop)
    }

    /// Changes the caller's profile and tells who depends on the zone, together or not at all.
    pub async fn update_me(
        &self,
        caller: &Caller,
        changes: ProfileChanges,
        origin: &Origin,
    ) -> Result<User, AccountError> {
        let checked = self.check(caller, changes)?;
        let (id, now) = (caller.user_id, self.clock.now());
        let entry = AuditEntry::by(caller, "user.updated", now).on(id.0).from(origin);
        let (policies, follower) = (self.policies.clone(), self.zone_follower.clone());
        let request_id = caller.request_id.to_string().into();
        let row = self.store.write_of(id, move |tx| {
            Box::pin(async move {
                let row = tx.lock_user(id).await?.ok_or(AccountError::NotFound("account"))?;
                let (profile, differing) = apply(&row, checked, &*policies, now)?;
                if differing.is_empty() {
                    return Ok(row);
                }
                let number = tx.update_profile(id, &profile, now).await?;
                let fields = differing.iter().copied().map(Into::into).collect();
                let updated = Happening { kind: "user.updated".into(), entity: "user".into(), id: id.0, fields };
                let events = Happenings { request_id, via: "api".into(), events: vec![updated] };
                events.keep(tx, id, number, now).await?;
                if profile.time_zone != row.time_zone {
                    follower.move_to(tx, id, read_zone(&profile.time_zone)?, now).await?;
                }
                tx.insert_audit(&entry.with(serde_json::json!({ "fields": differing }))).await?;
                tx.lock_user(id).await?.ok_or(AccountError::NotFound("account"))
            })
        });
        Ok(row.await?.try_into()?)
    }

    /// Removes the caller's account and every row of it.
    pub async fn delete_me(&self, caller: &Caller, password: &str, origin: &Origin) -> Result<(), AccountError> {
        self.confirm(caller, password, origin).await?;
        let id = caller.user_id;
        Ok(self.store.write_of(id, move |tx| Box::pin(async move { tx.delete_user(id).await })).await?)
    }

    /// Holds a new password of the caller against every rule.
    pub async fn check_new_password(&self, caller: &Caller, current: &str, new: &str) -> Result<(), AccountError> {
        let user = self.get_me(caller).await?;
        let strength = check_strength(new, &user.email, user.full_name.as_deref());
        strength.map_err(|error| AccountError::fault("/new_password", &error))?;
        if new == current {
            let fault = Fault::new("/new_password", "must differ from the current one");
            return Err(AccountError::Invalid(vec![fault.because_of("/current_password")]));
        }
        Ok(())
    }

    /// Replaces the caller's password and ends everything else that acts for them: their other sessions, connected apps,
    /// personal access tokens.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: &str,
        new: &str,
        origin: &Origin,
    ) -> Result<(), AccountError> {
        self.check_new_password(caller, current, new).await?;
        let confirmed = self.confirm(caller, current, origin).await?;
        let hash = self.passwords.hash(new).await?;
        let kept = match caller.credential {
            Credential::Session(id) => Some(id),
            Credential::PersonalToken(_) | Credential::Grant(_) | Credential::Shell => None,
        };
        let (id, now) = (caller.user_id, self.clock.now());
        let entry = AuditEntry::by(caller, "password.changed", now).from(origin);
        let post = self.post.clone();
        self.store
            .write_of(id, move |tx| {
                Box::pin(async move {
                    let row = tx.lock_user(id).await?.ok_or(AccountError::NotFound("account"))?;
                    if row.password_hash != confirmed {
                        return Err(AccountError::WrongPassword);
                    }
                    tx.set_password(id, &hash, now).await?;
                    let ended = tx.end_everything(id, kept).await?;
                    let details = serde_json::json!({
                        "sessions": ended.sessions, "apps": ended.grants, "tokens": ended.tokens
                    });
                    tx.insert_audit(&entry.with(details)).await?;
                    post.put::<AccountError>(tx, letter_to(&row, Message::PasswordChanged)).await
                })
            })
            .await?;
        self.post.wake();
        Ok(())
    }

    /// Checks the caller's password; gives the stored hash that it fits.
    pub(super) async fn confirm(
        &self,
        caller: &Caller,
        password: &str,
        origin: &Origin,
    ) -> Result<String, AccountError> {
        let row = self.store.find_user(caller.user_id).await?.ok_or(AccountError::NotFound("account"))?;
        let attempt = self.attempts.begin(Guess::Password(&row.email_key))?;
        let verdict = self.passwords.verify(password, Some(&row.password_hash)).await;
        if !matches!(verdict, Ok(Verdict::Wrong)) {
            attempt.forgive();
            return verdict.map(|_| row.password_hash).map_err(AccountError::from);
        }
        let entry = AuditEntry::by(caller, "password.refused", self.clock.now()).from(origin);
        self.store.write(move |tx| Box::pin(async move { tx.insert_audit(&entry).await })).await?;
        Err(AccountError::WrongPassword)
    }

    fn check(&self, caller: &Caller, changes: ProfileChanges) -> Result<Checked, AccountError> {
        let mut faults = Faults::default();
        let full_name = match changes.full_name {
            Change::Set(name) => faults.check(one_line("/full_name", &name, FULL_NAME_MAX)).map(Change::Set),
            Change::Clear => Some(Change::Clear),
            Change::Keep => Some(Change::Keep),
        };
        let zone = changes.time_zone.map(|name| parse_zone(&name).ok_or(ZONE_RULE)).transpose();
        let zone = faults.take("/time_zone", zone).flatten();
        let windows = match changes.windows {
            Change::Set(windows) => Change::Set(check_windows(&mut faults, windows)),
            Change::Clear => Change::Clear,
            Change::Keep => Change::Keep,
        };
        if let Change::Set(name) = &changes.policy
            && !self.policies.has(name)
        {
            faults.take("/preferences/policy", Err::<(), _>("must be the name of a policy of this server"));
        }
        let policy = match &changes.policy {
            Change::Set(name) => Some(name),
            Change::Clear => None,
            Change::Keep => caller.policy.as_ref(),
        };
        let policy = policy.cloned().unwrap_or_else(|| self.policies.default_name());
        let params = match changes.policy_params {
            Change::Set(params) => Change::Set(self.check_params(&mut faults, &policy, params)),
            Change::Clear => Change::Clear,
            Change::Keep => Change::Keep,
        };
        let full_name = faults.finish(full_name)?;
        Ok(Checked { full_name, zone, windows, policy: changes.policy, params, digest: changes.digest })
    }
}

fn check_windows(faults: &mut Faults, windows: WindowChanges) -> [Change<Window>; 3] {
    let WindowChanges { morning, afternoon, evening } = windows;
    let parts = [(TimeOfDay::Morning, morning), (TimeOfDay::Afternoon, afternoon), (TimeOfDay::Evening, evening)];
    parts.map(|(time, change)| match change {
        Change::Set([start, end]) => {
            let field = format!("/preferences/windows/{}", time.as_str());
            let window = faults.take(&field, Window::parse(&start, &end).ok_or(WINDOW_RULE));
            window.map_or(Change::Keep, Change::Set)
        }
        Change::Clear => Change::Clear,
        Change::Keep => Change::Keep,
    })
}

/// The profile after the changes, and the names of the fields that differ.
fn apply(
    row: &UserRecord,
    changes: Checked,
    policies: &dyn PolicyDirectory,
    now: Timestamp,
) -> StoreResult<(ProfileRecord, Vec<&'static str>)> {
    let chosen = |old: &Option<String>, change| match change {
        Change::Keep => old.clone(),
        Change::Clear => None,
        Change::Set(new) => Some(new),
    };
    let policy = chosen(&row.policy, changes.policy);
    let windows = match changes.windows {
        Change::Keep => row.windows.clone(),
        Change::Clear => None,
        Change::Set(parts) => {
            let default = policies.windows(policy.as_deref());
            let windows = merge(read_windows(row.windows.as_deref())?, default, &parts);
            Some(serde_json::to_string(&windows).map_err(|_| StoreError::corrupt("windows", row.id))?)
        }
    };
    let digest = match changes.digest {
        Change::Keep => DigestChoice::parse(&row.digest)?,
        Change::Clear => DigestChoice::Off,
        Change::Set(choice) => choice,
    };
    let chosen_policy = policy.clone().unwrap_or_else(|| policies.default_name());
    let policy_params = set_params(row, &chosen_policy, changes.params)?;
    let mut profile = ProfileRecord {
        full_name: chosen(&row.full_name, changes.full_name),
        time_zone: changes.zone.map_or_else(|| row.time_zone.clone(), |zone| zone.name().to_owned()),
        windows,
        policy,
        policy_params,
        digest: digest.as_str(),
        digest_at: row.digest_at,
    };
    let day = (&profile.time_zone, &profile.windows, &profile.policy, profile.digest);
    if day != (&row.time_zone, &row.windows, &row.policy, row.digest.as_str()) {
        let own = read_windows(profile.windows.as_deref())?;
        let windows = own.unwrap_or_else(|| policies.windows(profile.policy.as_deref()));
        let next = digest.next_at(now, read_zone(&profile.time_zone)?, &windows);
        profile.digest_at = next.map(Timestamp::as_micros);
    }
    let differences = [
        ("full_name", profile.full_name != row.full_name),
        ("time_zone", profile.time_zone != row.time_zone),
        ("preferences.windows", profile.windows != row.windows),
        ("preferences.policy", profile.policy != row.policy),
        ("preferences.policy_params", profile.policy_params != row.policy_params),
        ("preferences.digest", profile.digest != row.digest),
    ];
    Ok((profile, differences.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()))
}

fn merge(own: Option<Windows>, default: Windows, parts: &[Change<Window>; 3]) -> Windows {
    let base = own.unwrap_or(default);
    let [morning, afternoon, evening] = parts;
    let part = |time: TimeOfDay, change: &Change<Window>| match change {
        Change::Keep => base.of(time),
        Change::Clear => default.of(time),
        Change::Set(window) => *window,
    };
    Windows {
        morning: part(TimeOfDay::Morning, morning),
        afternoon: part(TimeOfDay::Afternoon, afternoon),
        evening: part(TimeOfDay::Evening, evening),
    }
}
