//! Servers that a deployment leans on: whether each can be reached, and greets as it should.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::configuration::is_production;
use super::finding::{Findings, Level};
use crate::config::{Config, Smtp, SmtpTls};

/// How long each may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longer lines are cut.
const MOST_OF_A_LINE: usize = 512;
const REDIS_PORT: u16 = 6379;

/// Looks at the mail server and at Redis, where there are any.
pub(super) async fn check(config: &Config, findings: &mut Findings) {
    match &config.smtp {
        Some(smtp) => mail(smtp, findings).await,
        None if is_production(config) => findings.warning(
            "mail",
            "there is no mail server: nobody can confirm an address or choose a new password by mail",
            "set SMTP_HOST, SMTP_USER and SMTP_PASSWORD; until then: `mindflow user set-password`",
        ),
        None => findings.ok("mail", "no mail server; links are written to the log"),
    }
    if let Some(url) = &config.storage.redis_url {
        redis(url.expose(), findings).await;
    }
}

async fn mail(smtp: &Smtp, findings: &mut Findings) {
    let check = "mail";
    let place = format!("{}:{}", smtp.host, smtp.port);
    let advice = "look at SMTP_HOST and SMTP_PORT; many networks close port 25 to the outside, 587 is for sending";
    if smtp.tls == SmtpTls::Tls {
        return match connect(&smtp.host, smtp.port).await {
            Ok(_) => findings.ok(check, format!("{place} accepts connections")),
            Err(error) => findings.problem(check, format!("{place} cannot be reached: {error}"), advice),
        };
    }
    match in_time(talk_mail(&smtp.host, smtp.port)).await {
        Ok(offers) if smtp.tls == SmtpTls::StartTls && !offers.contains("STARTTLS") => findings.problem(
            check,
            format!("{place} offers no STARTTLS, without which nothing is sent"),
            "set smtp.tls to what the mail server speaks, often `tls` with port 465",
        ),
        Ok(_) => findings.ok(check, format!("{place} greets")),
        Err(error) => findings.problem(check, format!("{place} does not greet: {error}"), advice),
    }
}

/// Waits for the greeting (RFC 5321, section 4.2) and gives what the server offers.
async fn talk_mail(host: &str, port: u16) -> io::Result<String> {
    let mut stream = connect(host, port).await?;
    let greeting = line(&mut stream).await?;
    if !greeting.starts_with("220") {
        return Err(io::Error::other(format!("it says `{}`", greeting.escape_debug())));
    }
    stream.write_all(b"EHLO localhost\r\n").await?;
    let mut offers = String::new();
    loop {
        let line = line(&mut stream).await?;
        offers.push_str(&line.to_uppercase());
        offers.push('\n');
        // The last line has no hyphen after its code.
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(offers);
        }
    }
}

async fn redis(url: &str, findings: &mut Findings) {
    let check = "redis";
    let Ok(url) = Url::parse(url) else {
        return findings.problem(check, "REDIS_URL is no URL", "write it as redis://HOST:PORT");
    };
    let (host, port) = (url.host_str().unwrap_or("localhost"), url.port().unwrap_or(REDIS_PORT));
    let host = host.trim_matches(['[', ']']);
    let answer = if url.scheme() == "rediss" {
        connect(host, port).await.map(|_| "+PONG".to_owned())
    } else {
        in_time(talk_redis(host, port, &url)).await
    };
    // Without it each instance counts for itself, and everything else goes on.
    let advice = "start Redis, and look at REDIS_URL: host, port, user, password";
    match answer {
        Ok(answer) if answer == "+PONG" => findings.ok(check, format!("{host}:{port} answers")),
        Ok(answer) => {
            let said = answer.split_whitespace().next().unwrap_or_default().escape_debug().to_string();
            findings.fault(Level::Warning, check, format!("{host}:{port} refuses: {said}"), advice);
        }
        Err(error) => findings.fault(Level::Warning, check, format!("{host}:{port} does not answer: {error}"), advice),
    }
}

async fn talk_redis(host: &str, port: u16, url: &Url) -> io::Result<String> {
    let mut stream = connect(host, port).await?;
    if let Some(password) = url.password() {
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = if url.username().is_empty() { "default".to_owned() } else { decode(url.username()) };
        stream.write_all(&command(&["AUTH", &user, &decode(password)])).await?;
        let answer = line(&mut stream).await?;
        if !answer.starts_with('+') {
            return Ok(answer);
        }
    }
    stream.write_all(&command(&["PING"])).await?;
    line(&mut stream).await
}

/// A command as Redis reads it.
fn command(words: &[&str]) -> Vec<u8> {
    let mut text = format!("*{}\r\n", words.len());
    for word in words {
        // Writing into a text cannot fail.
        let _ = write!(text, "${}\r\n{word}\r\n", word.len());
    }
    text.into_bytes()
}

async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    in_time(TcpStream::connect((host, port))).await
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "there was no answer within 5 seconds");
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
}

async fn line(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut read = Vec::new();
    while read.len() < MOST_OF_A_LINE {
        let byte = stream.read_u8().await?;
        if byte == b'\n' {
            break;
        }
        read.push(byte);
    }
    Ok(String::from_utf8_lossy(&read).trim_end().to_owned())
}
