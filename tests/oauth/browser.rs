//! A browser without scripts: it keeps cookies, reads forms, and sends them as a person fills them in.

use std::cell::RefCell;
use std::collections::BTreeMap;

use reqwest::header::HeaderMap;
use serde_json::json;
use url::Url;

use crate::support::app::{PASSWORD, TestApp};

/// A challenge whose verifier is [`VERIFIER`] (RFC 7636, appendix B).
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// What proves it.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Where the usual client of these tests lives.
pub(crate) const CALLBACK: &str = "https://app.example/callback";

/// One browser.
pub(crate) struct Browser<'a> {
    app: &'a TestApp,
    http: reqwest::Client,
    cookies: RefCell<BTreeMap<String, String>>,
}

/// What it got.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

/// A form, as it would be sent now.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: Url,
    pub(crate) method: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(app: &'a TestApp) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { app, http, cookies: RefCell::default() }
    }

    /// The cookie that the server set.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookies.borrow().get("mindflow").cloned()
    }

    /// Puts a cookie where the server's would be.
    pub(crate) fn plant(&self, value: &str) {
        self.cookies.borrow_mut().insert("mindflow".to_owned(), value.to_owned());
    }

    /// Goes to a path or URL of the server; redirects are shown, not followed.
    pub(crate) async fn open(&self, path: &str) -> Page {
        self.open_with(path, &[]).await
    }

    /// The same with headers.
    pub(crate) async fn open_with(&self, path: &str, headers: &[(&str, &str)]) -> Page {
        let url = Url::parse(self.app.url()).unwrap().join(path).unwrap();
        let request =
            headers.iter().fold(self.http.get(url.clone()), |request, (name, value)| request.header(*name, *value));
        self.send_request(request, url).await
    }

    /// Asks with `HEAD`.
    pub(crate) async fn head(&self, path: &str) -> Page {
        let url = Url::parse(self.app.url()).unwrap().join(path).unwrap();
        self.send_request(self.http.head(url.clone()), url).await
    }

    /// Sends a form as a browser does from the page that it stands on.
    pub(crate) async fn send(&self, form: &Form) -> Page {
        let headers = [("origin", self.app.url()), ("sec-fetch-site", "same-origin")];
        self.send_with(form, &headers).await
    }

    /// The same for a form that nobody else needs.
    pub(crate) async fn send_owned(&self, form: Form) -> Page {
        self.send(&form).await
    }

    /// The same with these headers only.
    pub(crate) async fn send_with(&self, form: &Form, headers: &[(&str, &str)]) -> Page {
        let mut request = if form.method == "get" {
            let mut url = form.action.clone();
            url.query_pairs_mut().clear().extend_pairs(&form.fields);
            return self.open(url.as_str()).await;
        } else {
            form_request(self.http.post(form.action.clone()), &form.fields)
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send_request(request, form.action.clone()).await
    }

    /// Follows redirects as long as they stay on the server.
    pub(crate) async fn follow(&self, mut page: Page) -> Page {
        for _ in 0..5 {
            match page.location() {
                Some(to) if to.starts_with(self.app.url()) => page = self.open(to).await,
                _ => return page,
            }
        }
        panic!("too many redirects, the last from {}", page.url)
    }

    /// Signs in on the page that asks for it, and goes on.
    pub(crate) async fn sign_in(&self, page: &Page, email: &str) -> Page {
        let form = page.form().fill("email", email).fill("password", PASSWORD);
        let answer = self.send(&form).await;
        assert_eq!(answer.status, 303, "{}", answer.html);
        self.follow(answer).await
    }

    async fn send_request(&self, request: reqwest::RequestBuilder, url: Url) -> Page {
        let jar: Vec<String> = self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if jar.is_empty() { request } else { request.header("cookie", jar.join("; ")) };
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Page { url, status, headers, html: response.text().await.unwrap() }
    }
}

impl Page {
    /// Where it leads.
    pub(crate) fn location(&self) -> Option<&str> {
        self.headers.get("location").map(|value| value.to_str().unwrap())
    }

    /// The page itself, when its status is this one.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} {:?}", self.html, self.location());
        self
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What the redirect brings the client, when it leads there.
    #[track_caller]
    pub(crate) fn brings(&self, callback: &str) -> BTreeMap<String, String> {
        assert_eq!(self.status, 303, "{}", self.html);
        let location = self.location().unwrap();
        assert!(location.starts_with(&format!("{callback}?")), "{location}");
        Url::parse(location).unwrap().query_pairs().into_owned().collect()
    }

    /// The code that it brings the usual client.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        self.brings(CALLBACK).remove("code").unwrap()
    }

    /// The error that it brings the usual client.
    #[track_caller]
    pub(crate) fn error(&self) -> String {
        self.brings(CALLBACK).remove("error").unwrap()
    }

    /// The page's form, as it would be sent untouched, without any button.
    #[track_caller]
    pub(crate) fn form(&self) -> Form {
        self.form_from(self.html.find("<form").unwrap_or_else(|| panic!("no form: {} {}", self.status, self.html)))
    }

    /// The same of the form for a step.
    #[track_caller]
    pub(crate) fn form_for(&self, step: &str) -> Form {
        let named = format!("name=\"step\" value=\"{step}\"");
        let place = self.html.find(&named).unwrap_or_else(|| panic!("no `{step}`: {} {}", self.status, self.html));
        self.form_from(self.html[..place].rfind("<form").unwrap())
    }

    fn form_from(&self, start: usize) -> Form {
        let inside = &self.html[start..][..self.html[start..].find("</form>").unwrap()];
        let mut tags = tags(inside);
        let (_, form) = tags.next().unwrap();
        let inputs = tags.filter(|(name, input)| {
            let kind = input.get("type").map(String::as_str);
            let sent = kind != Some("checkbox") || input.contains_key("checked");
            name == "input" && sent && !input.contains_key("disabled")
        });
        let value = |input: &BTreeMap<String, String>, name: &str| input.get(name).cloned().unwrap_or_default();
        Form {
            action: self.url.join(&form["action"]).unwrap(),
            method: form["method"].clone(),
            fields: inputs.map(|(_, input)| (value(&input, "name"), value(&input, "value"))).collect(),
        }
    }

    /// The link with these words.
    #[track_caller]
    pub(crate) fn link(&self, words: &str) -> String {
        let end = self.html.find(&format!(">{words}</a>")).unwrap_or_else(|| panic!("no `{words}`: {}", self.html));
        let start = self.html[..end].rfind("<a").unwrap();
        let (_, link) = tags(&self.html[start..=end]).next().unwrap();
        self.url.join(&link["href"]).unwrap().into()
    }

    /// The value of the input with this name.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let mut found = tags(&self.html).filter(|(_, input)| input.get("name").is_some_and(|own| own == name));
        found.next().and_then(|(_, input)| input.get("value").cloned())
    }
}

impl Form {
    /// Fills in a field.
    pub(crate) fn fill(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(own, _)| own != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes the tick from a checkbox.
    pub(crate) fn untick(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(own_name, own)| own_name != name || own != value);
        self
    }

    /// Leaves a field out.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(own, _)| own != name);
        self
    }

    /// Presses one of the consent's buttons.
    pub(crate) fn decide(self, decision: &str) -> Self {
        self.fill("decision", decision)
    }
}

/// The start tags of a text with their attributes.
fn tags(html: &str) -> impl Iterator<Item = (String, BTreeMap<String, String>)> + '_ {
    html.split('<').skip(1).filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic())).map(|tag| {
        let inside = tag.split('>').next().unwrap();
        let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
        let mut attributes = BTreeMap::new();
        while !rest.trim().is_empty() {
            rest = rest.trim_start();
            let end = rest.find(['=', ' ']).unwrap_or(rest.len());
            let (attribute, after) = rest.split_at(end);
            let (value, after) = match after.strip_prefix("=\"") {
                Some(quoted) => quoted.split_once('"').unwrap(),
                None => ("", after),
            };
            attributes.insert(attribute.to_owned(), unescape(value));
            rest = after;
        }
        (name.to_owned(), attributes)
    })
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Puts a form into a request's body.
pub(crate) fn form_request(
    request: reqwest::RequestBuilder,
    fields: &[(impl AsRef<str>, impl AsRef<str>)],
) -> reqwest::RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}

/// Registers a client as programs do; gives its `client_id`.
pub(crate) async fn register(app: &TestApp, name: &str, redirects: &[&str]) -> String {
    let body = json!({ "client_name": name, "redirect_uris": redirects, "token_endpoint_auth_method": "none" });
    let registered = app.anonymous().post("/oauth/register", &body).await.good();
    registered["client_id"].as_str().unwrap().to_owned()
}

/// The link by which the usual client asks, with more parameters.
pub(crate) fn link(client_id: &str, more: &[(&str, &str)]) -> String {
    let usual = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let usual = usual.iter().filter(|(name, _)| more.iter().all(|(own, _)| own != name));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(usual).extend_pairs(more.iter().filter(|(_, value)| !value.is_empty()));
    format!("/oauth/authorize?{}", query.finish())
}
