//! Examples of what clients send and see.

use chrono::DateTime;
use poem_openapi::types::{Example, MaybeUndefined, Password};
use uuid::Uuid;

use super::bodies::{
    ChangePassword, CreateToken, DeleteMe, Login, Logout, RefreshSession, Register, ScopeView, UpdateMe,
    UpdatePreferences, UpdateWindows,
};
use super::views::{
    CreatedTokenView, DigestView, PasskeyView, PreferencesView, RoleView, SignedInView, TokenTypeView, UserView,
    WindowsView,
};
use crate::http::fields::{EmailAddress, FullName, Moment, NewPassword, TokenName, WindowTime, ZoneName};

/// A refresh token as it looks; it opens nothing.
const REFRESH: &str = "example-w0gNw8dO2bS7kq3mYx1tZ5aVhJc9RfLuEiPs";
/// A personal access token as it looks; it opens nothing.
const PERSONAL: &str = "mf_example-5aVhJc9RfLuEiPsw0gNw8dO2bS7kq3mYx1t";
/// 2026-11-21T07:00:00Z
const SOME_TIME: i64 = 1_795_244_400;
const SOME_ID: Uuid = Uuid::from_u128(0x019a_a4f2_9d40_7c3e_8f21_6b1d_54e7_a0c3);

impl Example for Register {
    fn example() -> Self {
        Self {
            email: EmailAddress("ada@example.org".to_owned()),
            password: NewPassword("correct horse battery".to_owned()),
            full_name: Some(FullName("Ada Lovelace".to_owned())),
            time_zone: Some(ZoneName("Europe/London".to_owned())),
            invite: None,
        }
    }
}

impl Example for Login {
    fn example() -> Self {
        Self { email: "ada@example.org".to_owned(), password: Password("correct horse battery".to_owned()), code: None }
    }
}

impl Example for UpdateMe {
    fn example() -> Self {
        let window =
            |start: &str, end: &str| MaybeUndefined::Value([start, end].map(|time| WindowTime(time.to_owned())).into());
        let windows = UpdateWindows {
            morning: window("06:00", "12:00"),
            afternoon: window("12:00", "18:00"),
            evening: window("18:00", "23:00"),
        };
        Self {
            full_name: MaybeUndefined::Value(FullName("Ada Lovelace".to_owned())),
            time_zone: Some(ZoneName("Europe/London".to_owned())),
            preferences: Some(UpdatePreferences {
                windows: MaybeUndefined::Value(windows),
                policy: MaybeUndefined::Value("default".to_owned()),
                policy_params: MaybeUndefined::Undefined,
                digest: MaybeUndefined::Value(DigestView::Daily),
            }),
        }
    }
}

impl Example for CreateToken {
    fn example() -> Self {
        Self {
            name: TokenName("backup script".to_owned()),
            scopes: vec![ScopeView::Read],
            expires_at: Some(Moment("2099-12-31".to_owned())),
        }
    }
}

impl Example for RefreshSession {
    fn example() -> Self {
        Self { refresh_token: REFRESH.to_owned() }
    }
}

impl Example for Logout {
    fn example() -> Self {
        Self { refresh_token: Some(REFRESH.to_owned()) }
    }
}

impl Example for DeleteMe {
    fn example() -> Self {
        Self { password: Password("correct horse battery".to_owned()) }
    }
}

impl Example for ChangePassword {
    fn example() -> Self {
        Self {
            current_password: Password("correct horse battery".to_owned()),
            new_password: NewPassword("staple of the same horse".to_owned()),
        }
    }
}

impl Example for UserView {
    fn example() -> Self {
        let window = |start: &str, end: &str| vec![start.to_owned(), end.to_owned()];
        let windows = WindowsView {
            morning: window("06:00", "12:00"),
            afternoon: window("12:00", "18:00"),
            evening: window("18:00", "23:00"),
        };
        Self {
            id: SOME_ID,
            email: "ada@example.org".to_owned(),
            email_verified: true,
            full_name: Some("Ada Lovelace".to_owned()),
            time_zone: "Europe/London".to_owned(),
            role: RoleView::User,
            preferences: PreferencesView {
                windows,
                policy: "default".to_owned(),
                policy_params: std::collections::BTreeMap::new(),
                digest: DigestView::Daily,
            },
            created_at: DateTime::from_timestamp_nanos(SOME_TIME * 1_000_000_000),
            updated_at: DateTime::from_timestamp_nanos(SOME_TIME * 1_000_000_000),
        }
    }
}

impl Example for SignedInView {
    fn example() -> Self {
        Self {
            access_token: "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl".to_owned(),
            token_type: TokenTypeView::Bearer,
            expires_in: 3600,
            refresh_token: REFRESH.to_owned(),
        }
    }
}

impl Example for PasskeyView {
    fn example() -> Self {
        Self {
            id: SOME_ID,
            name: "Ada’s phone".to_owned(),
            host: "mindflow.example.org".to_owned(),
            last_used_at: None,
            created_at: DateTime::from_timestamp_nanos(SOME_TIME * 1_000_000_000),
        }
    }
}

impl Example for CreatedTokenView {
    fn example() -> Self {
        Self {
            id: SOME_ID,
            name: "backup script".to_owned(),
            token: PERSONAL.to_owned(),
            scopes: vec![ScopeView::Read],
            expires_at: DateTime::from_timestamp(4_102_358_400, 0),
            last_used_at: None,
            created_at: DateTime::from_timestamp_nanos(SOME_TIME * 1_000_000_000),
        }
    }
}
