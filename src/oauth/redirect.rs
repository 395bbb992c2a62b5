//! Where answers may be sent: which redirect URIs a client may register, and which of a request matches one of them.
//!
//! Everything is judged on the text as it was given. A URL library would mend what is broken (`http://127.1`,
//! `https:\\good@evil`), and what is mended here may be read otherwise by a browser.

/// The most redirect URIs of one client.
pub const MOST_REDIRECT_URIS: usize = 20;
/// The longest redirect URI, in bytes.
pub const LONGEST_REDIRECT_URI: usize = 2048;
/// The hosts that are this machine (RFC 8252, sections 7.3 and 8.3), as they must be written.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];
/// Schemes that programs use for redirects although they are no reverse domain names (RFC 8252, section 7.1).
const KNOWN_SCHEMES: [&str; 4] = ["cursor", "vscode", "vscode-insiders", "windsurf"];

/// What answers add to a redirect URI (RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207, section 2).
const RESERVED: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];

/// Why a redirect URI is refused; told as the end of a sentence that begins with the URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Nothing, or more than is stored.
    #[error("must have 1 to {LONGEST_REDIRECT_URI} characters")]
    Length,
    /// Blanks, control characters (also percent-encoded), backslashes and whatever else RFC 3986 does not know.
    #[error("holds a character that is not allowed")]
    Character,
    /// RFC 6749, section 3.1.2.
    #[error("must have no fragment")]
    Fragment,
    /// Redirect URIs match exactly.
    #[error("must have no wildcard")]
    Wildcard,
    /// `https://good.example@evil.example`.
    #[error("must have no user name")]
    UserInfo,
    /// The authority is no host with a port.
    #[error("has no host or a wrong one")]
    Host,
    /// RFC 8252, section 8.3.
    #[error("may use http for 127.0.0.1, [::1] and localhost only")]
    PlainHttp,
    /// RFC 8252, section 7.1.
    #[error("must begin with https, or http for this machine, or a reverse domain name such as com.example.app:/")]
    Scheme,
    /// The client could not tell them from the answer's own.
    #[error("must not have one of the parameters {}", RESERVED.join(", "))]
    Reserved,
}

/// The part of a redirect URI that decides how it is matched and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind<'a> {
    /// `https`; the host.
    Web(&'a str),
    /// Plain `http` to this machine: the host, and all that follows host and port.
    Loopback {
        /// As it is written.
        host: &'a str,
        /// Path and query.
        rest: &'a str,
    },
    /// A scheme that only one program on the person's device answers.
    PrivateUse(&'a str),
}

impl<'a> RedirectKind<'a> {
    /// Reads a redirect URI.
    ///
    /// # Errors
    ///
    /// Says which rule it breaks.
    pub fn parse(uri: &'a str) -> Result<Self, RedirectUriError> {
        check_characters(uri)?;
        let (scheme, rest) = uri.split_once(':').ok_or(RedirectUriError::Scheme)?;
        match scheme {
            "https" => {
                let (host, _) = split_authority(rest.strip_prefix("//").ok_or(RedirectUriError::Host)?)?;
                Ok(Self::Web(host))
            }
            "http" => {
                let (host, rest) = split_authority(rest.strip_prefix("//").ok_or(RedirectUriError::Host)?)?;
                if LOOPBACK.contains(&host) {
                    Ok(Self::Loopback { host, rest })
                } else {
                    Err(RedirectUriError::PlainHttp)
                }
            }
            scheme if is_private_use(scheme) && rest.starts_with('/') => {
                let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
                if authority.is_some_and(|authority| authority.contains('@')) {
                    return Err(RedirectUriError::UserInfo);
                }
                Ok(Self::PrivateUse(scheme))
            }
            _ => Err(RedirectUriError::Scheme),
        }
    }

    /// Reads a redirect URI that is to be registered. It must leave room for the answer: a client takes the first of two
    /// `code`s, or the last.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`]; [`RedirectUriError::Reserved`].
    pub fn parse_new(uri: &'a str) -> Result<Self, RedirectUriError> {
        let kind = Self::parse(uri)?;
        let query = uri.split_once('?').map_or("", |(_, query)| query);
        let reserved = url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| RESERVED.contains(&&*name));
        if reserved { Err(RedirectUriError::Reserved) } else { Ok(kind) }
    }

    /// Whether a program on the person's own device gets the answer: such clients cannot prove who they are.
    pub const fn is_native(self) -> bool {
        !matches!(self, Self::Web(_))
    }

    /// What people and operators know the place by: the host, or the scheme with its colon.
    pub fn place(self) -> String {
        match self {
            Self::Web(host) | Self::Loopback { host, .. } => host.to_owned(),
            Self::PrivateUse(scheme) => format!("{scheme}:"),
        }
    }
}

/// Whether `asked` is `registered`: the same text (RFC 9700, section 2.1), or the same but for the port when both lead to
/// the same loopback host (RFC 8252, section 7.3).
pub fn matches(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    match (RedirectKind::parse(registered), RedirectKind::parse(asked)) {
        (
            Ok(RedirectKind::Loopback { host, rest }),
            Ok(RedirectKind::Loopback { host: asked_host, rest: asked_rest }),
        ) => host == asked_host && rest == asked_rest,
        _ => false,
    }
}

fn check_characters(uri: &str) -> Result<(), RedirectUriError> {
    if uri.is_empty() || uri.len() > LONGEST_REDIRECT_URI {
        return Err(RedirectUriError::Length);
    }
    if uri.contains('#') {
        return Err(RedirectUriError::Fragment);
    }
    if uri.contains('*') {
        return Err(RedirectUriError::Wildcard);
    }
    let known = |c: char| c.is_ascii_alphanumeric() || "-._~:/?[]@!$&'()+,;=%".contains(c);
    if !uri.chars().all(known) || uri.split('%').skip(1).any(|after| !is_harmless_escape(after)) {
        return Err(RedirectUriError::Character);
    }
    Ok(())
}

/// Whether what follows a percent sign is an escape, and not one of a control character.
fn is_harmless_escape(after: &str) -> bool {
    let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    byte.is_some_and(|byte| !byte.is_ascii_control()) && !after.starts_with('+')
}

/// Splits what follows `//` into the host and what follows host and port.
fn split_authority(text: &str) -> Result<(&str, &str), RedirectUriError> {
    let end = text.find(['/', '?']).unwrap_or(text.len());
    let (authority, rest) = text.split_at(end);
    if authority.contains('@') {
        return Err(RedirectUriError::UserInfo);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(literal) => {
            let end = literal.find(']').ok_or(RedirectUriError::Host)?;
            literal[..end].parse::<std::net::Ipv6Addr>().map_err(|_| RedirectUriError::Host)?;
            authority.split_at(end + 2)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let named = host.starts_with('[') || (!host.starts_with(['.', '-']) && host.chars().all(plain));
    let ported = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port > 0)
        });
    if host.is_empty() || !named || !ported {
        return Err(RedirectUriError::Host);
    }
    Ok((host, rest))
}

/// A reverse domain name (which no dangerous scheme is), or one of the few others that programs use.
fn is_private_use(scheme: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let reverse = scheme.contains('.') && scheme.split('.').all(label);
    let begins = scheme.starts_with(|c: char| c.is_ascii_lowercase());
    KNOWN_SCHEMES.contains(&scheme) || (reverse && begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_loopback_and_private_use_uris_may_be_registered() {
        for (uri, place, native) in [
            ("https://claude.ai/api/mcp/auth_callback", "claude.ai", false),
            ("https://chatgpt.com/connector_platform_oauth_redirect", "chatgpt.com", false),
            ("https://a.example:8443/cb?x=1&y=%20", "a.example", false),
            ("https://localhost/cb", "localhost", false),
            ("https://[2001:db8::1]:8443/cb", "[2001:db8::1]", false),
            ("https://a.example", "a.example", false),
            ("http://127.0.0.1/", "127.0.0.1", true),
            ("http://127.0.0.1:33418/", "127.0.0.1", true),
            ("http://[::1]:1/cb", "[::1]", true),
            ("http://localhost:3000?x", "localhost", true),
            ("com.example.app:/oauth2redirect", "com.example.app:", true),
            ("com.example.my-app://callback/x?y=a@b", "com.example.my-app:", true),
            ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor:", true),
        ] {
            let kind = RedirectKind::parse(uri).unwrap_or_else(|error| panic!("{uri} {error}"));
            assert_eq!((kind.place().as_str(), kind.is_native()), (place, native), "{uri}");
        }
    }

    #[test]
    fn what_could_send_an_answer_elsewhere_is_refused() {
        use RedirectUriError as E;
        let long = format!("https://a.example/{}", "x".repeat(LONGEST_REDIRECT_URI));
        for (uri, reason) in [
            ("", E::Length),
            (long.as_str(), E::Length),
            ("https://a.example/#", E::Fragment),
            ("https://a.example/cb#x", E::Fragment),
            ("https://*.example/cb", E::Wildcard),
            ("https://a.example/*", E::Wildcard),
            ("https://good.example@evil.example/", E::UserInfo),
            ("https://u:p@a.example/", E::UserInfo),
            ("http://localhost:80@evil.example/", E::UserInfo),
            ("com.example.app://u@host/cb", E::UserInfo),
            ("https://evil.example\\@good.example/", E::Character),
            ("https://a.example/\r\nSet-Cookie:x", E::Character),
            ("https://a.example/\0", E::Character),
            ("https://a.example/%00", E::Character),
            ("https://a.example/%0d%0aX", E::Character),
            ("https://a.example/%7F", E::Character),
            ("https://a.example/%", E::Character),
            ("https://a.example/%+1", E::Character),
            ("https://a.example/%zz", E::Character),
            (" https://a.example/", E::Character),
            ("https://a.example/ b", E::Character),
            ("https://bücher.example/", E::Character),
            ("https://a.example/<script>", E::Character),
            ("https://a.example/\"", E::Character),
            ("https:a.example/", E::Host),
            ("https:/a.example/", E::Host),
            ("https:///a.example/", E::Host),
            ("https://", E::Host),
            ("https://?x", E::Host),
            ("https://.a.example/", E::Host),
            ("https://a%2eexample/", E::Host),
            ("https://a.example:/", E::Host),
            ("https://a.example:0/", E::Host),
            ("https://a.example:65536/", E::Host),
            ("https://a.example:+80/", E::Host),
            ("https://a.example:80:80/", E::Host),
            ("https://[::1", E::Host),
            ("https://[::1]x/", E::Host),
            ("https://[v1.x]/", E::Host),
        ] {
            assert_eq!(RedirectKind::parse(uri), Err(reason), "{uri}");
        }
    }

    #[test]
    fn other_places_and_dangerous_schemes_are_refused() {
        use RedirectUriError as E;
        for (uri, reason) in [
            ("http://a.example/cb", E::PlainHttp),
            ("http://127.0.0.2/cb", E::PlainHttp),
            ("http://127.1/cb", E::PlainHttp),
            ("http://2130706433/cb", E::PlainHttp),
            ("http://0x7f.0.0.1/cb", E::PlainHttp),
            ("http://127.0.0.1.evil.example/cb", E::PlainHttp),
            ("http://localhost.evil.example/cb", E::PlainHttp),
            ("http://localhost./cb", E::PlainHttp),
            ("http://LOCALHOST/cb", E::PlainHttp),
            ("http://[::ffff:127.0.0.1]/cb", E::PlainHttp),
            ("http://0.0.0.0/cb", E::PlainHttp),
            ("http://169.254.169.254/latest", E::PlainHttp),
            ("HTTPS://a.example/", E::Scheme),
            ("javascript:alert(1)", E::Scheme),
            ("javascript://a.example/%20alert(1)", E::Scheme),
            ("JavaScript:/x", E::Scheme),
            ("data:text/html,x", E::Scheme),
            ("file:///etc/passwd", E::Scheme),
            ("about:blank", E::Scheme),
            ("blob:https://a.example/x", E::Scheme),
            ("vbscript:x", E::Scheme),
            ("view-source:https://a.example/", E::Scheme),
            ("ws://a.example/", E::Scheme),
            ("wss://a.example/", E::Scheme),
            ("ftp://a.example/", E::Scheme),
            ("mailto:a@b.example", E::Scheme),
            ("intent://a.example/", E::Scheme),
            ("urn:ietf:wg:oauth:2.0:oob", E::Scheme),
            ("myapp://callback", E::Scheme),
            ("com..app:/cb", E::Scheme),
            ("com.example.app", E::Scheme),
            ("com.example.app:cb", E::Scheme),
            ("/cb", E::Scheme),
            ("//a.example/cb", E::Scheme),
            ("a.example/cb", E::Scheme),
        ] {
            assert_eq!(RedirectKind::parse(uri), Err(reason), "{uri}");
        }
    }

    #[test]
    fn new_redirect_uris_leave_room_for_the_answer() {
        for uri in [
            "https://a.example/cb?x=1",
            "https://a.example/code?codec=1&stat=2",
            "com.example.app:/cb?q=code&y=state%3D1",
        ] {
            assert!(RedirectKind::parse_new(uri).is_ok(), "{uri}");
        }
        for uri in [
            "https://a.example/cb?code=x",
            "https://a.example/cb?x=1&state=y",
            "https://a.example/cb?iss",
            "https://a.example/cb?%65rror=x",
            "http://127.0.0.1?error_description=x",
            "com.example.app:/cb?error_uri=",
        ] {
            assert_eq!(RedirectKind::parse_new(uri), Err(RedirectUriError::Reserved), "{uri}");
            assert!(RedirectKind::parse(uri).is_ok(), "one that is registered goes on: {uri}");
        }
    }

    #[test]
    fn redirect_uris_match_exactly() {
        let registered = "https://good.example/cb";
        assert!(matches(registered, registered));
        for near in [
            "https://good.example/cb/",
            "https://good.example/CB",
            "https://GOOD.example/cb",
            "https://good.example:443/cb",
            "https://good.example:8443/cb",
            "http://good.example/cb",
            "https://good.example/cb?x=1",
            "https://good.example/cb#x",
            "https://good.example/cb%00",
            "https://good.example/cb\0",
            "https://good.example/%63b",
            "https://good.example/cb/%2f..",
            "https://good.example/x/../cb",
            "https://good.example//cb",
            "https://good.example/cb ",
            "https://good.example@evil.example/cb",
            "https://evil.example\\@good.example/cb",
            "https://good.example.evil.example/cb",
            "https://sub.good.example/cb",
            "",
        ] {
            assert!(!matches(registered, near), "{near}");
        }
    }

    #[test]
    fn the_port_of_a_loopback_uri_is_free_and_nothing_else() {
        let registered = "http://127.0.0.1:8080/cb?x=1";
        for same in ["http://127.0.0.1:1/cb?x=1", "http://127.0.0.1/cb?x=1", "http://127.0.0.1:65535/cb?x=1"] {
            assert!(matches(registered, same), "{same}");
        }
        for other in [
            "http://localhost:8080/cb?x=1",
            "http://[::1]:8080/cb?x=1",
            "http://127.0.0.2:8080/cb?x=1",
            "https://127.0.0.1:8081/cb?x=1",
            "http://127.0.0.1:8081/cb",
            "http://127.0.0.1:8081/cb?x=2",
            "http://127.0.0.1:8081/CB?x=1",
            "http://127.0.0.1:8081@evil.example/cb?x=1",
            "http://127.0.0.1.evil.example:8080/cb?x=1",
            "http://127.0.0.1:99999/cb?x=1",
            "http://127.0.0.1:/cb?x=1",
        ] {
            assert!(!matches(registered, other), "{other}");
        }
        assert!(matches("http://localhost/cb", "http://localhost:5173/cb"));
        assert!(matches("http://[::1]/cb", "http://[::1]:5173/cb"));
        assert!(!matches("https://localhost/cb", "https://localhost:5173/cb"));
        assert!(!matches("com.example.app://h:1/cb", "com.example.app://h:2/cb"));
    }
}
