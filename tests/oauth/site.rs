//! A web site of somebody else, on this machine, over real TLS with a certificate authority of its own.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use mindflow::config::Config;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What a path answers with.
#[derive(Clone)]
pub(crate) enum Page {
    /// Status line, headers and body as they are.
    Raw(String),
    /// Begins to answer and never goes on.
    Stalled,
}

#[derive(Default)]
struct Seen {
    pages: Mutex<HashMap<String, Page>>,
    hits: Mutex<Vec<String>>,
    connections: Mutex<usize>,
}

/// The site; it ends with the test.
pub(crate) struct Site {
    seen: Arc<Seen>,
    port: u16,
    folder: tempfile::TempDir,
}

impl Site {
    pub(crate) async fn start() -> Self {
        let (authority_pem, server) = certificates();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority_pem).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(server)), Arc::clone(&seen)));
        Self { seen, port, folder }
    }

    /// The file of its certificate authority.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Has a server trust the site and reach it.
    pub(crate) fn trusted_by(&self, config: &mut Config) {
        config.oauth.extra_root_certificate = Some(self.authority());
        config.oauth.allow_private_addresses = true;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// A JSON document.
    pub(crate) fn put(&self, path: &str, body: &Value) {
        self.put_with(path, "200 OK", "Content-Type: application/json\r\n", &body.to_string());
    }

    pub(crate) fn put_with(&self, path: &str, status: &str, headers: &str, body: &str) {
        let length = body.len();
        let text = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        self.put_page(path, Page::Raw(text));
    }

    pub(crate) fn put_page(&self, path: &str, page: Page) {
        self.seen.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// How often a path was asked for.
    pub(crate) fn hits(&self, path: &str) -> usize {
        self.seen.hits.lock().unwrap().iter().filter(|hit| *hit == path).count()
    }

    /// How many connections came, even those that asked nothing.
    pub(crate) fn connections(&self) -> usize {
        *self.seen.connections.lock().unwrap()
    }
}

/// The authority as PEM, and a server that holds a certificate of it for `localhost`.
fn certificates() -> (String, ServerConfig) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (authority_pem, server)
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, seen: Arc<Seen>) {
    while let Ok((socket, _)) = listener.accept().await {
        *seen.connections.lock().unwrap() += 1;
        let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
        tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(socket).await else { return };
            let Some(path) = asked_path(&mut stream).await else { return };
            seen.hits.lock().unwrap().push(path.clone());
            let page = seen.pages.lock().unwrap().get(&path).cloned();
            let missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned();
            match page.unwrap_or(Page::Raw(missing)) {
                Page::Raw(text) => {
                    let _ = stream.write_all(text.as_bytes()).await;
                    let _ = stream.shutdown().await;
                }
                Page::Stalled => {
                    let begun = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
                    let _ = stream.write_all(begun.as_bytes()).await;
                    let _ = stream.flush().await;
                    // Until the other side has had enough.
                    let _ = stream.read(&mut [0; 1]).await;
                }
            }
        });
    }
}

async fn asked_path(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()?.split(' ').nth(1).map(str::to_owned)
}
