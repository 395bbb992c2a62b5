use super::server::{Mood, Offers, SmtpServer};
use super::*;
use crate::config::{Secret, Smtp, SmtpTls};
use crate::mail::digest::{Digest, Line};

/// What a mailer to a server of the tests works with.
fn settings(server: &SmtpServer, tls: SmtpTls, folder: &tempfile::TempDir) -> Smtp {
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &server.certificate).unwrap();
    Smtp {
        host: "localhost".to_owned(),
        port: server.port,
        credentials: Some(("mindflow".to_owned(), Secret::new("hush"))),
        from: Some("Mïndflow <tasks@mindflow.example>".to_owned()),
        tls,
        timeout: Duration::from_secs(20),
        extra_root_certificate: Some(file),
    }
}

fn mail(message: Message) -> Mail {
    Mail {
        id: Uuid::from_u128(7),
        to: "ada@büro.example".to_owned(),
        name: Some("Ada\r\nBcc: eve@example.org".to_owned()),
        server: "https://mindflow.example".to_owned(),
        written_at: BEGIN,
        message,
    }
}

fn header<'t>(text: &'t str, name: &str) -> &'t str {
    let line = text.lines().take_while(|line| !line.is_empty()).find(|line| line.starts_with(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).split_once(": ").unwrap().1
}

#[tokio::test]
async fn mail_goes_protected_and_with_a_password_and_says_what_it_is() {
    let (server, folder) = (SmtpServer::start(Offers::StartTls, &[]).await, tempfile::tempdir().unwrap());
    let mailer = SmtpMailer::new(&settings(&server, SmtpTls::StartTls, &folder), "https://mindflow.example").unwrap();

    mailer.send(&mail(reset("https://mindflow.example/oauth/reset-password?token=abc"))).await.unwrap();
    let taken = server.next().await;

    assert!(taken.protected);
    assert_eq!((taken.to.as_str(), taken.user.as_deref()), ("ada@xn--bro-hoa.example", Some("/mindflow/hush")));
    assert_eq!(header(&taken.text, "Subject"), "Choose a new password");
    assert_eq!(header(&taken.text, "Message-ID"), format!("<{}@mindflow.example>", Uuid::from_u128(7)));
    assert_eq!(header(&taken.text, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&taken.text, "Date"), "Fri, 15 Jan 2027 08:00:00 +0000");
    assert!(header(&taken.text, "From").ends_with("<tasks@mindflow.example>"));
    assert!(header(&taken.text, "Content-Type").starts_with("multipart/alternative"));
    assert!(!taken.text.lines().any(|line| line.starts_with("Bcc:")), "{}", taken.text);
    assert!(taken.text.contains("\nhttps://mindflow.example/oauth/reset-password?token=abc\n"), "{}", taken.text);
    assert!(taken.text.contains("text/html") && taken.text.contains("text/plain"));
    assert!(!taken.text.contains("List-Unsubscribe"));
}

#[tokio::test]
async fn a_digest_can_be_ended_with_one_request_and_its_titles_are_text() {
    let (server, folder) = (SmtpServer::start(Offers::StartTls, &[]).await, tempfile::tempdir().unwrap());
    let mailer = SmtpMailer::new(&settings(&server, SmtpTls::StartTls, &folder), "https://mindflow.example").unwrap();
    let digest = Digest {
        day: "Montag, 23. März".to_owned(),
        best: Line { title: "Mail <script>alert(1)</script>".to_owned(), note: "Because.".to_owned() },
        open: 3,
        unsubscribe: "https://mindflow.example/oauth/unsubscribe?token=xyz".to_owned(),
        ..Digest::default()
    };
    let mail = mail(Message::Digest(Box::new(digest)));
    assert!(mail.text().contains("Mail <script>alert(1)</script>") && !mail.html().contains("<script>"));

    mailer.send(&mail).await.unwrap();
    let taken = server.next().await;

    assert_eq!(header(&taken.text, "List-Unsubscribe"), "<https://mindflow.example/oauth/unsubscribe?token=xyz>");
    assert_eq!(header(&taken.text, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert!(
        header(&taken.text, "Subject").starts_with("=?utf-8?") || header(&taken.text, "Subject").starts_with("Montag")
    );
    assert!(taken.text.is_ascii());
}

#[tokio::test]
async fn nothing_is_sent_unprotected_where_protection_is_demanded() {
    let (server, folder) = (SmtpServer::start(Offers::Nothing, &[]).await, tempfile::tempdir().unwrap());
    let strict = SmtpMailer::new(&settings(&server, SmtpTls::StartTls, &folder), "https://mindflow.example").unwrap();
    let lax = SmtpMailer::new(&settings(&server, SmtpTls::Opportunistic, &folder), "http://127.0.0.1:8000").unwrap();

    assert!(matches!(strict.send(&mail(Message::PasswordChanged)).await, Err(MailError::Delayed(_))));
    assert!(server.is_empty().await);
    lax.send(&mail(Message::PasswordChanged)).await.unwrap();

    let taken = server.next().await;
    assert!(!taken.protected && header(&taken.text, "Message-ID").ends_with("@localhost>"));
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_not_trusted() {
    let (server, folder) = (SmtpServer::start(Offers::StartTls, &[]).await, tempfile::tempdir().unwrap());
    let settings = Smtp { extra_root_certificate: None, ..settings(&server, SmtpTls::StartTls, &folder) };
    let mailer = SmtpMailer::new(&settings, "https://mindflow.example").unwrap();

    assert!(matches!(mailer.send(&mail(Message::PasswordChanged)).await, Err(MailError::Delayed(_))));
    assert!(server.is_empty().await);
}

#[tokio::test]
async fn answers_of_the_mail_server_decide_what_becomes_of_mail() {
    for TestStore { store, name, .. } in &test_stores().await {
        let moods = [Mood::Recipient("451 later"), Mood::Recipient("550 no such user"), Mood::HangUp];
        let (server, folder) = (SmtpServer::start(Offers::StartTls, &moods).await, tempfile::tempdir().unwrap());
        let mailer = SmtpMailer::new(&settings(&server, SmtpTls::StartTls, &folder), "https://mindflow.example");
        let clock = Clock::fixed(BEGIN);
        let (post, _courier) = post_over(store, &clock, Arc::new(mailer.unwrap()));

        put(store, &post, letter("ada@example.org", Message::PasswordChanged)).await;
        let waiting = seen(&post, |mail| mail.last_error.is_some()).await;
        assert!(waiting.last_error.unwrap().contains("451"), "{name}");
        clock.set(waiting.next_at.unwrap());
        let dead = seen(&post, |mail| mail.state == "dead").await;
        assert!(dead.last_error.unwrap().contains("550"), "{name}");
        post.retry(None).await.unwrap();
        let first = server.next().await;
        let waiting = seen(&post, |mail| {
            mail.state == "waiting"
                && mail.attempts == 1
                && mail.next_at < Some(clock.now().plus(Duration::from_mins(2)))
        })
        .await;
        clock.set(waiting.next_at.unwrap());
        let second = server.next().await;

        assert_eq!(
            header(&first.text, "Message-ID"),
            header(&second.text, "Message-ID"),
            "nobody knows whether it was taken"
        );
    }
}

async fn seen(post: &Post, is_so: impl Fn(&Waiting) -> bool) -> Waiting {
    loop {
        if let Some(mail) = post.list().await.unwrap().into_iter().find(&is_so) {
            return mail;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_sender_that_is_none_stops_the_start() {
    let (server, folder) = (SmtpServer::start(Offers::Nothing, &[]).await, tempfile::tempdir().unwrap());
    let settings = settings(&server, SmtpTls::StartTls, &folder);

    let nobody = Smtp { from: Some("nobody".to_owned()), ..settings.clone() };
    let no_file = Smtp { extra_root_certificate: Some("/nowhere.pem".into()), ..settings };

    assert!(matches!(SmtpMailer::new(&nobody, "https://x.example"), Err(SmtpSetupError::From(_))));
    assert!(matches!(SmtpMailer::new(&no_file, "https://x.example"), Err(SmtpSetupError::Certificates(..))));
}
