//! Takes secrets and what people wrote out of texts, before they leave for another server.
//!
//! It goes by shape, so it also finds what nobody thought of; what it takes out by mistake costs an operator a look into
//! the log. By this program's convention user input stands in backticks, and databases quote theirs, so all that is
//! quoted goes.

/// What stands where something was.
const GONE: &str = "[removed]";
/// Words after which, or after whose `=` or `:`, a secret stands.
const BEFORE_SECRETS: [&str; 19] = [
    "authorization",
    "basic",
    "bearer",
    "challenge",
    "code",
    "cookie",
    "csrf",
    "dsn",
    "key",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "session",
    "signature",
    "state",
    "token",
    "verifier",
];
/// From this length on, letters mixed with digits are taken for something random.
const RANDOM_MIXED: usize = 16;
/// From this length on, letters of both cases without digits are.
const RANDOM_LETTERS: usize = 32;

/// The text without anything that looks like a secret, an address of a person, or a quotation.
pub(super) fn scrub(text: &str) -> String {
    let text = unquoted(text);
    let mut out = String::with_capacity(text.len());
    let mut after_secret_word = false;
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let is_gap =
            |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '<' | '>' | '[' | ']' | '{' | '}');
        let gap = is_gap(first);
        let end = rest.find(|c| is_gap(c) != gap).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        if gap {
            out.push_str(word);
            after_secret_word &= word.trim().is_empty();
        } else {
            out.push_str(&replaced(word, after_secret_word));
            after_secret_word = announces(word);
        }
        rest = tail;
    }
    out
}

/// What is between quotation marks or backticks is what somebody wrote.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['`', '"']) {
        let mark = rest.as_bytes()[start];
        let inside = &rest[start + 1..];
        let Some(length) = inside.find(char::from(mark)) else { break };
        out.push_str(&rest[..start]);
        out.push(char::from(mark));
        if length > 0 {
            out.push_str(GONE);
        }
        out.push(char::from(mark));
        rest = &inside[length + 1..];
    }
    // A quotation that does not end may have been cut off.
    if let Some(start) = rest.find(['`', '"']) {
        out.push_str(&rest[..=start]);
        out.push_str(GONE);
    } else {
        out.push_str(rest);
    }
    out
}

/// Whether the next word is a secret. `password:` and `Bearer` announce one; `token was` does not, but `token` might.
fn announces(word: &str) -> bool {
    let word = word.trim_end_matches([':', '=']).to_ascii_lowercase();
    let last = word.rsplit(['_', '-', '.', '"', '\'']).find(|part| !part.is_empty()).unwrap_or_default();
    matches!(last, "bearer" | "basic") || BEFORE_SECRETS.contains(&last) && !word.contains(' ')
}

fn replaced(word: &str, after_secret_word: bool) -> String {
    if word == GONE.trim_matches(['[', ']']) {
        return word.to_owned();
    }
    if let Some((scheme, _)) = word.split_once("://") {
        let scheme = scheme.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '+').next().unwrap_or_default();
        return format!("{scheme}://{GONE}");
    }
    if let Some(place) = word.find('=') {
        return format!("{}={GONE}", scrubbed_name(&word[..place]));
    }
    if let Some((name, value)) = word.split_once(':')
        && announces(name)
        && !value.is_empty()
        && !value.starts_with(':')
    {
        return format!("{name}:{GONE}");
    }
    let core = word.trim_matches(['.', ':', '!', '?', '\'', '/']);
    if after_secret_word && is_no_plain_word(core) || is_secret(core) { GONE.to_owned() } else { word.to_owned() }
}

/// The name before an `=`, unless it is a secret itself.
fn scrubbed_name(name: &str) -> String {
    if is_secret(name) { GONE.to_owned() } else { name.to_owned() }
}

/// After `token` there may be `was`; a secret has something in it that such words lack.
fn is_no_plain_word(word: &str) -> bool {
    !word.chars().all(|c| c.is_ascii_lowercase()) && !word.chars().all(|c| c.is_ascii_digit())
}

fn is_secret(word: &str) -> bool {
    word.contains('@')
        || word.starts_with("mf_")
        || word.starts_with("eyJ")
        || is_one_time_code(word)
        || word.split(['/', ':', '.']).any(is_random)
}

/// Six digits of an authenticator, or the letters that people type for their devices: `WDJB-MJHT`.
fn is_one_time_code(word: &str) -> bool {
    let digits = word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    let groups = word.len() >= 9 && word.split('-').count() >= 2;
    let typed = |part: &str| {
        (4..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    digits || groups && word.split('-').all(typed)
}

/// Ids are no secrets, and neither are names of things in the program.
fn is_random(part: &str) -> bool {
    let of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '~' | '%');
    if !part.chars().all(of_token) || uuid::Uuid::try_parse(part).is_ok() && part.contains('-') {
        return false;
    }
    let has = |kind: fn(&char) -> bool| part.chars().any(|c| kind(&c));
    let (digit, upper, lower) =
        (has(char::is_ascii_digit), has(char::is_ascii_uppercase), has(char::is_ascii_lowercase));
    part.len() >= RANDOM_MIXED && digit && (upper || lower) || part.len() >= RANDOM_LETTERS && upper && lower
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_secret_goes() {
        let secrets = [
            "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
            "mf_8kJ2lqPz0vQ4xYt6",
            "FuYlXFdTBIwKJbLbbAsz10FHBogRbpijD4fFXD8vMVU",
            "0123456789abcdef0123456789abcdef",
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN",
            "ada@example.org",
            "Ada.Lovelace+tasks@mail.example.co.uk",
            "WDJB-MJHT",
            "483920",
        ];
        for secret in secrets {
            for text in [
                format!("it was {secret} that came"),
                format!("({secret})"),
                format!("{secret}."),
                format!("Key=({secret}) exists"),
            ] {
                assert!(!scrub(&text).contains(secret), "{text} -> {}", scrub(&text));
            }
        }
    }

    #[test]
    fn urls_lose_everything_but_their_scheme() {
        for url in [
            "postgres://mindflow:hunter2@db.internal:5432/mindflow?sslmode=require",
            "https://public123@o1.ingest.sentry.io/4501",
            "https://app.example/cb?code=abc&state=xyz",
            "rediss://:hunter2@cache:6380/0",
            "smtp://user:hunter2@mail.example",
        ] {
            let scrubbed = scrub(&format!("cannot reach {url} now"));
            let scheme = url.split("://").next().unwrap();
            assert_eq!(scrubbed, format!("cannot reach {scheme}://[removed] now"));
        }
    }

    #[test]
    fn what_a_name_announces_goes_with_whatever_shape() {
        for text in [
            "password=hunter2",
            "password: Hunter2",
            "Authorization: Bearer Hunter2",
            "Cookie: Hunter2",
            "?code=hunter2&state=hunter2",
            "client_secret:hunter2",
            "user.token=hunter2",
            "{\"password\":\"hunter2\"}",
        ] {
            assert!(!scrub(text).to_ascii_lowercase().contains("hunter2"), "{text} -> {}", scrub(text));
        }
    }

    #[test]
    fn what_people_wrote_stands_in_quotes_and_goes() {
        assert_eq!(
            scrub("the stored title `Call the doctor` cannot be read"),
            "the stored title `[removed]` cannot be read"
        );
        assert_eq!(scrub("invalid input syntax: \"Call the doctor\""), "invalid input syntax: \"[removed]\"");
        assert_eq!(scrub("cut off: `Call the doc"), "cut off: `[removed]");
    }

    #[test]
    fn what_helps_stays() {
        for text in [
            "the database cannot be used at the moment: pool timed out while waiting for an open connection",
            "error returned from database: (code: 19) UNIQUE constraint failed: users.email_key",
            "index out of bounds: the len is 3 but the index is 7 at src/tasks/ranking.rs:208:13",
            "mindflow::store::observed::Observed failed for 01a1fd33-6f87-76fc-851e-cf0899201583",
            "policy refused; the version in use stays",
        ] {
            assert_eq!(scrub(text), text);
        }
    }

    #[test]
    fn nothing_breaks_it() {
        for text in ["", "`", "\"\"", "=", "://", "ü=ü", "a@", "🦀`🦀`🦀", ":::"] {
            let _ = scrub(text);
        }
        assert_eq!(scrub("🦀`🦀`🦀"), "🦀`[removed]`🦀");
    }
}
