//! The App: every component, built once from the configuration.

mod backups;
mod clients;
mod decisions;
mod directory;
mod events;
mod health;
mod housekeeping;
mod keys;
mod mcp;
mod objects;
mod outside;
mod shared;
mod starting;
mod sweeping;
mod upstreams;
mod watching;

use std::sync::Arc;

use chrono_tz::Tz;
use futures_util::future::BoxFuture;

use crate::accounts::{AccountParts, AccountSettings, Accounts, BrowserLife, Guard, Passwords, Rotation, ZoneFollower};
use crate::attachments::{AttachmentParts, Attachments};
use crate::background::Background;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::events::Events;
use crate::http::accounts::AccountsApi;
use crate::http::accounts::identities::IdentitiesApi;
use crate::http::accounts::passkeys::PasskeysApi;
use crate::http::accounts::recovery::RecoveryApi;
use crate::http::accounts::second_factor::SecondFactorApi;
use crate::http::apps::AppsApi;
use crate::http::attachments::AttachmentsApi;
use crate::http::batch::BatchApi;
use crate::http::contract::ContractError;
use crate::http::events::EventsApi;
use crate::http::gate::Gate;
use crate::http::groups::{LabelsApi, ProjectsApi};
use crate::http::limits::Limits;
use crate::http::mcp_tools::McpToolsApi;
use crate::http::oauth::Services;
use crate::http::oauth::discovery::Discovery;
use crate::http::policies::{PoliciesApi, PolicyDecisionsApi, PolicyTrialsApi};
use crate::http::ranking::RankingApi;
use crate::http::tasks::TasksApi;
use crate::http::transfer::TransferApi;
use crate::http::{self, Endpoint, Parts, Response};
use crate::ids::UserId;
use crate::mail::{Post, PostParts};
use crate::oauth::consents::Consents;
use crate::oauth::metadata::Welcome;
use crate::oauth::upstream::Upstreams;
use crate::oauth::{AccessTokens, Clients, GrantParts, GrantSettings, Grants, KeyRing, Resource};
use crate::objects::Objects;
use crate::observe::health::{Health, Need};
use crate::observe::metrics::Metrics;
use crate::observe::telemetry::Telemetry;
use crate::policies::decisions::Decisions;
use crate::policies::live::LivePolicies;
use crate::policies::versions::Versions;
use crate::policies::watch::{PolicyWatch, WatchOptions};
use crate::secret_key::SecretKey;
use crate::shared::Shared;
use crate::store::{Store, StoreResult, Tx};
use crate::tasks::Tasks;

use backups::MakeBackups;
use directory::Directory;
use events::WatchOthers;
use housekeeping::House;
pub use keys::Keys;
pub use outside::Outside;
pub use starting::StartError;

/// The operations of the API; their order is the document's.
pub type Api = (
    AccountsApi,
    RecoveryApi,
    SecondFactorApi,
    PasskeysApi,
    IdentitiesApi,
    AppsApi,
    RankingApi,
    BatchApi,
    TasksApi,
    AttachmentsApi,
    ProjectsApi,
    LabelsApi,
    TransferApi,
    EventsApi,
    // No more than sixteen stand side by side.
    (PoliciesApi, PolicyTrialsApi, PolicyDecisionsApi),
    McpToolsApi,
);

/// A running MindFlow without its socket.
pub struct App {
    /// What was chosen.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub store: Store,
    /// Where files are kept.
    pub objects: Objects,
    /// The policies in force.
    pub policies: Arc<LivePolicies>,
    /// Their versions: proposed, put in force, taken back.
    pub versions: Arc<Versions>,
    /// What they recommended, and what became of it.
    pub decisions: Arc<Decisions>,
    /// People.
    pub accounts: Arc<Accounts>,
    /// The programs that may ask on their behalf.
    pub clients: Arc<Clients>,
    /// What they allowed programs.
    pub grants: Arc<Grants>,
    /// Their tasks.
    pub tasks: Tasks,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    telemetry: Telemetry,
    /// Files of tasks.
    pub attachments: Attachments,
    /// Who is told of what happens.
    pub events: Events,
    /// How everything is.
    pub health: Arc<Health>,
    upstreams: Arc<Upstreams>,
    issuer: String,
    secret: SecretKey,
    /// Mail to people.
    pub post: Post,
    /// Access tokens, and the keys that sign them.
    pub tokens: Arc<AccessTokens>,
    /// Who is behind a token.
    pub guard: Arc<Guard>,
    limits: Arc<Limits>,
    _watch: PolicyWatch,
    background: Background,
    _watch_others: WatchOthers,
}

impl App {
    /// Builds every component: the data folder is made, the schema brought up to date, keys and policies loaded.
    ///
    /// - `outside`: [`Outside::of`] the configuration, or another world to try the server in.
    /// - `port`: where the server listens, for the public URL of who configured none.
    ///
    /// # Errors
    ///
    /// [`StartError`] names the one thing that is wrong.
    pub async fn start(config: Config, outside: Outside, port: u16) -> Result<Self, StartError> {
        let clock = &outside.clock;
        let keys = Keys::reach(&config, clock.clone()).await?;
        let objects = Objects::open(&config).map_err(StartError::Objects)?;
        backups::seal(&config).map_err(StartError::Backups)?;
        let ring = Arc::new(keys.open().await?);
        let clients = clients::make(&config, &keys.store, clock, port).await?;
        let upstreams = Arc::new(upstreams::make(&config, keys.secret.clone(), clock.clone(), port)?);
        let policies = Arc::new(starting::policies(&config, clock)?);
        if !config.policies.dir.is_dir() {
            return Err(StartError::PoliciesFolder(config.policies.dir));
        }
        let versions = starting::versions(&config, &keys.store, clock, &policies).await;
        let shared = shared::reach(&config, &keys.secret).await?;
        let watch = PolicyWatch::start(Arc::clone(&policies), WatchOptions::default()).map_err(StartError::Thread)?;
        let telemetry = Telemetry::start(&config.telemetry, config.server.environment)?;
        let ground = Ground { keys, objects, ring, clients, upstreams, policies, versions, watch, telemetry, shared };
        let issuer = config.server.public_url(port);
        Ok(Self::assemble(config, outside, issuer, ground))
    }

    #[expect(clippy::too_many_lines, reason = "the one place in which all parts meet")]
    fn assemble(config: Config, outside: Outside, issuer: String, ground: Ground) -> Self {
        let Outside { clock, mailer } = outside;
        let Ground { keys, objects, ring, clients, upstreams, policies, versions, watch, telemetry, shared } = ground;
        let Keys { store, secret, .. } = keys;
        let tokens = Arc::new(access_tokens(&config, &ring, &issuer, &clock));
        let metrics = Arc::new(watching::metrics(&clock, &store, &policies));
        let tasks = Tasks::new(store.clone(), clock.clone(), Arc::clone(&policies)).counting(metrics.rankings.clone());
        let recorder = starting::recorder(&config, &store, &secret, &metrics);
        let tasks = tasks.recording(recorder.clone());
        let ground = (store.clone(), clock.clone());
        let days = config.policies.decisions_days;
        let decisions = Decisions::new(ground, Arc::clone(&versions), recorder, secret.clone(), days);
        let decisions = Arc::new(decisions);
        let (shelf, key, server) = (store.clone(), secret.clone(), issuer.clone());
        let counted = metrics.mail.clone();
        let parts = PostParts { store: shelf, clock: clock.clone(), secret: key, mailer, server, metrics: counted };
        let post = Post::new(parts);
        let accounts = Accounts::new(AccountParts {
            store: store.clone(),
            clock: clock.clone(),
            passwords: Passwords::default(),
            tokens: Arc::clone(&tokens),
            policies: Arc::new(Directory(Arc::clone(&policies))),
            zone_follower: Arc::new(DueDates),
            secret: secret.clone(),
            post: post.clone(),
            settings: account_settings(&config),
        });
        let accounts = Arc::new(accounts.counting(metrics.accounts.clone()));
        let (shelf, settings) = (store.clone(), grant_settings(&config));
        let parts = GrantParts { store: shelf, clock: clock.clone(), tokens: Arc::clone(&tokens), settings };
        let grants = Arc::new(Grants::new(parts));
        let limits = Limits::new(&config.limits, &clock).counting(&metrics.limits);
        let limits = Arc::new(limits.shared_through(shared.clone()));
        let backups = MakeBackups::when_asked(&config, &store, &objects, &secret);
        let health = health::health(&config, &store, &policies, &clock, &post);
        let health = with_places(health, &config, &objects, (&clock, &metrics));
        let health = shared::with_redis(health, shared);
        let attachments = Attachments::new(AttachmentParts {
            tasks: tasks.clone(),
            store: store.clone(),
            objects: objects.clone(),
            clock: clock.clone(),
            secret: secret.clone(),
            public_url: issuer.clone(),
            settings: config.attachments.clone(),
        });
        Self {
            upstreams,
            issuer,
            secret: secret.clone(),
            guard: Arc::new(Guard::new(store.clone(), Arc::clone(&tokens), clock.clone())),
            tokens,
            post: post.clone(),
            health: Arc::new(watching::with_room(health, &config, &metrics)),
            background: housekeeping::start(
                &config,
                House {
                    store: store.clone(),
                    grants: Arc::clone(&grants),
                    ring,
                    clock: clock.clone(),
                    limits: Arc::clone(&limits),
                    backups,
                    metrics: metrics.background.clone(),
                    post: post.clone(),
                    tasks: tasks.clone(),
                    accounts: Arc::clone(&accounts),
                    secret: secret.clone(),
                    attachments: attachments.clone(),
                    policies: Arc::clone(&policies),
                    versions: Arc::clone(&versions),
                    decisions: Arc::clone(&decisions),
                },
            ),
            _watch: watch,
            metrics,
            telemetry,
            _watch_others: WatchOthers::start(store.clone()),
            events: events::make(&config, &store),
            config,
            clock,
            store,
            objects,
            policies,
            versions,
            decisions,
            accounts,
            clients,
            grants,
            tasks,
            attachments,
            limits,
        }
    }

    /// The HTTP edge over these components.
    ///
    /// # Errors
    ///
    /// When the API's description cannot be compiled, which the tests would have shown.
    pub fn endpoint(&self) -> Result<impl Endpoint<Output = Response> + use<>, ContractError> {
        let toolbox = mcp::toolbox(self)?;
        let api: Api = (
            AccountsApi::new(Arc::clone(&self.accounts)),
            RecoveryApi::new(Arc::clone(&self.accounts)),
            SecondFactorApi::new(Arc::clone(&self.accounts)),
            PasskeysApi::new(Arc::clone(&self.accounts)),
            IdentitiesApi::new(Arc::clone(&self.accounts)),
            AppsApi::new(Arc::clone(&self.grants)),
            RankingApi::new(self.tasks.clone()),
            BatchApi::new(self.tasks.clone()),
            TasksApi::new(self.tasks.clone()),
            AttachmentsApi::new(self.attachments.clone(), self.config.server.body_timeout),
            ProjectsApi::new(self.tasks.clone()),
            LabelsApi::new(self.tasks.clone()),
            TransferApi::new(self.tasks.clone()),
            self.events_api(),
            (
                PoliciesApi::new(Arc::clone(&self.versions), self.tasks.clone()),
                PolicyTrialsApi::new(Arc::clone(&self.versions)),
                PolicyDecisionsApi::new(Arc::clone(&self.decisions)),
            ),
            McpToolsApi::new(Arc::clone(&toolbox), Gate::new(self.guard.clone(), &self.issuer, Resource::Mcp)),
        );
        let welcome =
            Welcome { registration: self.clients.takes_registrations(), documents: self.clients.takes_documents() };
        let parts = Parts {
            mcp: Some(mcp::services(self, toolbox)),
            config: &self.config,
            authenticator: self.guard.clone(),
            limits: Arc::clone(&self.limits),
            health: Arc::clone(&self.health),
            metrics: Arc::clone(&self.metrics),
            telemetry: self.telemetry.clone(),
            clock: self.clock.clone(),
            oauth: Some(Services {
                issuer: self.issuer.clone(),
                clock: self.clock.clone(),
                accounts: Arc::clone(&self.accounts),
                clients: Arc::clone(&self.clients),
                grants: Arc::clone(&self.grants),
                guard: Arc::clone(&self.guard),
                consents: Consents::new(self.store.clone(), self.clock.clone()),
                secret: self.secret.clone(),
                limits: Arc::clone(&self.limits),
                upstreams: Arc::clone(&self.upstreams),
                tokens: Arc::clone(&self.tokens),
                metrics: self.metrics.oauth.clone(),
                discovery: Discovery::new(&self.issuer, welcome),
            }),
        };
        http::endpoint(api, parts)
    }

    fn events_api(&self) -> EventsApi {
        let patience = self.config.server.idle_timeout;
        let events = EventsApi::new(self.events.clone(), self.guard.clone(), Arc::clone(&self.health), patience);
        events.counting(self.metrics.events.clone())
    }

    /// Closes what is open; changes under way are finished first, and background work is left to other instances.
    pub async fn stop(self) {
        self.background.stop().await;
        self.decisions.flush().await;
        self.store.close().await;
        self.telemetry.stop().await;
    }
}

fn access_tokens(config: &Config, ring: &Arc<KeyRing>, issuer: &str, clock: &Clock) -> AccessTokens {
    AccessTokens::new(Arc::clone(ring), issuer.to_owned(), config.tokens.access_token_life, clock.clone())
}

const fn account_settings(config: &Config) -> AccountSettings {
    AccountSettings {
        registration: config.accounts.registration,
        session_life: config.tokens.refresh_token_life,
        most_failures: config.limits.failed_sign_ins,
        rotation: rotation(config),
        browser_life: BrowserLife { most: config.accounts.browser_life, idle: config.accounts.browser_idle },
    }
}

const fn grant_settings(config: &Config) -> GrantSettings {
    let tokens = &config.tokens;
    GrantSettings { life: tokens.refresh_token_life, idle: tokens.refresh_token_idle, rotation: rotation(config) }
}

const fn rotation(config: &Config) -> Rotation {
    if config.tokens.refresh_token_rotation { Rotation::EachUse } else { Rotation::Never }
}

/// What has to stand before anything else can.
struct Ground {
    keys: Keys,
    objects: Objects,
    ring: Arc<KeyRing>,
    clients: Arc<Clients>,
    upstreams: Arc<Upstreams>,
    policies: Arc<LivePolicies>,
    versions: Arc<Versions>,
    watch: PolicyWatch,
    telemetry: Telemetry,
    shared: Option<Arc<Shared>>,
}

/// Looks at the places outside of the database, too.
fn with_places(health: Health, config: &Config, objects: &Objects, (clock, metrics): (&Clock, &Metrics)) -> Health {
    let health = health.with("objects", Need::Useful, objects::check(objects, clock));
    match backups::check(config, clock, &metrics.health) {
        Some(check) => health.with("backups", Need::Useful, check),
        None => health,
    }
}

/// Due dates without a time are due at the end of a day, which lies elsewhere in another zone.
struct DueDates;

impl ZoneFollower for DueDates {
    fn move_to<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        user: UserId,
        zone: Tz,
        _now: Timestamp,
    ) -> BoxFuture<'t, StoreResult<()>> {
        Box::pin(tx.move_due_days(user, zone))
    }
}
