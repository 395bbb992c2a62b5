//! Widgets: what hosts show in a frame beside a tool's result (MCP Apps, with the aliases that ChatGPT knows).

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rmcp::model::{CacheScope, JsonObject, MetaObject, ReadResourceResult, Resource, ResourceContents};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The extension's name in capabilities.
pub const EXTENSION: &str = "io.modelcontextprotocol/ui";
/// The type of a widget's document.
pub const MIME_TYPE: &str = "text/html;profile=mcp-app";

/// Where the documents are, for hosts.
const FOLDER: &str = "ui://mindflow/";
/// How long hosts may keep a document: its URI changes with its content.
const FRESH_MS: u64 = 24 * 60 * 60 * 1000;

/// A widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Widget {
    /// One task, with what can be done about it.
    TaskCard,
    /// The best task, its score and the runners-up.
    BestTask,
    /// Several tasks.
    TaskList,
}

/// Where a host finds each widget: its name with a hash of its content, since hosts keep what they read by URI.
static URIS: LazyLock<[String; 3]> = LazyLock::new(|| {
    Widget::ALL.map(|widget| {
        let hash = Sha256::digest(widget.html());
        let short = URL_SAFE_NO_PAD.encode(&hash[..6]).to_lowercase().replace(['-', '_'], "0");
        format!("{FOLDER}{}-{short}.html", widget.name())
    })
});

impl Widget {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TaskCard, Self::BestTask, Self::TaskList];

    /// The document, whole: script and style are in it.
    pub const fn html(self) -> &'static str {
        match self {
            Self::TaskCard => include_str!("../../web/widgets/dist/task-card.html"),
            Self::BestTask => include_str!("../../web/widgets/dist/best-task.html"),
            Self::TaskList => include_str!("../../web/widgets/dist/task-list.html"),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::TaskCard => "task-card",
            Self::BestTask => "best-task",
            Self::TaskList => "task-list",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::TaskCard => "Task card",
            Self::BestTask => "Best task",
            Self::TaskList => "Task list",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::TaskCard => "Shows one task; the user can complete or snooze it there.",
            Self::BestTask => "Shows the best task, its score's parts and the runners-up; no need to repeat them.",
            Self::TaskList => "Shows a list of tasks; the user can complete or snooze them there.",
        }
    }

    /// The URI of the document.
    pub fn uri(self) -> &'static str {
        &URIS[self as usize]
    }

    /// The widget in the list of resources.
    pub fn listed(self, public_url: &str) -> Resource {
        Resource::new(self.uri(), self.name())
            .with_title(self.title())
            .with_description(self.description())
            .with_mime_type(MIME_TYPE)
            .with_meta(MetaObject(self.meta(public_url)))
    }

    /// The widget's document.
    pub fn resource(self, public_url: &str) -> ReadResourceResult {
        let contents = ResourceContents::text(self.html(), self.uri())
            .with_mime_type(MIME_TYPE)
            .with_meta(MetaObject(self.meta(public_url)));
        ReadResourceResult::new(vec![contents]).with_ttl_ms(FRESH_MS).with_cache_scope(CacheScope::Public)
    }

    /// What the document may do: nothing but talk to its host.
    fn meta(self, public_url: &str) -> JsonObject {
        let meta = json!({
            "ui": {
                "csp": { "connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": [] },
                "permissions": {},
                "prefersBorder": false,
            },
            "openai/widgetDescription": self.description(),
            "openai/widgetPrefersBorder": false,
            "openai/widgetCSP": { "connect_domains": [], "resource_domains": [], "redirect_domains": [public_url] },
        });
        match meta {
            Value::Object(meta) => meta,
            _ => JsonObject::new(),
        }
    }
}

/// The widget of a URI. Of any version: hosts keep lists of tools for weeks, and get what there is now.
pub fn find(uri: &str) -> Option<Widget> {
    let name = uri.strip_prefix(FOLDER)?.strip_suffix(".html")?;
    let (name, version) = name.rsplit_once('-')?;
    if !version.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    Widget::ALL.into_iter().find(|widget| widget.name() == name)
}
