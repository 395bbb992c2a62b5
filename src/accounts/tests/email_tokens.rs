use super::*;
use crate::accounts::personal_tokens::NewToken;
use crate::mail::Message;

const NEW: &str = "staple of the same horse";

impl World {
    pub(super) async fn verified(&self, caller: &Caller) -> bool {
        self.accounts.get_me(caller).await.unwrap().email_verified
    }

    async fn reset_token(&self, email: &str) -> String {
        self.accounts.forgot_password(email, &origin()).unwrap();
        loop {
            if let Message::ResetPassword { link } = self.letterbox.next().await.message {
                let start = "https://mindflow.example/oauth/reset-password?token=";
                return link.strip_prefix(start).unwrap().to_owned();
            }
        }
    }
}

#[tokio::test]
async fn an_address_is_verified_by_the_link_of_the_registration_once() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let token = world.letterbox.next_token().await;
        assert!(!world.verified(&ada).await);

        world.accounts.verify_email(&token, &origin()).await.unwrap();

        assert!(world.verified(&ada).await);
        assert_eq!(world.actions(&ada).await[0], "email.verified");
        let again = world.accounts.verify_email(&token, &origin()).await.unwrap_err();
        assert_eq!(fields(again), ["/token"], "{}", world.name);
        let more = world.accounts.send_verification(&ada, &origin()).await;
        assert!(matches!(more, Err(AccountError::EmailVerified)));
    }
}

#[tokio::test]
async fn another_link_can_be_asked_for_and_links_end() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let first = world.letterbox.next_token().await;
        world.clock.advance(Duration::from_hours(24));

        assert_eq!(fields(world.accounts.verify_email(&first, &origin()).await.unwrap_err()), ["/token"]);
        world.accounts.send_verification(&ada, &origin()).await.unwrap();
        let second = world.letterbox.next_token().await;

        world.accounts.verify_email(&second, &origin()).await.unwrap();
        assert!(world.verified(&ada).await);
    }
}

#[tokio::test]
async fn nobody_is_flooded_with_links() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        world.letterbox.next_token().await;

        for _ in 0..8 {
            world.accounts.forgot_password("ada@example.org", &origin()).unwrap();
        }
        for _ in 0..5 {
            world.letterbox.next_token().await;
        }
        world.accounts.forgot_password("ADA@example.org", &origin()).unwrap();
        world.accounts.post.quiet().await;

        assert!(world.letterbox.is_empty().await, "{}", world.name);
    }
}

#[tokio::test]
async fn a_new_password_is_chosen_by_mail_and_ends_everything() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let tokens = world.login("ada@example.org").await;
        let new = NewToken { name: "script".to_owned(), scopes: ada.scopes, expires_at: None };
        let (_, personal) = world.accounts.create_token(&ada, new, &origin()).await.unwrap();
        let bob = world.caller("bob@example.org").await;

        let token = world.reset_token("Ada@Example.org").await;
        assert!(world.accounts.can_reset(&token).await.unwrap());
        let weak = world.accounts.reset_password(&token, "password1", &origin()).await.unwrap_err();
        assert_eq!(fields(weak), ["/new_password"]);
        world.accounts.reset_password(&token, NEW, &origin()).await.unwrap();

        assert!(world.identify(&tokens.access_token).await.is_err() && world.identify(&personal).await.is_err());
        assert!(world.accounts.refresh(&tokens.refresh_token, &origin()).await.is_err());
        assert_eq!(world.accounts.list_sessions(&bob, &Paging::default()).await.unwrap().total, 1);
        assert_eq!(fields(world.accounts.reset_password(&token, NEW, &origin()).await.unwrap_err()), ["/token"]);
        let sign_in = |password| SignIn { email: "ada@example.org", password, code: None };
        assert!(world.accounts.login(sign_in(GOOD), &origin()).await.is_err());
        world.accounts.login(sign_in(NEW), &origin()).await.unwrap();
        assert!(world.verified(&ada).await, "the link proved the address");
        assert_eq!(world.letterbox.next().await.message, Message::PasswordChanged);
        let log = world.accounts.list_activity(&ada, &Paging::default()).await.unwrap().items;
        let reset = log.iter().find(|entry| entry.action == "password.reset").unwrap();
        let details = reset.details.as_ref().unwrap().to_string();
        assert_eq!(details, r#"{"sessions":2,"apps":0,"tokens":1,"identities":0,"passkeys":0}"#);
    }
}

#[tokio::test]
async fn a_link_to_reset_ends_after_an_hour_and_with_any_other_new_password() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let old = world.reset_token("ada@example.org").await;
        world.clock.advance(Duration::from_hours(1));
        assert!(!world.accounts.can_reset(&old).await.unwrap());
        assert_eq!(fields(world.accounts.reset_password(&old, NEW, &origin()).await.unwrap_err()), ["/token"]);

        let token = world.reset_token("ada@example.org").await;
        world.accounts.change_password(&ada, GOOD, NEW, &origin()).await.unwrap();

        assert!(!world.accounts.can_reset(&token).await.unwrap());
        assert_eq!(fields(world.accounts.reset_password(&token, GOOD, &origin()).await.unwrap_err()), ["/token"]);
    }
}

#[tokio::test]
async fn of_two_who_use_a_link_at_the_same_time_one_does() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let (token, from) = (world.reset_token("ada@example.org").await, origin());

        let (one, two) = tokio::join!(
            world.accounts.reset_password(&token, NEW, &from),
            world.accounts.reset_password(&token, "another good password", &from)
        );

        assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|ok| **ok).count(), 1, "{}", world.name);
    }
}

#[tokio::test]
async fn a_link_of_one_kind_is_none_of_the_other() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let verify = world.letterbox.next_token().await;
        let reset = world.reset_token("ada@example.org").await;

        assert_eq!(fields(world.accounts.reset_password(&verify, NEW, &origin()).await.unwrap_err()), ["/token"]);
        assert_eq!(fields(world.accounts.verify_email(&reset, &origin()).await.unwrap_err()), ["/token"]);
        assert!(!world.verified(&ada).await);
    }
}

#[tokio::test]
async fn strangers_and_the_shut_out_get_no_link() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        world.letterbox.next_token().await;
        world.accounts.set_status("ada@example.org", Status::Disabled).await.unwrap();

        for email in ["ada@example.org", "bob@example.org", "no address", ""] {
            world.accounts.forgot_password(email, &origin()).unwrap();
        }
        world.accounts.post.quiet().await;

        assert!(world.letterbox.is_empty().await);
    }
}

#[tokio::test]
async fn a_new_password_ends_tokens_and_is_told_by_mail() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        world.letterbox.next_token().await;
        let new = NewToken { name: "script".to_owned(), scopes: ada.scopes, expires_at: None };
        let (_, personal) = world.accounts.create_token(&ada, new, &origin()).await.unwrap();

        world.accounts.change_password(&ada, GOOD, NEW, &origin()).await.unwrap();

        assert!(world.identify(&personal).await.is_err(), "{}", world.name);
        assert_eq!(world.letterbox.next().await.message, Message::PasswordChanged);
    }
}
