//! What stands in front of two instances: the first request goes to one, the next to the other, and so on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use mindflow::config::Config;
use poem::endpoint::make;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{Body, Request, Response, Server};

use crate::support::app::TestApp;
use crate::support::databases::Db;

struct Turns {
    instances: OnceLock<[String; 2]>,
    turn: AtomicUsize,
    http: reqwest::Client,
}

/// Two instances over one PostgreSQL, behind one address.
pub(crate) struct Balanced {
    /// The first instance; whoever speaks to it speaks to both in turn.
    pub(crate) app: TestApp,
    /// It runs as long as this is there.
    _other: TestApp,
    turns: Arc<Turns>,
}

impl Balanced {
    pub(crate) async fn start(choose: impl Fn(&mut Config)) -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let url = format!("http://{}", acceptor.local_addr()[0].as_socket_addr().unwrap());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let turns = Arc::new(Turns { instances: OnceLock::new(), turn: AtomicUsize::new(0), http });
        let forward = Arc::clone(&turns);
        let endpoint = make(move |request| forwarded(Arc::clone(&forward), request));
        tokio::spawn(async move { Server::new_with_acceptor(acceptor).run(endpoint).await });
        let [app, other] = TestApp::pair(Db::Postgres, |config| {
            config.server.public_url = Some(url.clone());
            choose(config);
        })
        .await;
        turns.instances.set([app.url().to_owned(), other.url().to_owned()]).unwrap();
        Self { app: app.behind(&url), _other: other, turns }
    }

    /// Lets the other instance be the next, so that each step is tried on each of them.
    pub(crate) fn skip_a_turn(&self) {
        self.turns.turn.fetch_add(1, Ordering::SeqCst);
    }
}

async fn forwarded(turns: Arc<Turns>, mut request: Request) -> poem::Result<Response> {
    let turn = turns.turn.fetch_add(1, Ordering::SeqCst) % 2;
    let url = format!("{}{}", turns.instances.get().unwrap()[turn], request.uri());
    let mut headers = request.headers().clone();
    headers.remove("host");
    let body = request.take_body().into_bytes().await.unwrap();
    let sent = turns.http.request(request.method().clone(), url).headers(headers).body(body).send().await.unwrap();
    let mut response = Response::builder().status(sent.status()).finish();
    *response.headers_mut() = sent.headers().clone();
    response.headers_mut().remove("transfer-encoding");
    response.set_body(Body::from_bytes(sent.bytes().await.unwrap()));
    Ok(response)
}
