//! Browsers that somebody is signed in with.

use super::super::sessions::SessionKind;
use super::*;

const HOUR: Duration = Duration::from_hours(1);

async fn signed_in(world: &World, shown: Option<&str>) -> String {
    let proven = world.accounts.prove_password("ada@example.org", GOOD, &origin()).await.unwrap();
    world.accounts.begin_browser(proven, shown, &origin()).await.unwrap()
}

#[tokio::test]
async fn every_sign_in_makes_a_new_cookie_and_ends_what_the_old_one_showed() {
    for world in worlds().await {
        let ada = world.person("ada@example.org").await;
        let planted = "p".repeat(43);

        let first = signed_in(&world, Some(&planted)).await;
        let second = signed_in(&world, Some(&first)).await;

        assert!(first.len() == 43 && first != planted && first != second, "{}", world.name);
        let find = |cookie| world.accounts.find_browser(cookie);
        assert_eq!((find(&planted).await.unwrap(), find(&first).await.unwrap()), (None, None));
        let browser = find(&second).await.unwrap().unwrap();
        assert_eq!((browser.user_id, browser.methods.as_str()), (ada.id, "pwd"));
    }
}

#[tokio::test]
async fn a_browser_that_is_not_used_is_signed_out_and_one_that_is_used_too_in_the_end() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let (idle, used) = (signed_in(&world, None).await, signed_in(&world, None).await);

        for _ in 0..9 {
            world.clock.advance(36 * HOUR);
            assert!(world.accounts.find_browser(&used).await.unwrap().is_some(), "{}", world.name);
        }
        assert_eq!(world.accounts.find_browser(&idle).await.unwrap(), None);
        world.clock.advance(12 * HOUR);
        assert_eq!(world.accounts.find_browser(&used).await.unwrap(), None, "14 days are over");
    }
}

#[tokio::test]
async fn a_browser_is_listed_and_ended_like_every_session() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let cookie = signed_in(&world, None).await;
        let caller = world.identify(&world.login("ada@example.org").await.access_token).await.unwrap();

        let listed = world.accounts.list_sessions(&caller, &Paging::default()).await.unwrap();
        let browser = listed.items.iter().find(|session| session.kind == SessionKind::Browser).unwrap();
        world.accounts.end_session(&caller, browser.id, &origin()).await.unwrap();

        assert_eq!(listed.items.len(), 2);
        assert_eq!(world.accounts.find_browser(&cookie).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_new_password_and_signing_out_end_it() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let (first, second) = (signed_in(&world, None).await, signed_in(&world, None).await);
        let caller = world.identify(&world.login("ada@example.org").await.access_token).await.unwrap();

        world.accounts.end_browser(&first, &origin()).await.unwrap();
        assert_eq!(world.accounts.find_browser(&first).await.unwrap(), None);
        assert!(world.accounts.find_browser(&second).await.unwrap().is_some());
        world.accounts.change_password(&caller, GOOD, "another good password", &origin()).await.unwrap();

        assert_eq!(world.accounts.find_browser(&second).await.unwrap(), None, "{}", world.name);
    }
}

#[tokio::test]
async fn who_proved_it_with_a_password_that_changed_meanwhile_is_not_signed_in() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let caller = world.identify(&world.login("ada@example.org").await.access_token).await.unwrap();
        let proven = world.accounts.prove_password("ada@example.org", GOOD, &origin()).await.unwrap();

        world.accounts.change_password(&caller, GOOD, "another good password", &origin()).await.unwrap();
        let begun = world.accounts.begin_browser(proven, None, &origin()).await;

        assert!(matches!(begun, Err(AccountError::WrongCredentials)), "{}", world.name);
    }
}
