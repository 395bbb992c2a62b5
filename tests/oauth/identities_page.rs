//! The page on which people see, link and unlink accounts elsewhere.

use mindflow::mail::Message;

use crate::browser::Browser;
use crate::connector::actions;
use crate::provider::Provider;
use crate::support::app::TestApp;
use crate::upstream::Scene;

const PAGE: &str = "/oauth/identities";

/// Signs Ada in, on the page.
async fn signed_in(app: &TestApp) -> (Browser<'_>, crate::browser::Page) {
    let browser = Browser::new(app);
    let door = browser.open(PAGE).await.is(200);
    let page = browser.sign_in(&door, "ada@example.com").await.is(200);
    (browser, page)
}

/// Goes where a link of the page leads, and comes back.
async fn follow(browser: &Browser<'_>, provider: &Provider, link: &str) -> crate::browser::Page {
    let left = browser.open(link).await.is(303);
    let back = provider.visit(left.location().unwrap()).await;
    browser.open(&back).await
}

#[tokio::test]
async fn an_account_elsewhere_is_linked_and_unlinked_by_who_is_signed_in() {
    let scene = Scene::new().await;
    let ada = scene.app.user("ada").await;
    let (browser, page) = signed_in(&scene.app).await;
    assert!(page.html.contains("No account elsewhere is linked.") && page.html.contains("ada@example.com"));
    scene.provider.is_used_by(7, Some("lovelace@example.net"), true);

    let asked = follow(&browser, &scene.provider, &page.link("Continue with GitHub")).await.is(200);
    assert!(asked.html.contains("Link your GitHub account?"), "nothing is linked without a click: {}", asked.html);
    let linked = browser.send(&asked.form()).await.is(303);
    assert_eq!(linked.location(), Some(&*format!("{}{PAGE}", scene.app.url())));
    let page = browser.follow(linked).await.is(200);
    assert!(page.html.contains("lovelace@example.net"), "{}", page.html);
    assert!(matches!(scene.app.letterbox.next().await.message, Message::IdentityLinked { .. }));
    let unlinked = browser.send(&page.form()).await.is(303);

    assert!(!browser.follow(unlinked).await.is(200).html.contains("lovelace@example.net"));
    assert!(matches!(scene.app.letterbox.next().await.message, Message::IdentityUnlinked { .. }));
    browser.send(&page.form()).await.is(303);
    let log = actions(&ada).await;
    assert!(["identity.linked", "identity.unlinked"].iter().all(|action| log.contains(&(*action).to_owned())));
}

#[tokio::test]
async fn nobody_unlinks_what_is_not_theirs_or_their_only_way_in() {
    let scene = Scene::new().await;
    scene.app.user("ada").await;
    scene.provider.is_used_by(7, Some("new@example.net"), true);
    let newcomer = Browser::new(&scene.app);
    let door = newcomer.open(PAGE).await.is(200);
    let entered = follow(&newcomer, &scene.provider, &door.link("Continue with Example ID")).await.is(303);
    let page = newcomer.follow(entered).await.is(200);
    let (ada, adas) = signed_in(&scene.app).await;
    let id = page.value("identity").unwrap();
    let mut foreign = page.form();
    foreign.fields.retain(|(name, _)| name != "csrf");

    newcomer.send_with(&page.form(), &[("origin", "https://evil.example")]).await.is(403);
    newcomer.send(&foreign).await.is(403);
    ada.send(&page.form()).await.is(403);
    let only = newcomer.send(&page.form()).await.is(409);
    assert!(only.html.contains("This is your only way to sign in") && only.html.contains("new@example.net"));
    only.link("Choose a password");

    let sign_out = ada.open("/oauth/sign-out").await.is(200);
    assert_eq!(sign_out.link("Ways to sign in"), format!("{}{PAGE}", scene.app.url()));
    assert!(!adas.html.contains(&id));
}
