//! SMTP (RFC 5321), by lettre: the only place that names it.

use std::error::Error as StdError;
use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use lettre::address::{Address, AddressError};
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use url::{Host, Url};

use super::{Mail, MailError, Mailer};
use crate::config::{Smtp, SmtpTls};

/// Connections that are kept open between mails at most.
const MOST_CONNECTIONS: u32 = 4;
/// The longest line that goes as it is (RFC 5322, section 2.1.1).
const LONGEST_LINE: usize = 998;
/// The longest name of a person in a header, in characters.
const MOST_NAME: usize = 100;

/// Why mail cannot be sent by this configuration.
#[derive(Debug, thiserror::Error)]
pub enum SmtpSetupError {
    /// The sender is none.
    #[error("the sender `{0}` is no e-mail address (`smtp.from`)")]
    From(String),
    /// The certificates cannot be read.
    #[error("the certificates in `{0}` cannot be read (`smtp.extra_root_certificate`)")]
    Certificates(String, #[source] Box<dyn StdError + Send + Sync>),
    /// TLS cannot be set up.
    #[error("a protected connection to the mail server cannot be set up (`smtp.host`)")]
    Tls(#[source] Box<dyn StdError + Send + Sync>),
}

/// Sends through a mail server.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// What ids of messages end with.
    host: String,
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// Sets a mailer up; connects to nothing yet. `public_url` is the server's, in whose name it writes.
    ///
    /// # Errors
    ///
    /// When the sender is no address, or the certificates cannot be used.
    pub fn new(smtp: &Smtp, public_url: &str) -> Result<Self, SmtpSetupError> {
        let host = host_of(public_url);
        let from = match &smtp.from {
            Some(from) => from.parse().map_err(|_| SmtpSetupError::From(from.clone()))?,
            None => format!("MindFlow <mindflow@{host}>")
                .parse()
                .map_err(|_| SmtpSetupError::From(format!("mindflow@{host}")))?,
        };
        let transport = transport(smtp, &host)?.build();
        Ok(Self { transport, from, host })
    }

    fn letter(&self, mail: &Mail) -> Result<lettre::Message, Box<dyn StdError + Send + Sync>> {
        let written_at = u64::try_from(mail.written_at.as_seconds()).unwrap_or(0);
        let mut letter = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(mail.name.as_deref().and_then(name_of), address_of(&mail.to)?))
            .subject(one_line(&mail.message.subject()))
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(written_at))
            .message_id(Some(format!("<{}@{}>", mail.id, self.host)))
            // RFC 3834: nobody is to answer by machine.
            .raw_header(fixed("Auto-Submitted", "auto-generated"));
        if let Some(link) = mail.message.unsubscribe() {
            letter = letter
                .raw_header(fixed("List-Unsubscribe", &format!("<{link}>")))
                .raw_header(fixed("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(body_of(mail.text()));
        Ok(letter.multipart(MultiPart::alternative().singlepart(text).singlepart(SinglePart::html(mail.html())))?)
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    fn ready(&self) -> Result<(), MailError> {
        Ok(())
    }

    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let letter = self.letter(mail).map_err(MailError::Refused)?;
        match self.transport.send(letter).await {
            Ok(_) => Ok(()),
            // 5xx, save those that speak of us and not of the message: authentication (530 to 539) can be put right.
            Err(error) if is_final(&error) => Err(MailError::Refused(Box::new(error))),
            Err(error) => Err(MailError::Delayed(Box::new(error))),
        }
    }
}

fn is_final(error: &lettre::transport::smtp::Error) -> bool {
    let code = error.status().map(|code| code.to_string());
    error.is_permanent() && code.is_none_or(|code| !code.starts_with("53"))
}

fn transport(smtp: &Smtp, hello: &str) -> Result<AsyncSmtpTransportBuilder, SmtpSetupError> {
    let tls = match smtp.tls {
        SmtpTls::None => Tls::None,
        SmtpTls::Opportunistic => Tls::Opportunistic(tls_parameters(smtp)?),
        SmtpTls::StartTls => Tls::Required(tls_parameters(smtp)?),
        SmtpTls::Tls => Tls::Wrapper(tls_parameters(smtp)?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(smtp.host.as_str())
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(smtp.timeout))
        .hello_name(ClientId::Domain(hello.to_owned()))
        .pool_config(PoolConfig::new().max_size(MOST_CONNECTIONS));
    if let Some((user, password)) = &smtp.credentials {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    Ok(builder)
}

fn tls_parameters(smtp: &Smtp) -> Result<TlsParameters, SmtpSetupError> {
    let mut builder = TlsParameters::builder(smtp.host.clone());
    if smtp.tls == SmtpTls::Opportunistic {
        // Where no protection would do, too, a server on this machine may show any certificate.
        builder = builder.dangerous_accept_invalid_certs(true);
    }
    if let Some(path) = &smtp.extra_root_certificate {
        let failed =
            |error: Box<dyn StdError + Send + Sync>| SmtpSetupError::Certificates(path.display().to_string(), error);
        let pem = std::fs::read(path).map_err(|error| failed(Box::new(error)))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| failed(Box::new(error)))?);
    }
    builder.build_rustls().map_err(|error| SmtpSetupError::Tls(Box::new(error)))
}

/// A text as it is when it is plain ASCII, so that links stay whole in every reader's view of the source; else encoded.
fn body_of(text: String) -> Body {
    if text.is_ascii() && text.lines().all(|line| line.len() <= LONGEST_LINE) {
        let lines = text.replace('\n', "\r\n").into_bytes();
        return Body::dangerous_pre_encoded(lines, ContentTransferEncoding::SevenBit);
    }
    Body::new(text)
}

/// The host of the public URL; where that is an address, `localhost`.
fn host_of(public_url: &str) -> String {
    let url = Url::parse(public_url).ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(domain)) => domain.to_owned(),
        _ => "localhost".to_owned(),
    }
}

/// The address with its domain in ASCII (IDNA), which every mail server understands.
fn address_of(text: &str) -> Result<Address, AddressError> {
    let (user, domain) = text.rsplit_once('@').ok_or(AddressError::MissingParts)?;
    let domain = Host::parse(domain).map_err(|_| AddressError::InvalidDomain)?.to_string();
    Address::new(user, domain)
}

/// A name that can stand in a header.
fn name_of(name: &str) -> Option<String> {
    let name: String = one_line(name).chars().take(MOST_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Nothing that could begin another header.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

/// A header whose text is plain ASCII of our own, and must not be folded or encoded.
fn fixed(name: &'static str, value: &str) -> HeaderValue {
    let value: String = value.chars().filter(char::is_ascii_graphic).collect();
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}
