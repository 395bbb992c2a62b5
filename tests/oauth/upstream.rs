//! Signing in through accounts elsewhere, and what keeps others out of one's account.

use mindflow::config::Registration;
use serde_json::json;

use crate::authenticator::enrol;
use crate::browser::{Browser, Page};
use crate::provider::Provider;
use crate::support::app::{PASSWORD, TestApp};

/// What a person does after the sign-in.
const RETURN: &str = "/device";

pub(crate) struct Scene {
    pub(crate) provider: Provider,
    pub(crate) app: TestApp,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(Registration::Open).await
    }

    async fn with(registration: Registration) -> Self {
        let provider = Provider::start().await;
        let app = TestApp::with(|config| {
            provider.known_to(config);
            config.accounts.registration = registration;
        })
        .await;
        Self { provider, app }
    }

    /// Goes to a provider and comes back.
    async fn journey(&self, browser: &Browser<'_>, provider: &str) -> Page {
        let back = self.provider.visit(&self.depart(browser, provider).await).await;
        browser.open(&back).await
    }

    async fn depart(&self, browser: &Browser<'_>, provider: &str) -> String {
        let page = browser.open(&format!("/oauth/upstream/{provider}?return_to={RETURN}")).await.is(303);
        page.location().unwrap().to_owned()
    }

    /// The address of who is signed in.
    async fn who(&self, browser: &Browser<'_>) -> Option<String> {
        let cookie = browser.cookie()?;
        self.app.app.accounts.find_browser(&cookie).await.unwrap().map(|browser| browser.email)
    }
}

#[tokio::test]
async fn somebody_new_gets_an_account_and_the_same_one_again() {
    for provider in ["oidc", "github"] {
        let scene = Scene::new().await;
        scene.provider.is_used_by(7, Some("Ada@example.net"), true);

        let (first, second) = (Browser::new(&scene.app), Browser::new(&scene.app));
        let page = scene.journey(&first, provider).await.is(303);
        assert_eq!(page.location(), Some(&*format!("{}{RETURN}", scene.app.url())), "{provider}");
        // The address there may change: the person stays the same.
        scene.provider.is_used_by(7, Some("lovelace@example.net"), true);
        scene.journey(&second, provider).await.is(303);

        assert_eq!(scene.who(&first).await.as_deref(), Some("Ada@example.net"));
        assert_eq!(scene.who(&second).await.as_deref(), Some("Ada@example.net"));
        assert_eq!(scene.app.app.store.list_users().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_new_account_has_a_verified_address_and_no_password() {
    let scene = Scene::new().await;
    scene.provider.is_used_by(7, Some("ada@example.net"), true);
    scene.journey(&Browser::new(&scene.app), "oidc").await.is(303);

    let row = scene.app.app.store.find_user_by_email("ada@example.net").await.unwrap().unwrap();
    assert!(row.email_verified_at.is_some());
    assert_eq!(row.full_name.as_deref(), Some("Ada L."));
    for password in ["none", "", PASSWORD] {
        let login = json!({ "email": "ada@example.net", "password": password });
        assert_ne!(scene.app.anonymous().post("/api/auth/login", &login).await.status, 200);
    }
}

#[tokio::test]
async fn an_account_is_never_linked_by_its_address_alone() {
    let scene = Scene::new().await;
    let ada = scene.app.user("ada").await;
    scene.provider.is_used_by(7, Some("ADA@example.com"), true);
    let browser = Browser::new(&scene.app);

    let page = scene.journey(&browser, "oidc").await.is(200);
    assert!(page.html.contains("Link your Example ID account?"), "{}", page.html);
    assert_eq!(scene.who(&browser).await, None);
    let wrong = browser.send(&page.form().fill("password", "not the password")).await.is(422);
    assert_eq!(ada.get("/api/auth/identities").await.good()["items"], json!([]));
    browser.send(&wrong.form().fill("password", PASSWORD)).await.is(303);

    assert_eq!(scene.who(&browser).await.as_deref(), Some("ada@example.com"));
    let linked = ada.get("/api/auth/identities").await.good();
    assert_eq!(
        (&linked["items"][0]["provider"], &linked["items"][0]["email"]),
        (&json!("oidc"), &json!("ADA@example.com"))
    );
    let another = Browser::new(&scene.app);
    scene.journey(&another, "oidc").await.is(303);
    assert_eq!(scene.who(&another).await.as_deref(), Some("ada@example.com"), "linked from then on");
}

#[tokio::test]
async fn an_address_that_is_not_verified_matches_nobody() {
    for provider in ["oidc", "github"] {
        let scene = Scene::new().await;
        scene.app.user("ada").await;
        scene.provider.is_used_by(7, Some("ada@example.com"), false);
        let browser = Browser::new(&scene.app);

        let page = scene.journey(&browser, provider).await.is(403);

        assert!(!page.html.contains("<form"), "{}", page.html);
        assert_eq!(scene.who(&browser).await, None);
    }
}

#[tokio::test]
async fn who_registered_with_a_strangers_address_is_out_when_its_owner_resets_the_password() {
    let scene = Scene::new().await;
    // The attacker's account elsewhere claims the victim's address without proof.
    scene.provider.is_used_by(666, Some("victim@example.net"), false);
    scene.journey(&Browser::new(&scene.app), "oidc").await.is(303);
    let attacker = Browser::new(&scene.app);
    scene.journey(&attacker, "oidc").await.is(303);
    assert_eq!(scene.who(&attacker).await.as_deref(), Some("victim@example.net"));
    let owner = json!({ "email": "victim@example.net" });
    scene.app.anonymous().post("/api/auth/password/forgot", &owner).await.is(202);
    let mail = scene.app.letterbox.next_reset().await;
    let token = mail.message.link().unwrap().split_once("token=").unwrap().1;

    let new = json!({ "token": token, "new_password": PASSWORD });
    scene.app.anonymous().post("/api/auth/password/reset", &new).await.is(204);

    assert_eq!(scene.who(&attacker).await, None);
    let again = scene.journey(&attacker, "oidc").await.is(403);
    assert!(again.html.contains("does not say that the address is yours"), "{}", again.html);
    assert_eq!(scene.who(&attacker).await, None);
    let login = json!({ "email": "victim@example.net", "password": PASSWORD });
    let tokens = scene.app.anonymous().post("/api/auth/login", &login).await.good();
    let victim = scene.app.anonymous().holding(tokens["access_token"].as_str().unwrap());
    assert_eq!(victim.get("/api/auth/identities").await.good()["items"], json!([]));
    let log = victim.get("/api/auth/activity").await.good();
    let reset = log["items"].as_array().unwrap().iter().find(|row| row["action"] == "password.reset").unwrap();
    assert_eq!(reset["details"]["identities"], 1);
}

#[tokio::test]
async fn what_was_linked_before_an_address_was_confirmed_ends_with_a_later_reset_too() {
    let scene = Scene::new().await;
    scene.provider.is_used_by(666, Some("victim@example.net"), false);
    let attacker = Browser::new(&scene.app);
    scene.journey(&attacker, "oidc").await.is(303);
    let mail = scene.app.letterbox.next().await;
    // The victim confirms what they did not begin, and wonders later.
    let token = mail.message.link().unwrap().split_once("token=").unwrap().1;
    scene.app.advance(std::time::Duration::from_secs(1));
    scene.app.anonymous().post("/api/auth/verify-email", &json!({ "token": token })).await.is(204);
    let owner = json!({ "email": "victim@example.net" });
    scene.app.anonymous().post("/api/auth/password/forgot", &owner).await.is(202);
    let mail = scene.app.letterbox.next_reset().await;
    let token = mail.message.link().unwrap().split_once("token=").unwrap().1;

    let new = json!({ "token": token, "new_password": PASSWORD });
    scene.app.anonymous().post("/api/auth/password/reset", &new).await.is(204);

    scene.journey(&attacker, "oidc").await.is(403);
    assert_eq!(scene.who(&attacker).await, None);
}

#[tokio::test]
async fn a_reset_keeps_the_identities_of_who_had_proved_their_address() {
    let scene = Scene::new().await;
    scene.provider.is_used_by(7, Some("ada@example.net"), true);
    scene.journey(&Browser::new(&scene.app), "oidc").await.is(303);
    let owner = json!({ "email": "ada@example.net" });
    scene.app.anonymous().post("/api/auth/password/forgot", &owner).await.is(202);
    let mail = scene.app.letterbox.next_reset().await;
    let token = mail.message.link().unwrap().split_once("token=").unwrap().1;

    let new = json!({ "token": token, "new_password": PASSWORD });
    scene.app.anonymous().post("/api/auth/password/reset", &new).await.is(204);

    let browser = Browser::new(&scene.app);
    scene.journey(&browser, "oidc").await.is(303);
    assert_eq!(scene.who(&browser).await.as_deref(), Some("ada@example.net"));
}

#[tokio::test]
async fn registration_is_respected() {
    for (registration, told) in [(Registration::Closed, "operator"), (Registration::Invite, "invitation")] {
        let scene = Scene::with(registration).await;
        scene.provider.is_used_by(7, Some("ada@example.net"), true);

        let page = scene.journey(&Browser::new(&scene.app), "oidc").await.is(403);

        assert!(page.html.contains(told), "{}", page.html);
        assert!(scene.app.app.store.list_users().await.unwrap().is_empty());
    }
    let scene = Scene::new().await;
    scene.provider.is_used_by(7, None, false);
    scene.journey(&Browser::new(&scene.app), "oidc").await.is(403);
}

#[tokio::test]
async fn an_answer_counts_in_the_browser_that_asked_and_once() {
    let scene = Scene::new().await;
    scene.provider.is_used_by(7, Some("ada@example.net"), true);
    let (own, other) = (Browser::new(&scene.app), Browser::new(&scene.app));
    let back = scene.provider.visit(&scene.depart(&own, "oidc").await).await;

    // A link to somebody else's answer signs nobody in (CSRF), with or without a journey of one's own.
    other.open(&back).await.is(400);
    scene.depart(&other, "oidc").await;
    other.open(&back).await.is(400);
    assert_eq!(scene.provider.redeemed(), 0, "the code was not even looked at");
    own.open(&back.replace("state=", "state=x")).await.is(400);
    // That used the journey up.
    own.open(&back).await.is(400);
    assert_eq!(scene.who(&own).await, None);
}

#[tokio::test]
async fn an_answer_comes_from_the_provider_that_was_asked() {
    let scene = Scene::new().await;
    scene.provider.is_used_by(7, Some("ada@example.net"), true);

    let browser = Browser::new(&scene.app);
    let back = scene.provider.visit(&scene.depart(&browser, "oidc").await).await;
    browser.open(&back.replace("/oidc/", "/github/")).await.is(400);
    for iss in [Some("https://evil.example"), None] {
        let back = scene.provider.visit(&scene.depart(&browser, "oidc").await).await;
        let mut url = url::Url::parse(&back).unwrap();
        let others: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| name != "iss").collect();
        url.query_pairs_mut().clear().extend_pairs(others);
        if let Some(iss) = iss {
            url.query_pairs_mut().append_pair("iss", iss);
        }
        browser.open(url.as_str()).await.is(502);
    }
    assert_eq!(scene.provider.redeemed(), 0);
    browser.open("/oauth/upstream/nobody").await.is(404);
}

#[tokio::test]
async fn what_a_provider_says_must_fit_together() {
    let scene = Scene::new().await;
    scene.provider.is_used_by(7, Some("ada@example.net"), true);
    let browser = Browser::new(&scene.app);
    for twist in [
        json!({ "nonce": "another" }),
        json!({ "aud": "somebody else" }),
        json!({ "iss": "https://evil.example" }),
        json!({ "exp": 1 }),
        json!({ "sub": "" }),
    ] {
        scene.provider.change(|state| state.twist = twist.clone());
        let page = scene.journey(&browser, "oidc").await;
        assert_eq!(page.status, 502, "{twist}");
    }
    scene.provider.change(|state| {
        state.twist = json!({});
        state.other_subject = Some("8".to_owned());
    });
    scene.journey(&browser, "oidc").await.is(502);
    assert_eq!(scene.who(&browser).await, None);

    scene.provider.change(|state| state.extra = vec![("error", "access_denied".to_owned())]);
    let page = scene.journey(&browser, "oidc").await.is(400);
    assert!(page.html.contains("Example ID did not sign you in"), "{}", page.html);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_here_too() {
    let scene = Scene::new().await;
    let ada = scene.app.user("ada").await;
    scene.provider.is_used_by(7, Some("ada@example.com"), true);
    let browser = Browser::new(&scene.app);
    let page = scene.journey(&browser, "oidc").await.is(200);
    browser.send(&page.form().fill("password", PASSWORD)).await.is(303);
    let (_, recovery) = enrol(&scene.app, &ada).await;

    let another = Browser::new(&scene.app);
    let page = scene.journey(&another, "oidc").await.is(200);
    assert_eq!(scene.who(&another).await, None);
    let sent = another.send(&page.form().fill("code", &recovery[0])).await.is(303);

    assert_eq!(sent.location(), Some(&*format!("{}{RETURN}", scene.app.url())));
    assert_eq!(scene.who(&another).await.as_deref(), Some("ada@example.com"));
}

#[tokio::test]
async fn an_identity_is_unlinked_unless_it_is_the_only_way_in() {
    let scene = Scene::new().await;
    let ada = scene.app.user("ada").await;
    scene.provider.is_used_by(7, Some("ada@example.com"), true);
    let browser = Browser::new(&scene.app);
    let page = scene.journey(&browser, "github").await.is(200);
    browser.send(&page.form().fill("password", PASSWORD)).await.is(303);
    let id = ada.get("/api/auth/identities").await.good()["items"][0]["id"].as_str().unwrap().to_owned();

    let bob = scene.app.user("bob").await;
    bob.delete(&format!("/api/auth/identities/{id}")).await.assert_problem("not-found");
    assert_eq!(ada.delete(&format!("/api/auth/identities/{id}")).await.status, 204);
    let activity = ada.get("/api/auth/activity").await.good().to_string();
    assert!(activity.contains("identity.linked") && activity.contains("identity.unlinked"), "{activity}");

    let page = scene.journey(&Browser::new(&scene.app), "github").await.is(200);
    assert!(page.html.contains("Link your GitHub account?"), "it is unknown again");
}

#[tokio::test]
async fn the_sign_in_page_offers_providers_and_leads_nowhere_else() {
    let scene = Scene::new().await;
    let browser = Browser::new(&scene.app);

    let page = browser.open("/device?user_code=BCDF-GHJK").await.is(200);
    assert!(page.html.contains("Continue with GitHub") && page.html.contains("Continue with Example ID"));
    let usual = browser.open(&page.link("Continue with Example ID")).await.is(303);
    let anew = browser.open("/device?user_code=BCDF-GHJK&prompt=login").await.is(200);
    let anew = browser.open(&anew.link("Continue with Example ID")).await.is(303);
    let asks = |page: &Page| page.location().unwrap().contains("prompt=login");
    assert_eq!((asks(&usual), asks(&anew)), (false, true), "who must sign in anew must do so there, too");
    let evil = browser.open("/oauth/upstream/oidc?return_to=https://evil.example/").await.is(303);
    scene.provider.is_used_by(7, Some("ada@example.net"), true);
    let back = scene.provider.visit(evil.location().unwrap()).await;
    let page = browser.open(&back).await.is(303);

    assert_eq!(page.location(), Some(&*format!("{}/", scene.app.url())));
}
