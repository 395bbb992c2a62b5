//! The page with the accounts elsewhere through which somebody signs in.

use maud::{Markup, html};
use url::form_urlencoded;

use super::Page;
use super::fields::{Faults, hidden};
use super::passkeys::Passkeys;
use crate::accounts::identities::Identity;
use crate::oauth::upstream::Button;

/// What is linked, and what can be.
pub(in crate::http::oauth) struct Identities<'a> {
    /// The account here.
    pub(in crate::http::oauth) email: &'a str,
    pub(in crate::http::oauth) linked: &'a [Identity],
    /// The providers that this server knows.
    pub(in crate::http::oauth) providers: &'a [Button<'a>],
    /// The path of this page, to come back to.
    pub(in crate::http::oauth) return_to: &'a str,
    /// What its forms carry.
    pub(in crate::http::oauth) token: &'a str,
    /// What was wrong with the last try.
    pub(in crate::http::oauth) faults: &'a Faults,
    /// Whether that was to take their last way in away.
    pub(in crate::http::oauth) only_way: bool,
    pub(in crate::http::oauth) passkeys: Passkeys<'a>,
}

impl Identities<'_> {
    /// The page.
    pub(in crate::http::oauth) fn page(&self) -> Page {
        const TITLE: &str = "Ways to sign in";
        let content = html! {
            h1 { (TITLE) }
            p .lead { "to the account of " bdi .strong { (self.email) } }
            (self.faults.above(&[]))
            @if self.only_way { p { a href="forgot-password" { "Choose a password" } } }
            h2 { "Accounts elsewhere" }
            @if self.linked.is_empty() {
                p { "No account elsewhere is linked." }
            } @else {
                dl { @for identity in self.linked { (self.identity(identity)) } }
            }
            @if self.providers.is_empty() {
                p .quiet { "This server knows no other providers." }
            } @else {
                p .quiet { "Link another account, to sign in through it from then on:" }
                ul .others {
                    @for provider in self.providers {
                        li { a .button.second href=(self.way(provider)) { "Continue with " (provider.name) } }
                    }
                }
            }
            (self.passkeys.show())
            p .foot { a href="sign-out" { "Sign out" } }
        };
        let title = if self.faults.any() { format!("Error: {TITLE}") } else { TITLE.to_owned() };
        Page::new(title, content)
    }

    fn identity(&self, identity: &Identity) -> Markup {
        let known = self.providers.iter().find(|provider| provider.id == identity.provider);
        let name = known.map_or(identity.provider.as_str(), |provider| provider.name);
        let address = identity.email.as_deref();
        html! {
            div {
                dt { (name) }
                dd {
                    bdi .strong { (address.unwrap_or("An account without an address")) }
                    form method="post" action="identities" {
                        (hidden("unlink", self.token))
                        input type="hidden" name="identity" value=(identity.id.0);
                        button .second type="submit" aria-label={ "Unlink " (name) " " (address.unwrap_or_default()) } {
                            "Unlink"
                        }
                    }
                }
            }
        }
    }

    fn way(&self, provider: &Button<'_>) -> String {
        let query =
            form_urlencoded::Serializer::new(String::from("link")).append_pair("return_to", self.return_to).finish();
        format!("upstream/{}?{query}", provider.id)
    }
}
