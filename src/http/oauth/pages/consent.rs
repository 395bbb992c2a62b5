//! The page on which somebody allows an application something.

use maud::{Markup, html};

use super::Page;
use super::fields::hidden;
use crate::accounts::Browser;
use crate::oauth::client::{Client, ClientKind};
use crate::oauth::redirect::RedirectKind;
use crate::oauth::{OAuthScope, OAuthScopes, Resource, Resources};

/// What somebody is asked.
pub(in crate::http::oauth) struct Consent<'a> {
    pub(in crate::http::oauth) client: &'a Client,
    pub(in crate::http::oauth) browser: &'a Browser,
    pub(in crate::http::oauth) scopes: OAuthScopes,
    pub(in crate::http::oauth) resources: Resources,
    /// Where the answer goes; a device asks for it by itself.
    pub(in crate::http::oauth) redirect_uri: Option<&'a str>,
    /// The code that the device shows.
    pub(in crate::http::oauth) user_code: Option<&'a str>,
    pub(in crate::http::oauth) action: &'a str,
    pub(in crate::http::oauth) token: &'a str,
    /// The page to sign in as somebody else on.
    pub(in crate::http::oauth) other_account: &'a str,
    pub(in crate::http::oauth) root: &'static str,
}

/// What can be unticked; what is left must be something.
pub(in crate::http::oauth) fn optional(scopes: OAuthScopes) -> OAuthScopes {
    let all = OAuthScopes::from_iter([OAuthScope::Write, OAuthScope::Admin]).intersect(scopes);
    if scopes.has(OAuthScope::Read) || scopes.has(OAuthScope::OpenId) { all } else { OAuthScopes::default() }
}

impl Consent<'_> {
    /// The page.
    pub(in crate::http::oauth) fn page(&self) -> Page {
        let name = &self.client.name;
        let content = html! {
            h1 { "Allow " bdi { (name) } "?" }
            p .lead { "It wants to use your MindFlow account." }
            (self.facts())
            form method="post" action=(self.action) {
                (hidden("consent", self.token))
                fieldset {
                    legend { "It will be able to" }
                    @for scope in self.scopes.without(OAuthScope::OfflineAccess).iter() { (self.scope(scope)) }
                }
                p .quiet { (reach(self.resources)) " It stays connected until you disconnect it." }
                div .choice {
                    button type="submit" name="decision" value="allow" { "Allow" }
                    button .second type="submit" name="decision" value="deny" { "Don’t allow" }
                }
            }
        };
        Page { title: format!("Allow {name}?"), content, root: self.root, script: None }
    }

    fn facts(&self) -> Markup {
        html! {
            dl {
                div {
                    dt { "Account" }
                    dd { bdi .strong { (self.browser.email) } a .switch href=(self.other_account) { "Use another account" } }
                }
                @if let Some(code) = self.user_code {
                    div { dt { "Code" } dd { code .strong { (code) } span .quiet { "Is this what your device shows?" } } }
                }
                @if let Some(uri) = self.redirect_uri { (destination(uri)) }
                div { dt { "Registered by" } dd { (voucher(self.client)) } }
                @if self.links().next().is_some() {
                    div { dt { "Its own pages" } dd {
                        @for (name, link) in self.links() { a .switch href=(link) rel="noreferrer noopener" { (name) } }
                    } }
                }
            }
        }
    }

    /// The application's own pages; browsers leave nothing behind there.
    fn links(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let metadata = &self.client.metadata;
        let all = [("Privacy", &metadata.policy_uri), ("Terms", &metadata.tos_uri)];
        all.into_iter()
            .filter_map(|(name, uri)| Some((name, uri.as_deref().filter(|uri| uri.starts_with("https://"))?)))
    }

    fn scope(&self, scope: OAuthScope) -> Markup {
        let (name, (text, hint)) = (scope.as_str(), words(scope));
        let optional = optional(self.scopes).has(scope);
        // What cannot be unticked has no use for advice to do so.
        let hint = hint.filter(|_| optional || scope != OAuthScope::Write);
        html! {
            div .scope {
                @if optional {
                    input type="checkbox" id={ "scope-" (name) } name="scope" value=(name) checked;
                } @else {
                    input type="hidden" name="scope" value=(name);
                    input type="checkbox" id={ "scope-" (name) } checked disabled;
                }
                label for={ "scope-" (name) } { (text) @if let Some(hint) = hint { span .quiet { (hint) } } }
            }
        }
    }
}

/// Each scope in plain words.
const fn words(scope: OAuthScope) -> (&'static str, Option<&'static str>) {
    match scope {
        OAuthScope::Read => ("See your tasks, projects and labels, and your name, e-mail address and settings", None),
        OAuthScope::Write => ("Add, change, complete and delete your tasks", Some("Untick this to let it only look.")),
        OAuthScope::Admin => ("Operate this server for everybody on it", Some("Policies, plugins and people.")),
        OAuthScope::OpenId => ("Recognise you when you come again", None),
        OAuthScope::Email => ("See your e-mail address", None),
        OAuthScope::Profile => ("See your name and time zone", None),
        OAuthScope::OfflineAccess => ("Stay connected", None),
    }
}

fn reach(resources: Resources) -> &'static str {
    match (resources.has(Resource::Api), resources.has(Resource::Mcp)) {
        (true, false) => "It may use the API.",
        (false, true) => "It may use the tools for assistants (MCP).",
        _ => "It may use the API and the tools for assistants (MCP).",
    }
}

/// Where the browser goes after the answer, in words that cannot be mistaken.
fn destination(uri: &str) -> Markup {
    let (place, hint) = match RedirectKind::parse(uri) {
        Ok(RedirectKind::Web(host)) => (host.to_owned(), "Allow it only if you came from there."),
        Ok(kind @ RedirectKind::Loopback { .. }) => {
            (kind.place(), "A program on this device. Allow it only if you started it just now.")
        }
        Ok(kind @ RedirectKind::PrivateUse(_)) => {
            (kind.place(), "An app on this device. Allow it only if you started it just now.")
        }
        Err(_) => (uri.to_owned(), "Allow it only if you came from there."),
    };
    html! { div { dt { "Takes you to" } dd { span .strong.place { (place) } span .quiet { (hint) } } } }
}

/// Who says that the application is what it says it is.
fn voucher(client: &Client) -> Markup {
    match client.kind {
        ClientKind::Static => html! { "The operator of this server" },
        ClientKind::Registered => html! {
            "Itself " span .mark { "unverified" }
            span .quiet { "Nobody has checked that its name is true." }
        },
        ClientKind::Document => html! {
            span .place { (client.client_id) } " " span .mark { "unverified" }
            span .quiet { "Whoever runs that website describes it there. Nobody has checked that its name is true." }
        },
    }
}
