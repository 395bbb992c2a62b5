//! A server that takes whatever is sent to it: the Sentry or the collector of a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use poem::http::StatusCode;
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::{EndpointExt, Request, Response, Server, endpoint::make};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What arrived at a path.
pub(crate) struct Arrived {
    pub(crate) path: String,
    pub(crate) headers: poem::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Arrived {
    /// The body as text; what is none is replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The server.
pub(crate) struct Collector {
    /// Its address, such as `127.0.0.1:1234`.
    pub(crate) address: String,
    /// What it answers with.
    pub(crate) status: Arc<AtomicU16>,
    arrived: UnboundedReceiver<Arrived>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let (send, arrived) = unbounded_channel();
        let status = Arc::new(AtomicU16::new(200));
        let answer = Arc::clone(&status);
        let endpoint = make(move |mut request: Request| {
            let (send, status) = (send.clone(), answer.load(Ordering::Relaxed));
            async move {
                let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
                let body = request.take_body().into_vec().await.unwrap();
                let _ = send.send(Arrived { path, headers, body });
                Ok::<_, poem::Error>(Response::builder().status(StatusCode::from_u16(status).unwrap()).body("{}"))
            }
        });
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].as_socket_addr().unwrap().to_string();
        tokio::spawn(Server::new_with_acceptor(acceptor).run(endpoint.boxed()));
        Self { address, status, arrived }
    }

    /// The next that arrives and is wanted; the others are thrown away.
    pub(crate) async fn next(&mut self, wanted: impl Fn(&Arrived) -> bool) -> Arrived {
        loop {
            let arrived = self.arrived.recv().await.unwrap();
            if wanted(&arrived) {
                return arrived;
            }
        }
    }

    /// Everything that arrived and was not asked for yet.
    pub(crate) fn rest(&mut self) -> Vec<Arrived> {
        std::iter::from_fn(|| self.arrived.try_recv().ok()).collect()
    }
}
