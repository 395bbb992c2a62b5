//! How protected resources ask for a token and refuse one (RFC 6750, section 3; RFC 9728, section 5.1).

use crate::accounts::{Scope, Scopes};
use crate::oauth::Resource;
use crate::oauth::metadata::resource_metadata_url;

/// The values of `WWW-Authenticate` for one resource.
#[derive(Clone, Debug)]
pub struct Challenges {
    start: String,
}

impl Challenges {
    /// Challenges that lead clients of `resource` to the authorization server `issuer`.
    pub fn new(issuer: &str, resource: Resource) -> Self {
        let url = resource_metadata_url(issuer, resource);
        Self { start: format!("Bearer realm=\"MindFlow\", resource_metadata=\"{url}\"") }
    }

    /// For a request without a token. No error is named: the client may just not have known.
    pub fn missing(&self, needed: Scope) -> String {
        format!("{}, scope=\"{}\"", self.start, with_lesser(needed))
    }

    /// For a token that is worth nothing here; `reason` completes "The access token …".
    pub fn invalid(&self, reason: &str, needed: Scope) -> String {
        let error = format!("error=\"invalid_token\", error_description=\"The access token {reason}\"");
        format!("{}, {error}, scope=\"{}\"", self.start, with_lesser(needed))
    }

    /// For a token that allows too little. The scopes are all that the operation needs, as clients ask for just these, and
    /// what the token allows already: who asks anew shall not lose it.
    pub fn insufficient(&self, needed: Scope, held: Scopes) -> String {
        let most = held.iter().fold(needed, Ord::max);
        format!("{}, error=\"insufficient_scope\", scope=\"{}\"", self.start, with_lesser(most))
    }

    /// For a token of a program, where none of its scopes would help.
    pub fn not_for_programs(&self) -> String {
        let description = "Programs that a person connected cannot do this";
        format!("{}, error=\"insufficient_scope\", error_description=\"{description}\"", self.start)
    }
}

/// A scope after the lesser ones: a client that asks for nothing else than what it is told shall lose nothing.
const fn with_lesser(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Write => "read write",
        Scope::Admin => "read write admin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_says_where_to_get_a_token_and_for_what() {
        let challenges = Challenges::new("https://mindflow.example", Resource::Mcp);
        let start = "Bearer realm=\"MindFlow\", \
                     resource_metadata=\"https://mindflow.example/.well-known/oauth-protected-resource/mcp\"";

        assert_eq!(challenges.missing(Scope::Read), format!("{start}, scope=\"read\""));
        assert_eq!(
            challenges.insufficient(Scope::Write, Scopes::default()),
            format!("{start}, error=\"insufficient_scope\", scope=\"read write\"")
        );
        let writes: Scopes = [Scope::Write].into_iter().collect();
        assert!(challenges.insufficient(Scope::Read, writes).ends_with("scope=\"read write\""));
        assert!(challenges.invalid("expired", Scope::Read).contains("error=\"invalid_token\""));
        assert!(!challenges.not_for_programs().contains("scope=\""));
    }
}
