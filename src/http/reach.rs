//! Which operations programs may call that a person connected by OAuth: one table; what is not in it is for people.
//!
//! A program acts on tasks within its scopes. It does not act on the account that let it in: sessions, tokens, password,
//! second factor, other programs. Personal tokens and sign-ins are the person's own.

use poem::http::Method;

use crate::accounts::Credential;

/// The beginnings of the paths that programs may call, within their scopes.
const PROGRAMS: [&str; 10] = [
    "/api/tasks",
    "/api/attachments",
    "/api/projects",
    "/api/labels",
    "/api/undo",
    "/api/events",
    "/api/export",
    "/api/import",
    "/api/policies",
    "/mcp/tools",
];
/// Single operations beside them: a program may say for whom it works.
const SINGLE: [(Method, &str); 1] = [(Method::GET, "/api/auth/me")];

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Whoever has its scope.
    Everybody,
    /// People themselves, not the programs that they connected.
    People,
}

impl Reach {
    /// The reach of an operation, by its method and route pattern.
    pub fn of(method: &Method, pattern: &str) -> Self {
        let below =
            |start: &str| pattern.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let listed = PROGRAMS.into_iter().any(below) || SINGLE.contains(&(method.clone(), pattern));
        if listed { Self::Everybody } else { Self::People }
    }

    /// Whether who came with `credential` is within it.
    pub const fn includes(self, credential: Credential) -> bool {
        matches!(self, Self::Everybody) || !matches!(credential, Credential::Grant(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{GrantId, SessionId};
    use uuid::Uuid;

    #[test]
    fn programs_act_on_tasks_and_not_on_the_account() {
        let reach = |method, pattern| Reach::of(&method, pattern);

        for open in ["/api/tasks", "/api/tasks/{task_id}/snooze", "/api/undo", "/api/export"] {
            assert_eq!(reach(Method::POST, open), Reach::Everybody, "{open}");
        }
        assert_eq!(reach(Method::GET, "/api/auth/me"), Reach::Everybody);
        for closed in ["/api/auth/me", "/api/auth/tokens", "/api/auth/sessions", "/api/tasksx", "/api/new", "/admin"] {
            assert_eq!(reach(Method::DELETE, closed), Reach::People, "{closed}");
        }
        assert!(!Reach::People.includes(Credential::Grant(GrantId(Uuid::nil()))));
        assert!(Reach::People.includes(Credential::Session(SessionId(Uuid::nil()))));
        assert!(Reach::Everybody.includes(Credential::Grant(GrantId(Uuid::nil()))));
    }
}
