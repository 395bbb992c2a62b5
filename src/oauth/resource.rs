//! What tokens are good for: resource indicators (RFC 8707) and the audiences they become.

use std::fmt;

/// A protected resource of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Resource {
    /// The REST API, `ISSUER/api`.
    Api = 1,
    /// The MCP server, `ISSUER/mcp`.
    Mcp = 2,
}

impl Resource {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 2] = [Self::Api, Self::Mcp];

    /// The word that is stored, and the last segment of the URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Mcp => "mcp",
        }
    }

    /// The resource's identifier, which tokens name as their audience.
    pub fn url(self, issuer: &str) -> String {
        format!("{issuer}/{}", self.as_str())
    }
}

/// A set of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resources(u8);

/// Beside the resources' own bits: the server as a whole, which is an audience of its own and reaches no further than they
/// do.
const SERVER: u8 = 4;
/// What is stored when each resource is there by its own name, without the server as a whole.
const APART: &str = "apart";

impl Resources {
    /// Both: what a token is good for when the client asked for none.
    pub const ALL: Self = Self(Resource::Api as u8 | Resource::Mcp as u8 | SERVER);

    /// Just one.
    pub const fn only(resource: Resource) -> Self {
        Self(resource as u8)
    }

    /// Whether `resource` is among them.
    pub const fn has(self, resource: Resource) -> bool {
        self.0 & resource as u8 != 0
    }

    /// Those that are in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of these are among `others`, by whichever name.
    pub const fn is_within(self, others: Self) -> bool {
        self.0 & !SERVER & !others.0 == 0
    }

    /// The resources one by one.
    pub fn iter(self) -> impl Iterator<Item = Resource> {
        Resource::ALL.into_iter().filter(move |resource| self.has(*resource))
    }

    /// Their identifiers; all of them and the server itself when it is meant as a whole.
    pub fn urls(self, issuer: &str) -> Vec<String> {
        let whole = (self == Self::ALL).then(|| issuer.to_owned());
        self.iter().map(|resource| resource.url(issuer)).chain(whole).collect()
    }

    /// Reads the values of `resource` in a request to the server `issuer`: no value, or the server itself, means all of
    /// them. `None` when one is not ours. Scheme and host count in any case, and the scheme's own port may be named (RFC
    /// 3986, section 6.2); the path is compared as it is.
    pub fn from_urls<'a>(urls: impl IntoIterator<Item = &'a str>, issuer: &str) -> Option<Self> {
        let mut bits = 0;
        for url in urls {
            let path = path_below(issuer, url)?;
            let path = path.strip_suffix('/').unwrap_or(path);
            bits |= match path.strip_prefix('/') {
                None if path.is_empty() => Self::ALL.0,
                None => return None,
                Some(word) => Resource::ALL.into_iter().find(|resource| resource.as_str() == word)? as u8,
            };
        }
        Some(if bits == 0 { Self::ALL } else { Self(bits) })
    }

    /// Reads the stored words; `None` when one is unknown or there is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut bits, mut apart) = (0, false);
        for word in text.split_ascii_whitespace() {
            match word {
                APART => apart = true,
                word => bits |= Resource::ALL.into_iter().find(|resource| resource.as_str() == word)? as u8,
            }
        }
        let both = Self(bits | SERVER) == Self::ALL;
        (bits != 0).then_some(if both && !apart { Self::ALL } else { Self(bits) })
    }
}

/// What follows the issuer in a URL of its server.
fn path_below<'u>(issuer: &str, url: &'u str) -> Option<&'u str> {
    let (own_origin, base) = split_origin(issuer);
    let (origin, path) = split_origin(url);
    (normal(origin) == normal(own_origin)).then(|| path.strip_prefix(base))?
}

/// Scheme, host and port; and the rest.
fn split_origin(url: &str) -> (&str, &str) {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url[after_scheme..].find(['/', '?', '#']).map_or(url.len(), |at| after_scheme + at);
    url.split_at(end)
}

/// An origin in lower case, without the port that its scheme has anyway.
fn normal(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    let port = if origin.starts_with("https:") { ":443" } else { ":80" };
    origin.strip_suffix(port).map(str::to_owned).unwrap_or(origin)
}

/// The words that are stored, separated by blanks. Those of all are older than `APART`, so it is the others that say more.
impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, resource) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(resource.as_str())?;
        }
        if Self(self.0 | SERVER) == Self::ALL && *self != Self::ALL {
            write!(f, " {APART}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://mindflow.example";

    fn read(urls: &[&str]) -> Option<String> {
        Resources::from_urls(urls.iter().copied(), ISSUER).map(|resources| resources.to_string())
    }

    #[test]
    fn resources_are_named_by_their_urls() {
        assert_eq!(read(&["https://mindflow.example/mcp"]).as_deref(), Some("mcp"));
        assert_eq!(
            read(&["https://mindflow.example/api/", "https://mindflow.example/mcp"]).as_deref(),
            Some("api mcp apart")
        );
        for all in [
            &[][..],
            &["https://mindflow.example"],
            &["https://mindflow.example/"],
            &["https://mindflow.example", "https://mindflow.example/api"],
        ] {
            assert_eq!(read(all).as_deref(), Some("api mcp"), "{all:?}");
        }
    }

    #[test]
    fn an_audience_is_what_was_asked_for_and_reads_back() {
        let apart = Resources::only(Resource::Mcp).union(Resources::only(Resource::Api));
        for (resources, count) in [(Resources::ALL, 3), (apart, 2), (Resources::only(Resource::Api), 1)] {
            assert_eq!(resources.urls(ISSUER).len(), count, "{resources}");
            assert_eq!(Resources::parse(&resources.to_string()), Some(resources));
        }
        assert!(apart.is_within(Resources::ALL) && Resources::ALL.is_within(apart), "they reach as far");
        assert!(!apart.is_within(Resources::only(Resource::Api)));
        assert_eq!(Resources::parse("api mcp api apart"), Some(apart));
        assert_eq!((Resources::parse("apart"), Resources::parse("else")), (None, None));
    }

    #[test]
    fn scheme_and_host_are_the_same_in_any_case() {
        for url in ["HTTPS://MindFlow.Example/mcp", "https://mindflow.example:443/mcp/"] {
            assert_eq!(read(&[url]).as_deref(), Some("mcp"), "{url}");
        }
        let own_port = |url: &str| Resources::from_urls([url], "http://localhost:8000/tasks");
        assert_eq!(own_port("HTTP://LOCALHOST:8000/tasks/api"), Some(Resources::only(Resource::Api)));
        for other in ["http://localhost/tasks/api", "http://localhost:80/tasks/api", "http://localhost:8000/Tasks/api"]
        {
            assert_eq!(own_port(other), None, "{other}");
        }
    }

    #[test]
    fn others_are_not_ours() {
        for url in [
            "https://mindflow.example.evil/mcp",
            "https://mindflow.example/mcp/x",
            "https://mindflow.example/mcp?x",
            "https://mindflow.example/MCP",
            "https://mindflow.examplemcp",
            "https://mindflow.example//",
            "https://mindflow.example/mcp#",
            "http://mindflow.example/mcp",
            "https://mindflow.example:80/mcp",
            "https://mindflow.example:4430/mcp",
            "https://ada@mindflow.example/mcp",
            "https:mindflow.example/mcp",
            "mcp",
            "",
        ] {
            assert_eq!(read(&[url]), None, "{url}");
            assert_eq!(read(&["https://mindflow.example/mcp", url]), None, "{url}");
        }
    }
}
