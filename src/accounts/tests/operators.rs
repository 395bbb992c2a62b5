use super::*;

#[tokio::test]
async fn a_disabled_account_is_shut_out_at_once_and_keeps_its_data() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let tokens = world.login("ada@example.org").await;
        let ada = world.identify(&tokens.access_token).await.unwrap();
        let new = crate::accounts::personal_tokens::NewToken {
            name: "script".to_owned(),
            scopes: Scopes::parse("read").unwrap(),
            expires_at: None,
        };
        let (_, personal) = world.accounts.create_token(&ada, new, &origin()).await.unwrap();

        world.accounts.set_status("ADA@example.org", Status::Disabled).await.unwrap();

        assert!(world.identify(&tokens.access_token).await.is_err() && world.identify(&personal).await.is_err());
        assert!(world.accounts.refresh(&tokens.refresh_token, &origin()).await.is_err());
        assert!(world.try_login("ada@example.org", GOOD).await.is_err());
        world.accounts.set_status("ada@example.org", Status::Active).await.unwrap();
        assert!(world.identify(&personal).await.is_ok());
        world.login("ada@example.org").await;
    }
}

#[tokio::test]
async fn an_operator_who_is_none_any_more_loses_the_scope_at_once() {
    for world in worlds().await {
        world.person("eve@example.org").await;
        world.accounts.set_role("eve@example.org", Role::Admin).await.unwrap();
        let token = world.login("eve@example.org").await.access_token;
        assert!(world.identify(&token).await.unwrap().scopes.allow(Scope::Admin));

        world.accounts.set_role("eve@example.org", Role::User).await.unwrap();

        assert_eq!(world.identify(&token).await.unwrap().scopes.to_string(), "read write");
        assert!(matches!(
            world.accounts.set_role("bob@example.org", Role::Admin).await,
            Err(AccountError::NoSuchUser(_))
        ));
    }
}

#[tokio::test]
async fn a_password_from_the_shell_ends_every_session() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let tokens = world.login("ada@example.org").await;

        assert!(world.accounts.set_password("ada@example.org", "short").await.is_err());
        world.accounts.set_password("ada@example.org", "another good password").await.unwrap();

        assert!(world.identify(&tokens.access_token).await.is_err());
        assert!(world.try_login("ada@example.org", "another good password").await.is_ok());
        assert_eq!(world.accounts.list_users().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_expired_is_forgotten_and_what_lives_is_kept() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let _ = world.try_login("nobody@example.org", GOOD).await;
        let kept = world.actions(&ada).await;

        world.accounts.forget_expired().await.unwrap();
        assert_eq!(world.accounts.list_sessions(&ada, &Paging::default()).await.unwrap().total, 1);

        world.clock.advance(SETTINGS.session_life);
        world.accounts.forget_expired().await.unwrap();
        assert_eq!(world.actions(&ada).await, kept);
    }
}
