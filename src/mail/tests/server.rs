//! A small mail server: SMTP with STARTTLS and AUTH, and moods.

use std::collections::VecDeque;
use std::sync::Mutex as Lock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;

/// What the server does with one message.
#[derive(Clone, Copy)]
pub(super) enum Mood {
    /// Answers the recipient like this.
    Recipient(&'static str),
    /// Takes the message, and hangs up before it says so.
    HangUp,
}

/// A message that came.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) text: String,
    pub(super) to: String,
    pub(super) protected: bool,
    pub(super) user: Option<String>,
}

pub(super) struct SmtpServer {
    pub(super) port: u16,
    /// The certificate of the server, as PEM.
    pub(super) certificate: String,
    pub(super) taken: Mutex<mpsc::UnboundedReceiver<Taken>>,
    task: JoinHandle<()>,
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether the server offers STARTTLS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Offers {
    StartTls,
    Nothing,
}

#[derive(Clone)]
struct Desk {
    acceptor: Option<TlsAcceptor>,
    moods: Arc<Lock<VecDeque<Mood>>>,
    taken: mpsc::UnboundedSender<Taken>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl SmtpServer {
    pub(super) async fn start(offers: Offers, moods: &[Mood]) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, taken) = mpsc::unbounded_channel();
        let moods = Arc::new(Lock::new(moods.iter().copied().collect::<VecDeque<_>>()));
        let acceptor = (offers == Offers::StartTls).then(|| TlsAcceptor::from(Arc::new(tls)));
        let desk = Desk { acceptor, moods, taken: sender };
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(Box::new(stream), desk.clone()));
            }
        });
        Self { port, certificate: made.cert.pem(), taken: Mutex::new(taken), task }
    }

    pub(super) async fn next(&self) -> Taken {
        self.taken.lock().await.recv().await.unwrap()
    }

    pub(super) async fn is_empty(&self) -> bool {
        self.taken.lock().await.is_empty()
    }
}

async fn serve(stream: Box<dyn Stream>, desk: Desk) {
    let mut stream = BufReader::new(stream);
    let (mut protected, mut user, mut to) = (false, None, String::new());
    say(&mut stream, "220 localhost ESMTP").await;
    while let Some(line) = read(&mut stream).await {
        let mood = desk.moods.lock().unwrap().front().copied();
        match line.split([' ', ':']).next().unwrap().to_ascii_uppercase().as_str() {
            "EHLO" => {
                let tls = if desk.acceptor.is_some() && !protected { "250-STARTTLS\r\n" } else { "" };
                say(&mut stream, &format!("250-localhost\r\n{tls}250-AUTH PLAIN\r\n250 8BITMIME")).await;
            }
            "STARTTLS" => {
                say(&mut stream, "220 go on").await;
                let Ok(upgraded) = desk.acceptor.clone().unwrap().accept(stream.into_inner()).await else { return };
                stream = BufReader::new(Box::new(upgraded));
                protected = true;
            }
            "AUTH" => {
                let plain = STANDARD.decode(line.rsplit(' ').next().unwrap()).unwrap();
                user = Some(String::from_utf8(plain).unwrap().replace('\0', "/"));
                say(&mut stream, "235 welcome").await;
            }
            "RCPT" => {
                if let Some(Mood::Recipient(answer)) = mood {
                    desk.moods.lock().unwrap().pop_front();
                    say(&mut stream, answer).await;
                } else {
                    line["RCPT TO:<".len()..line.rfind('>').unwrap()].clone_into(&mut to);
                    say(&mut stream, "250 ok").await;
                }
            }
            "DATA" => {
                say(&mut stream, "354 go on").await;
                let mut text = String::new();
                while let Some(line) = read(&mut stream).await.filter(|line| line != ".") {
                    text.push_str(&line);
                    text.push('\n');
                }
                desk.taken.send(Taken { text, to: to.clone(), protected, user: user.clone() }).unwrap();
                if matches!(mood, Some(Mood::HangUp)) {
                    desk.moods.lock().unwrap().pop_front();
                    return;
                }
                say(&mut stream, "250 taken").await;
            }
            "QUIT" => return say(&mut stream, "221 bye").await,
            _ => say(&mut stream, "250 ok").await,
        }
    }
}

async fn say(stream: &mut BufReader<Box<dyn Stream>>, text: &str) {
    // The other side may be gone.
    let _ = stream.write_all(format!("{text}\r\n").as_bytes()).await;
    let _ = stream.flush().await;
}

async fn read(stream: &mut BufReader<Box<dyn Stream>>) -> Option<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await {
        Ok(bytes) if bytes > 0 => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
        _ => None,
    }
}
