//! Conditional requests: entity tags made from versions, `If-Match` and `If-None-Match` (RFC 9110, sections 8.8.3 and 13).

use poem::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use poem::{Request, RequestBody, Response};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::problem::{ApiError, Fault};
use crate::tasks::change::Condition;

/// What is wrong with a list of tags that cannot be read.
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
    /// Reads the value of `If-Match`; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text, false)
    }

    /// Reads the value of `If-None-Match`, for which a weak tag is as good as a strong one; `None` when it is none.
    pub fn parse_weakly(text: &str) -> Option<Self> {
        Self::read(text, true)
    }

    fn read(text: &str, weakly: bool) -> Option<Self> {
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
            if weakly || !weak {
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
        Self::parse(text).map(Some).ok_or_else(|| ApiError::invalid(vec![fault("If-Match")]))
    }

    /// Whether it names this tag, which stands here without its quotes.
    pub fn names(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|own| own == tag),
        }
    }
}

/// Whether a header of this name is a list of entity tags.
pub(crate) fn is_list_of_tags(name: &str) -> bool {
    name.eq_ignore_ascii_case(IF_MATCH.as_str()) || name.eq_ignore_ascii_case(IF_NONE_MATCH.as_str())
}

/// Whether a list of entity tags can be read.
pub(crate) fn can_be_read(text: &str) -> bool {
    IfMatch::parse(text).is_some()
}

/// What to tell about a header that cannot be read.
pub(crate) fn fault(header: &str) -> Fault {
    Fault::new(format!("{header}:"), EXPECTED)
}

/// On which versions a client makes a change depend, by `If-Match` and `If-None-Match`.
#[derive(Clone, Debug, Default)]
pub struct Preconditions {
    if_match: Option<IfMatch>,
    if_none_match: Option<IfMatch>,
}

impl Preconditions {
    /// The schema format by which the document knows that `If-None-Match` is taken too: an extractor describes one header.
    pub(super) const BOTH: &str = "entity-tags";

    /// What must hold for the version of the thing that is changed.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        let only = match &self.if_match {
            None | Some(IfMatch::Any) => None,
            Some(IfMatch::OneOf(tags)) => Some(Condition::OneOf(versions(tags))),
        };
        let unless = self.if_none_match.as_ref().map(|known| match known {
            IfMatch::Any => Condition::Absent,
            IfMatch::OneOf(tags) => Condition::NoneOf(versions(tags)),
        });
        only.into_iter().chain(unless).collect()
    }
}

/// The versions that tags stand for; other tags stand for none.
pub(super) fn versions(tags: &[String]) -> Vec<i64> {
    tags.iter().filter_map(|tag| tag.parse().ok()).collect()
}

impl<'a> ApiExtractor<'a> for Preconditions {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = false;
    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", Self::BOTH))))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<String>,
    ) -> poem::Result<Self> {
        Ok(Self {
            if_match: header(request.headers(), &IF_MATCH, IfMatch::parse)?,
            if_none_match: header(request.headers(), &IF_NONE_MATCH, IfMatch::parse_weakly)?,
        })
    }
}

/// Reads a header, whose lines are one list.
fn header(
    headers: &HeaderMap,
    name: &HeaderName,
    parse: impl Fn(&str) -> Option<IfMatch>,
) -> Result<Option<IfMatch>, ApiError> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    parse(&lines.join(", ")).map(Some).ok_or_else(|| ApiError::invalid(vec![fault(name.as_str())]))
}

/// What somebody who reads has already (`If-None-Match`); `None` for changes, which look themselves, and for what cannot
/// be read: the answer is then given whole.
pub(super) fn known_to_reader(request: &Request) -> Option<IfMatch> {
    if *request.method() != Method::GET {
        return None;
    }
    header(request.headers(), &IF_NONE_MATCH, IfMatch::parse_weakly).ok().flatten()
}

/// The answer, or 304 in its place when the reader has it already.
pub(super) fn unless_known(mut response: Response, known: Option<&IfMatch>) -> Response {
    let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    let tag = tag.map(|tag| tag.trim_start_matches("W/").trim_matches('"'));
    let is_known = known.zip(tag).is_some_and(|(known, tag)| known.names(tag));
    if response.status() == StatusCode::OK && is_known {
        response.set_status(StatusCode::NOT_MODIFIED);
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
        drop(response.take_body());
    }
    response
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

        assert!(header.names("1") && header.names("3"));
        assert!(!header.names("2") && !header.names("4"));
        assert!(IfMatch::parse("*").unwrap().names("9"));
    }

    #[test]
    fn what_a_reader_has_is_compared_weakly() {
        let header = IfMatch::parse_weakly(r#"W/"2", "3""#).unwrap();

        assert!(header.names("2") && header.names("3") && !header.names("4"));
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for text in ["", "7", r#""7"#, r#""7" "8""#, r#""7", *"#, r#"w/"7""#, "\"a b\""] {
            assert_eq!(IfMatch::parse(text), None, "{text}");
        }
        assert_eq!(IfMatch::of(Some("7")).unwrap_err().faults(), [fault("If-Match")]);
        assert_eq!(IfMatch::of(None).unwrap(), None);
    }

    #[test]
    fn a_version_makes_a_quoted_tag() {
        assert_eq!(etag(7), "\"7\"");
        assert!(IfMatch::parse(&etag(7)).unwrap().names("7"));
    }
}
