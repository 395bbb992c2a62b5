//! Conditional changes: entity tags made from versions, and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1).

use poem::http::HeaderValue;

use super::problem::{ApiError, Fault};

/// What is wrong with an `If-Match` that cannot be read.
const EXPECTED: &str = "must be `*` or a list of entity tags such as \"7\"";

/// The entity tag of a version: `"7"`.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The entity tag of a version, ready for a header.
pub fn etag_header(version: i64) -> HeaderValue {
    HeaderValue::try_from(etag(version)).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// What a client expects the present version to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: any version, as long as the thing exists.
    Any,
    /// One of these strong tags, without their quotes. Weak tags never match and are left out.
    OneOf(Vec<String>),
}

impl IfMatch {
    /// Reads a header value; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "*" {
            return Some(Self::Any);
        }
        let (mut rest, mut tags, mut count) = (text, Vec::new(), 0);
        while !rest.is_empty() {
            let weak = rest.starts_with("W/");
            let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
            let (tag, after) = quoted.split_once('"')?;
            if !tag.chars().all(|c| c == '!' || ('#'..='~').contains(&c) || !c.is_ascii()) {
                return None;
            }
            if !weak {
                tags.push(tag.to_owned());
            }
            count += 1;
            let after = after.trim_start();
            rest = if after.is_empty() { after } else { after.strip_prefix(',')?.trim_start_matches([' ', '\t', ',']) };
        }
        (count > 0).then_some(Self::OneOf(tags))
    }

    /// Reads the header of a request; `None` when it has none.
    ///
    /// # Errors
    ///
    /// 422 when it cannot be read.
    pub fn of(header: Option<&str>) -> Result<Option<Self>, ApiError> {
        let Some(text) = header else { return Ok(None) };
        Self::parse(text).map(Some).ok_or_else(|| ApiError::invalid(vec![Self::fault()]))
    }

    /// What to tell about a header that cannot be read.
    pub(crate) fn fault() -> Fault {
        Fault::new("If-Match:", EXPECTED)
    }

    /// Whether a thing at `version` may be changed.
    pub fn allows(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|tag| *tag == version.to_string()),
        }
    }
}

/// 412: the thing is at another version than the client expects.
pub fn precondition_failed() -> ApiError {
    ApiError::new(poem::http::StatusCode::PRECONDITION_FAILED, "precondition-failed", "Changed meanwhile")
        .detail("`If-Match` names another version than the present one; read it again before changing it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_strongly() {
        let header = IfMatch::parse(r#""1", W/"2" ,"3""#).unwrap();

        assert!(header.allows(1) && header.allows(3));
        assert!(!header.allows(2) && !header.allows(4));
        assert!(IfMatch::parse("*").unwrap().allows(9));
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for text in ["", "7", r#""7"#, r#""7" "8""#, r#""7", *"#, r#"w/"7""#, "\"a b\""] {
            assert_eq!(IfMatch::parse(text), None, "{text}");
        }
        assert_eq!(IfMatch::of(Some("7")).unwrap_err().faults(), [IfMatch::fault()]);
        assert_eq!(IfMatch::of(None).unwrap(), None);
    }

    #[test]
    fn a_version_makes_a_quoted_tag() {
        assert_eq!(etag(7), "\"7\"");
        assert!(IfMatch::parse(&etag(7)).unwrap().allows(7));
    }
}
