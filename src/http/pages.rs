//! Pages for people: the front page, the Swagger UI (all of it from this binary), and the document it shows.

mod preview;

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use poem::Response;
use poem::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use poem::http::{HeaderMap, HeaderValue, StatusCode};
use poem_openapi::OpenApiService;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::document;

const HTML: &str = "text/html; charset=utf-8";
const FRONT: &str = include_str!("pages/front.html");
const FRONT_CSS: &str = include_str!("pages/front.css");
const OAUTH_CSS: &str = include_str!("oauth/pages/pages.css");
const OAUTH_PASSKEYS_JS: &str = include_str!("oauth/pages/passkeys.js");
const OAUTH_ICON: &str = include_str!("oauth/pages/icon.svg");
const DOCS: &str = include_str!("pages/docs.html");
const DOCS_JS: &str = include_str!("pages/docs.js");

/// What the pages may load: their own files only. The Swagger UI sets styles on elements and shows its icons as data.
const PAGE_CONTENT: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The methods that pages take.
pub(super) const METHODS: &str = "GET, HEAD, OPTIONS";

/// Whether `/docs` is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swagger {
    /// It is.
    Shown,
    /// It is not.
    Hidden,
}

/// All pages, ready to be sent.
#[derive(Debug)]
pub struct Pages {
    pages: HashMap<&'static str, Page>,
    swagger: Swagger,
}

/// Whether `/widgets/task` is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preview<'a> {
    /// It is.
    Shown {
        /// The sites that may show it in a frame.
        frames: &'a [String],
    },
    /// It is not.
    Hidden,
}

#[derive(Debug)]
pub(super) struct Page {
    kind: &'static str,
    content: HeaderValue,
    body: Bytes,
    etag: HeaderValue,
}

impl Pages {
    /// Makes the pages around the OpenAPI document.
    pub fn new(document: &Value, swagger: Swagger, preview: Preview<'_>) -> Self {
        let json = serde_json::to_vec_pretty(document).unwrap_or_default();
        let mut pages = HashMap::from([
            ("/", Page::new(HTML, front(swagger))),
            ("/front.css", Page::new("text/css; charset=utf-8", FRONT_CSS)),
            ("/oauth/pages.css", Page::new("text/css; charset=utf-8", OAUTH_CSS)),
            ("/oauth/passkeys.js", Page::new("text/javascript; charset=utf-8", OAUTH_PASSKEYS_JS)),
            ("/oauth/icon.svg", Page::new("image/svg+xml", OAUTH_ICON)),
            ("/openapi.json", Page::new("application/json", json)),
            ("/openapi.yaml", Page::new("application/yaml", document::to_yaml(document))),
        ]);
        if swagger == Swagger::Shown {
            pages.insert("/docs", Page::new(HTML, DOCS));
            pages.insert("/docs/start.js", Page::new("text/javascript; charset=utf-8", DOCS_JS));
        }
        if let Preview::Shown { frames } = preview {
            pages.insert(preview::PATH, Page { content: preview::content(frames), ..Page::new(HTML, preview::html()) });
        }
        Self { pages, swagger }
    }

    /// The page at a path, and the pattern to log it under.
    pub(super) fn find(&self, path: &str) -> Option<(&'static str, Answer<'_>)> {
        if self.swagger == Swagger::Shown && path.starts_with("/docs/swagger-ui") {
            return SWAGGER_UI.iter().find(|(own, _)| *own == path).map(|(path, page)| (*path, Answer::Page(page)));
        }
        // The page's links are relative to the server, which may be reached under a path.
        if self.swagger == Swagger::Shown && path == "/docs/" {
            return Some(("/docs", Answer::Moved("../docs")));
        }
        self.pages.get_key_value(path).map(|(path, page)| (*path, Answer::Page(page)))
    }
}

/// A page that was found.
pub(super) enum Answer<'a> {
    Page(&'a Page),
    /// It is elsewhere.
    Moved(&'static str),
}

impl Answer<'_> {
    /// The page, or 304 when the client has it already.
    pub(super) fn response(&self, headers: &HeaderMap) -> Response {
        let page = match self {
            Self::Page(page) => page,
            Self::Moved(to) => {
                return Response::builder().status(StatusCode::PERMANENT_REDIRECT).header(LOCATION, *to).finish();
            }
        };
        let mut response = Response::builder()
            .header(ETAG, page.etag.clone())
            .header(CACHE_CONTROL, "no-cache")
            .header(CONTENT_SECURITY_POLICY, page.content.clone());
        let known = headers.get(IF_NONE_MATCH).is_some_and(|tags| {
            let tags = tags.to_str().unwrap_or_default();
            tags.split(',').any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == page.etag.as_bytes())
        });
        if known {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        response = response.header(CONTENT_TYPE, page.kind);
        response.body(page.body.clone())
    }
}

impl Page {
    fn new(kind: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let tag = URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..12]);
        let etag = HeaderValue::try_from(format!("\"{tag}\"")).unwrap_or(HeaderValue::from_static("\"0\""));
        Self { kind, content: PAGE_CONTENT, body, etag }
    }
}

fn front(swagger: Swagger) -> String {
    let docs = match swagger {
        Swagger::Shown => r#"<a class="button" href="docs">Open the API documentation</a>"#,
        Swagger::Hidden => "",
    };
    FRONT.replace("{docs}", docs).replace("{version}", env!("CARGO_PKG_VERSION"))
}

/// The Swagger UI's script and style, which poem-openapi only gives out inside of a page; made when first asked for.
static SWAGGER_UI: LazyLock<[(&str, Page); 2]> = LazyLock::new(|| {
    let page = OpenApiService::new((), "", "").swagger_ui_html();
    let between = |open: &str, close: &str| {
        let inside = page.split_once(open).and_then(|(_, rest)| rest.split_once(close));
        inside.map(|(inside, _)| inside.to_owned()).unwrap_or_default()
    };
    let script = between("<script charset=\"UTF-8\">", "</script>");
    let style = between("<style charset=\"UTF-8\">", "</style>");
    [
        ("/docs/swagger-ui.js", Page::new("text/javascript; charset=utf-8", script)),
        ("/docs/swagger-ui.css", Page::new("text/css; charset=utf-8", style)),
    ]
});
