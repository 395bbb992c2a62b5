//! A person with an account.

use std::sync::Arc;

use chrono_tz::Tz;

use super::Scopes;
use super::digest::DigestChoice;
use crate::calendar::{Windows, parse_zone};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::scoring::params::PolicyParams;
use crate::store::accounts::UserRecord;
use crate::store::{StoreError, StoreResult};

/// The longest name of a person, in code points.
pub const FULL_NAME_MAX: usize = 200;

/// What somebody is on this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has an account.
    User,
    /// Operates the server.
    Admin,
}

impl Role {
    /// The name that is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> StoreResult<Self> {
        [Self::User, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| StoreError::corrupt("role", text))
    }

    /// The most that a credential of theirs can allow.
    pub fn scopes(self) -> Scopes {
        use super::Scope::{Admin, Read, Write};
        match self {
            Self::User => [Read, Write].into_iter().collect(),
            Self::Admin => [Read, Write, Admin].into_iter().collect(),
        }
    }
}

/// Whether somebody may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// They may.
    Active,
    /// An operator shut them out; their data stays.
    Disabled,
}

impl Status {
    /// The name that is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> StoreResult<Self> {
        [Self::Active, Self::Disabled]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| StoreError::corrupt("status", text))
    }
}

/// A person, with their password's hash left out.
#[derive(Clone, Debug)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// The address as it was given.
    pub email: String,
    /// What they are called.
    pub full_name: Option<String>,
    /// The zone in which their days are counted.
    pub zone: Tz,
    /// Their own windows; `None` leaves them to the policy.
    pub windows: Option<Windows>,
    /// The policy they chose; `None` is the server's default.
    pub policy: Option<String>,
    /// What they set of the parameters of policies.
    pub policy_params: Arc<PolicyParams>,
    /// What they are on this server.
    pub role: Role,
    /// Whether they may come in.
    pub status: Status,
    /// How often they want to read what there is to do.
    pub digest: DigestChoice,
    /// Whether they proved that the address is theirs.
    pub email_verified: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

impl TryFrom<UserRecord> for User {
    type Error = StoreError;

    fn try_from(record: UserRecord) -> StoreResult<Self> {
        Ok(Self {
            id: UserId(record.id),
            zone: read_zone(&record.time_zone)?,
            windows: read_windows(record.windows.as_deref())?,
            role: Role::parse(&record.role)?,
            status: Status::parse(&record.status)?,
            digest: DigestChoice::parse(&record.digest)?,
            email: record.email,
            email_verified: record.email_verified_at.is_some(),
            full_name: record.full_name,
            policy: record.policy,
            policy_params: read_params(record.policy_params.as_deref())?.into(),
            created_at: Timestamp::from_micros(record.created_at),
            updated_at: Timestamp::from_micros(record.updated_at),
        })
    }
}

/// Reads a stored zone.
pub(super) fn read_zone(name: &str) -> StoreResult<Tz> {
    parse_zone(name).ok_or_else(|| StoreError::corrupt("time zone", name))
}

/// Reads the zone and the windows of somebody, as they are stored.
pub(crate) fn days_of(zone: &str, windows: Option<&str>) -> StoreResult<(Tz, Option<Windows>)> {
    Ok((read_zone(zone)?, read_windows(windows)?))
}

/// Reads what somebody set of the parameters of policies.
pub(super) fn read_params(json: Option<&str>) -> StoreResult<PolicyParams> {
    let params = json.map(|json| serde_json::from_str(json).map_err(|_| StoreError::corrupt("policy params", json)));
    Ok(params.transpose()?.unwrap_or_default())
}

/// Reads stored windows.
pub(super) fn read_windows(json: Option<&str>) -> StoreResult<Option<Windows>> {
    json.map(|json| serde_json::from_str(json).map_err(|_| StoreError::corrupt("windows", json))).transpose()
}
