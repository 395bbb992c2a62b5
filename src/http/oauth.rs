//! The endpoints of OAuth, in front of [`crate::oauth`]: forms in, JSON, redirects and pages out.
//!
//! They are no operations of the OpenAPI document: their bodies and errors are those of RFC 6749 and its kin, and
//! clients find them through the discovery documents. `ROUTES` lists them all; [`call`] is a request to one of them,
//! [`answers`] what they answer with.

pub mod answers;
mod authorize;
pub mod call;
mod cookies;
pub mod credentials;
mod device;
pub mod device_authorization;
pub mod discovery;
mod door;
mod forms;
mod identities;
pub mod introspect;
mod pages;
mod passkeys;
mod recovery;
mod register;
pub mod revoke;
mod sign_out;
mod tickets;
pub mod token;
mod unsubscribe;
mod upstream;
pub mod userinfo;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use poem::http::{Method, StatusCode};
use poem::{Request, Response};

use self::answers::Failure;
use self::call::Call;
use self::discovery::Discovery;
use self::forms::Untrusted;
use super::limits::{Class, Limits, Remaining, Subject};
use super::load::{Counted, Work};
use super::problem::ApiError;
use super::{client_address, cors, edge, errors};
use crate::accounts::digest::UNSUBSCRIBE_PATH;
use crate::accounts::email_tokens::{RESET_PATH, VERIFY_PATH};
use crate::accounts::{Accounts, Guard};
use crate::clock::Clock;
use crate::oauth::consents::Consents;
use crate::oauth::devices::DEVICE_PAGE;
use crate::oauth::upstream::Upstreams;
use crate::oauth::{AccessTokens, Clients, Grants};
use crate::observe::metrics::OAuthMetrics;
use crate::secret_key::SecretKey;

/// What the endpoints work with.
pub struct Services {
    /// The public URL, without a slash at the end.
    pub issuer: String,
    /// The time.
    pub clock: Clock,
    /// People.
    pub accounts: Arc<Accounts>,
    /// Programs.
    pub clients: Arc<Clients>,
    /// What they allowed programs.
    pub grants: Arc<Grants>,
    /// Who is behind a token.
    pub guard: Arc<Guard>,
    /// What they allowed before and need not be asked again.
    pub consents: Consents,
    /// What cookies and forms are signed with.
    pub secret: SecretKey,
    /// Other providers through which people may sign in.
    pub upstreams: Arc<Upstreams>,
    /// Access tokens and the keys that sign them.
    pub tokens: Arc<AccessTokens>,
    /// Counts requests.
    pub limits: Arc<Limits>,
    /// Counts what programs got.
    pub metrics: OAuthMetrics,
    /// The discovery documents.
    pub discovery: Discovery,
}

/// What an endpoint answers.
pub type Answer = Result<Response, Failure>;

/// One endpoint.
type Handler = for<'a> fn(&'a Services, Call) -> BoxFuture<'a, Answer>;

/// Whether pages of other origins may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cross {
    /// All of them, without cookies: who calls shows a credential of its own, or needs none.
    Open,
    /// None: the endpoint knows people by their cookie.
    Closed,
}

/// The page about a form that cannot be trusted; `again` is where to begin anew.
fn untrusted(reason: Untrusted, again: &str, root: &'static str) -> Response {
    let text = match reason {
        Untrusted::Foreign => "This form was sent from another website, so nothing was done.",
        Untrusted::Stale => {
            "This page was open for too long, or your browser does not keep cookies for this site. Nothing was done."
        }
    };
    pages::notice::stale(text, ("Start again", again), root).answer(StatusCode::FORBIDDEN, &[])
}

/// A path and what is served there.
struct Route {
    pattern: &'static str,
    methods: &'static [(Method, Class, Handler)],
    cross: Cross,
}

/// An async function as a [`Handler`].
macro_rules! on {
    ($handler:path) => {
        |services, call| Box::pin($handler(services, call))
    };
}

/// A document that everybody may read, as often as they like.
macro_rules! document {
    ($pattern:literal, $handler:path) => {
        Route { pattern: $pattern, methods: &[(Method::GET, Class::Exempt, on!($handler))], cross: Cross::Open }
    };
}

/// What clients call from wherever they run, as strictly counted as sign-ins.
macro_rules! called {
    ($pattern:expr, $handler:path) => {
        Route { pattern: $pattern, methods: &[(Method::POST, Class::Token, on!($handler))], cross: Cross::Open }
    };
}

/// Every endpoint; a segment in braces is the call's parameter.
const ROUTES: &[Route] = &[
    document!("/.well-known/oauth-authorization-server", discovery::authorization_server),
    document!("/.well-known/oauth-authorization-server/{*path}", discovery::authorization_server),
    document!("/.well-known/openid-configuration", discovery::authorization_server),
    document!("/.well-known/openid-configuration/{*path}", discovery::authorization_server),
    document!("/.well-known/oauth-protected-resource", discovery::protected_resource),
    document!("/.well-known/oauth-protected-resource/{*path}", discovery::protected_resource),
    document!("/.well-known/jwks.json", discovery::jwks),
    document!("/oauth/jwks", discovery::jwks),
    called!(token::PATH, token::token),
    called!(revoke::PATH, revoke::revoke),
    called!(introspect::PATH, introspect::introspect),
    called!(device_authorization::PATH, device_authorization::device_authorization),
    Route {
        pattern: userinfo::PATH,
        methods: &[
            (Method::GET, Class::General, on!(userinfo::userinfo)),
            (Method::POST, Class::General, on!(userinfo::userinfo)),
        ],
        cross: Cross::Open,
    },
    Route {
        pattern: "/oauth/register",
        methods: &[(Method::POST, Class::Registration, on!(register::register))],
        cross: Cross::Open,
    },
    Route {
        pattern: "/oauth/register/{client_id}",
        methods: &[
            (Method::GET, Class::Registration, on!(register::read)),
            (Method::PUT, Class::Registration, on!(register::replace)),
            (Method::DELETE, Class::Registration, on!(register::remove)),
        ],
        cross: Cross::Open,
    },
    Route {
        pattern: "/oauth/authorize",
        methods: &[
            (Method::GET, Class::Page, on!(authorize::show)),
            (Method::POST, Class::SignIn, on!(authorize::submit)),
        ],
        cross: Cross::Closed,
    },
    Route {
        pattern: DEVICE_PAGE,
        methods: &[(Method::GET, Class::Page, on!(device::show)), (Method::POST, Class::SignIn, on!(device::submit))],
        cross: Cross::Closed,
    },
    Route {
        pattern: upstream::PATH,
        methods: &[(Method::GET, Class::Page, on!(upstream::depart))],
        cross: Cross::Closed,
    },
    Route {
        pattern: upstream::CALLBACK_PATH,
        methods: &[(Method::GET, Class::SignIn, on!(upstream::arrive))],
        cross: Cross::Closed,
    },
    Route {
        pattern: upstream::LINK_PATH,
        methods: &[(Method::POST, Class::SignIn, on!(upstream::link))],
        cross: Cross::Closed,
    },
    Route {
        pattern: identities::PATH,
        methods: &[
            (Method::GET, Class::Page, on!(identities::show)),
            (Method::POST, Class::SignIn, on!(identities::submit)),
        ],
        cross: Cross::Closed,
    },
    Route {
        pattern: passkeys::QUESTION_PATH,
        methods: &[(Method::GET, Class::General, on!(passkeys::question))],
        cross: Cross::Closed,
    },
    Route {
        pattern: VERIFY_PATH,
        methods: &[
            (Method::GET, Class::Page, on!(recovery::show_verify)),
            (Method::POST, Class::SignIn, on!(recovery::verify)),
        ],
        cross: Cross::Closed,
    },
    Route {
        pattern: RESET_PATH,
        methods: &[
            (Method::GET, Class::SignIn, on!(recovery::show_reset)),
            (Method::POST, Class::SignIn, on!(recovery::reset)),
        ],
        cross: Cross::Closed,
    },
    Route {
        pattern: "/oauth/forgot-password",
        methods: &[
            (Method::GET, Class::Page, on!(recovery::show_forgot)),
            (Method::POST, Class::SignIn, on!(recovery::forgot)),
        ],
        cross: Cross::Closed,
    },
    Route {
        pattern: UNSUBSCRIBE_PATH,
        methods: &[
            (Method::GET, Class::General, on!(unsubscribe::show)),
            (Method::POST, Class::General, on!(unsubscribe::submit)),
        ],
        cross: Cross::Closed,
    },
    Route {
        pattern: "/oauth/sign-out",
        methods: &[
            (Method::GET, Class::Page, on!(sign_out::show)),
            (Method::POST, Class::SignIn, on!(sign_out::submit)),
        ],
        cross: Cross::Closed,
    },
];

/// The endpoints, ready to be asked.
pub(super) struct OAuthRoutes {
    router: matchit::Router<&'static Route>,
    services: Services,
    counted: Counted,
    patience: Duration,
}

/// An endpoint that was found.
pub(super) struct Matched {
    route: &'static Route,
    parameter: Option<String>,
}

impl OAuthRoutes {
    /// Gathers the endpoints; bodies must come within `patience`.
    ///
    /// # Errors
    ///
    /// When two patterns collide.
    pub(super) fn new(services: Services, counted: Counted, patience: Duration) -> Result<Self, matchit::InsertError> {
        let mut router = matchit::Router::new();
        for route in ROUTES {
            router.insert(route.pattern, route)?;
        }
        Ok(Self { router, services, counted, patience })
    }

    /// What is served under a path.
    pub(super) fn find(&self, path: &str) -> Option<Matched> {
        let found = self.router.at(path).ok()?;
        let parameter = found.params.iter().next().map(|(_, value)| value.to_owned());
        Some(Matched { route: found.value, parameter })
    }

    /// Answers a request.
    ///
    /// # Errors
    ///
    /// 405, 408 and 429; the protocol's own refusals are answers.
    pub(super) async fn answer(
        &self,
        matched: Matched,
        request: &mut Request,
        remaining: &mut Option<Remaining>,
    ) -> Result<Response, ApiError> {
        let route = matched.route;
        let mut response = if cors::is_preflight(request) {
            if route.cross == Cross::Open { cors::open_preflight(request) } else { cors::preflight() }
        } else if request.method() == Method::OPTIONS {
            edge::options(&route.allowed())
        } else {
            match (self.handle(matched, request, remaining).await, route.cross) {
                (Ok(response), _) => response,
                (Err(error), Cross::Open) => return Err(cors::open_error(answers::for_programs(error))),
                // People see a page, whatever happened.
                (Err(error), Cross::Closed) => pages::problem(&error),
            }
        };
        match route.cross {
            Cross::Open => cors::open(response.headers_mut()),
            Cross::Closed => cors::close(&mut response),
        }
        Ok(response)
    }

    async fn handle(
        &self,
        Matched { route, parameter }: Matched,
        request: &mut Request,
        remaining: &mut Option<Remaining>,
    ) -> Result<Response, ApiError> {
        let method = request.method().clone();
        let Some((_, class, handler)) = route.methods.iter().find(|(own, ..)| *own == method) else {
            return Err(errors::no_method(&route.allowed()));
        };
        *remaining = self.counted.limits.count(*class, Subject::address(client_address::of(request))).await?;
        let call = Call::read(request, parameter, self.patience).await?;
        let work = if *class == Class::Exempt { Work::Free } else { Work::Counted };
        let _place = self.counted.load.enter(work).await?;
        handler(&self.services, call).await.or_else(Failure::into_response)
    }
}

impl Matched {
    /// The pattern, for logs.
    pub(super) const fn pattern(&self) -> &'static str {
        self.route.pattern
    }
}

impl Route {
    fn allowed(&self) -> String {
        let mut methods: Vec<&str> = self.methods.iter().map(|(method, ..)| method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }
}
