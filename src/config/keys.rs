//! Every key of the configuration: the list from which values are read, faults are named and the example is written.

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// `section.key`, as in the file.
    pub path: &'static str,
    /// Its short name in the environment.
    pub short_name: Option<&'static str>,
    /// The value when nothing is chosen, written as in the environment; empty means none.
    pub default: &'static str,
    /// A value to show in the example where there is no default.
    pub sample: &'static str,
    /// What it may be.
    pub allowed: &'static str,
    /// What it does, one sentence or more.
    pub about: &'static str,
    /// Whether the value must never be shown.
    pub visibility: Visibility,
}

/// Whether a value may be shown in messages and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Anyone who reads the log may see it.
    Shown,
    /// It is or may hold a secret.
    Secret,
}

impl Key {
    const fn new(path: &'static str, default: &'static str, allowed: &'static str, about: &'static str) -> Self {
        let (short_name, sample, visibility) = (None, "", Visibility::Shown);
        Self { path, short_name, default, sample, allowed, about, visibility }
    }

    const fn env(mut self, name: &'static str) -> Self {
        self.short_name = Some(name);
        self
    }

    const fn sample(mut self, sample: &'static str) -> Self {
        self.sample = sample;
        self
    }

    const fn secret(mut self) -> Self {
        self.visibility = Visibility::Secret;
        self
    }

    /// Whether its value may stand in a file that the environment names: `SECRET_KEY_FILE`, `MINDFLOW__SECTION__KEY_FILE`.
    ///
    /// So it is with secrets: containers and service managers hand them over as files, which no list of processes shows.
    pub fn may_stand_in_a_file(&self) -> bool {
        self.visibility == Visibility::Secret
    }

    /// The name that reaches every key from the environment: `MINDFLOW__SECTION__KEY`.
    pub fn long_name(&self) -> String {
        format!("MINDFLOW__{}", self.path.replace('.', "__").to_uppercase())
    }
}

/// Finds a key by its path.
pub fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Short names of MindFlow's environment that belong to features this version does not have.
pub const NOT_YET: &[&str] = &["PLUGINS_DIR"];

/// All keys, in the order of the example file.
pub const KEYS: &[Key] = &[
    Key::new("server.host", "127.0.0.1", "an IP address or a host name", "Where to listen. 0.0.0.0 is every IPv4 interface.")
        .env("HOST"),
    Key::new("server.port", "8000", "0 to 65535", "The port to listen on. 0 takes any free one.").env("PORT"),
    Key::new(
        "server.public_url",
        "",
        "an http:// or https:// URL without query or fragment",
        "How clients reach the server, for links and tokens. Unset: http://HOST:PORT.",
    )
    .env("PUBLIC_URL")
    .sample("https://mindflow.example.org"),
    Key::new(
        "server.environment",
        "development",
        "development, test, testing, staging or production",
        "What kind of installation this is. In production, logs are JSON lines.",
    )
    .env("ENVIRONMENT"),
    Key::new(
        "server.secret_key",
        "",
        "32 characters or more, as random as can be",
        "What the server's own secrets are sealed with: signing keys, second factors, forms. All instances share it. \
         Unset: one is generated in the data folder at the first start. Whoever loses it must make new signing keys.",
    )
    .env("SECRET_KEY")
    .sample("the output of `openssl rand -hex 32`, 64 characters")
    .secret(),
    Key::new(
        "server.cors_origins",
        "",
        "a list of origins such as https://app.example.org, or *",
        "Web origins whose pages may call the API. In the environment: separated by commas, or a JSON array. With *, \
         every origin may call, but without cookies.",
    )
    .env("CORS_ORIGINS")
    .sample("https://app.example.org"),
    Key::new(
        "server.trusted_proxies",
        "",
        "a list of networks such as 10.0.0.0/8 and of addresses such as 127.0.0.1 or ::1",
        "Proxies in front of the server, whose word about the client's address is taken. Unset: nobody's, and the client \
         is who opened the connection. In the environment: separated by commas, or a JSON array.",
    )
    .sample("127.0.0.1"),
    Key::new(
        "server.proxy_header",
        "auto",
        "auto, forwarded or x-forwarded-for",
        "The header in which trusted proxies name the client. With auto, whichever of the two comes; name it where clients \
         could send the other one through the proxy.",
    ),
    Key::new(
        "server.widget_frame_ancestors",
        "https://chatgpt.com, https://chat.openai.com, https://claude.ai",
        "a list of origins such as https://chat.example.org or https://*.example.org",
        "Sites that may show the pages under /widgets in a frame. In the environment: separated by commas, or a JSON array.",
    ),
    Key::new("server.enable_swagger", "true", "true or false", "Whether /docs shows the Swagger UI.").env("ENABLE_SWAGGER"),
    Key::new("server.max_content_size_mb", "5", "1 to 1024", "The largest request body, in MiB.").env("MAX_CONTENT_SIZE_MB"),
    Key::new(
        "server.body_timeout_seconds",
        "30",
        "1 to 3600",
        "How long a client may take to send a request's body, in seconds.",
    ),
    Key::new(
        "server.drain_seconds",
        "30",
        "0 to 3600",
        "How long running requests may take to finish after SIGTERM or Ctrl-C, in seconds.",
    ),
    Key::new(
        "server.idle_timeout_seconds",
        "75",
        "1 to 3600",
        "After how many seconds without a request a connection is closed.",
    ),
    Key::new(
        "connections.most",
        "10000",
        "1 to 1000000",
        "The most connections at a time; further ones are answered with 503. Never more than the system lets the process \
         have open.",
    ),
    Key::new(
        "connections.most_per_address",
        "0",
        "0 to 1000000, where 0 is no limit",
        "The most connections of one address at a time (of IPv6: of a network of 64 bits). Trusted proxies and this machine \
         itself are not held to it.",
    ),
    Key::new(
        "connections.header_timeout_seconds",
        "15",
        "1 to 3600",
        "How long a client may take to send the head of a request, from its first byte on, in seconds.",
    ),
    Key::new(
        "connections.write_timeout_seconds",
        "30",
        "1 to 3600",
        "After how many seconds in which a client takes nothing of an answer the connection is closed.",
    ),
    Key::new(
        "connections.max_header_kib",
        "32",
        "8 to 1024",
        "The largest head of a request, its line and its headers together, in KiB.",
    ),
    Key::new("storage.data_dir", "./data", "a folder the server may write to", "Where the database and the server's secret live.")
        .env("DATA_DIR"),
    Key::new(
        "storage.database_url",
        "",
        "sqlite://PATH, postgres://… or postgresql://…",
        "The database. Unset: SQLite, in mindflow.db in the data folder.",
    )
    .env("DATABASE_URL")
    .sample("postgres://mindflow:password@localhost/mindflow")
    .secret(),
    Key::new(
        "storage.max_connections",
        "10",
        "1 to 1000",
        "The most connections at a time: readers of SQLite (it has one writer), or all of PostgreSQL.",
    ),
    Key::new(
        "storage.wait_seconds",
        "2",
        "1 to 300",
        "How long a request waits for a free connection or a locked database before it is told to try again.",
    ),
    Key::new(
        "storage.statement_timeout_seconds",
        "30",
        "0 to 3600, where 0 is no limit",
        "How long PostgreSQL may work on one statement before it gives up. Migrations take the time they need.",
    ),
    Key::new(
        "storage.migrate_on_start",
        "true",
        "true or false",
        "Whether a start brings the database's schema up to date. With false it only looks: what `mindflow migrate up` has not \
         done yet stops the start, and a schema that is newer is accepted, because migrations work under the program before \
         them. For servers whose database user may not change tables, and for rolling updates.",
    ),
    Key::new(
        "storage.redis_url",
        "",
        "redis://… or rediss://…, the latter with TLS",
        "Redis or Valkey, through which several instances share their limits. Unset, or while it is away: each instance \
         counts by itself.",
    )
    .env("REDIS_URL")
    .sample("redis://localhost:6379/0")
    .secret(),
    Key::new(
        "storage.redis_timeout_ms",
        "100",
        "1 to 10000",
        "How long a request waits for Redis before it is counted by this instance alone, in milliseconds.",
    ),
    Key::new(
        "objects.url",
        "",
        "a folder's path, a file: URL or s3://BUCKET/PREFIX",
        "Where attachments are kept. Unset: the bucket below, or else the folder objects of the data folder.",
    )
    .sample("s3://mindflow/objects"),
    Key::new(
        "objects.endpoint",
        "",
        "an http:// or https:// URL without query or fragment",
        "The S3-compatible service. Unset: Amazon's own.",
    )
    .env("DO_SPACES_ENDPOINT")
    .sample("https://nyc3.digitaloceanspaces.com"),
    Key::new("objects.region", "", "1 to 200 characters", "Its region. Unset: us-east-1, or what AWS_REGION says.")
        .env("DO_SPACES_REGION")
        .sample("nyc3"),
    Key::new("objects.bucket", "", "a bucket's name, 3 to 63 characters", "The bucket, where `url` names none.")
        .env("DO_SPACES_BUCKET")
        .sample("mindflow"),
    Key::new(
        "objects.access_key",
        "",
        "the access key that the service gave",
        "Who asks there. Unset: what AWS_ACCESS_KEY_ID and its kin say, or the machine's role.",
    )
    .env("DO_SPACES_ACCESS_KEY")
    .sample("DO00…")
    .secret(),
    Key::new("objects.secret_key", "", "the secret key that the service gave", "Proves the access key.")
        .env("DO_SPACES_SECRET_KEY")
        .sample("0123456789abcdef…")
        .secret(),
    Key::new(
        "objects.path_style",
        "true",
        "true or false",
        "Whether the bucket stands in the path of its URLs. Turn it off for services that want it in the host name.",
    ),
    Key::new("attachments.max_size_mb", "25", "1 to 5120", "The largest file that can be attached to a task, in MiB."),
    Key::new(
        "attachments.quota_mb",
        "1024",
        "0 to 100000000",
        "How much one person's attachments may have together, in MiB. 0 is no limit.",
    ),
    Key::new("attachments.per_task", "50", "1 to 10000", "The most files of one task."),
    Key::new(
        "attachments.allowed_types",
        "",
        "media types such as application/pdf or image/*, separated by commas",
        "Which files are taken. Unset: all, those that a browser could run only as application/octet-stream.",
    )
    .sample("image/*"),
    Key::new("attachments.url_minutes", "15", "1 to 10080", "How long a signed URL of an attachment works."),
    Key::new(
        "attachments.direct_downloads",
        "false",
        "true or false",
        "Whether signed URLs lead to the bucket itself, past this server. Its endpoint must be reachable for people then.",
    ),
    Key::new("attachments.upload_timeout_seconds", "900", "1 to 86400", "How long the upload of one file may take."),
    Key::new(
        "backup.to",
        "",
        "a folder's path, a file: URL or s3://BUCKET/PREFIX",
        "Where backups go. Unset: the folder backups of the data folder, which a lost disk takes with it. A bucket is \
         reached as objects says.",
    )
    .sample("s3://mindflow/backups"),
    Key::new(
        "backup.schedule_hours",
        "0",
        "0 to 8760",
        "How often the server makes a backup by itself; of several instances one does. 0 leaves it to others.",
    ),
    Key::new("backup.keep_daily", "30", "0 to 10000", "Of how many days a backup stays."),
    Key::new("backup.keep_weekly", "13", "0 to 10000", "Of how many weeks a backup stays."),
    Key::new("backup.keep_monthly", "12", "0 to 10000", "Of how many months a backup stays."),
    Key::new(
        "backup.encrypt_to",
        "",
        "public keys of age (age1…), separated by commas",
        "For whom backups are encrypted. Whoever holds one of the secret keys can restore them; the server cannot.",
    )
    .sample("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudun2aqsrh6vey"),
    Key::new(
        "backup.passphrase_file",
        "",
        "a file",
        "Encrypts backups with a passphrase instead: the first line of this file.",
    )
    .sample("/etc/mindflow/backup.passphrase"),
    Key::new("backup.attachments", "true", "true or false", "Whether the files that are attached to tasks are in backups."),
    Key::new("policies.dir", "./policies", "a folder", "Where policies live, one folder each.").env("POLICIES_DIR"),
    Key::new(
        "policies.tests",
        "warn",
        "warn or require",
        "What a failing test case does to a policy that was saved: warn reports it, require keeps the last good version.",
    )
    .env("POLICY_TESTS"),
    Key::new(
        "policies.params",
        "",
        "a list of settings `policy.parameter=value`",
        "Values of parameters that policies declare (`PARAMS`), for everybody who sets none. A value that does not fit is \
         logged and passed over. In the environment: separated by commas, or a JSON array.",
    )
    .env("POLICY_PARAMS")
    .sample("eisenhower.urgent_days=2"),
    Key::new(
        "policies.readers",
        "",
        "e-mail addresses of operators, separated by commas",
        "Which operators may see policies, their versions and what became of them over the API. Unset: all of them.",
    )
    .sample("ada@example.org"),
    Key::new(
        "policies.proposers",
        "",
        "e-mail addresses of operators, separated by commas",
        "Which operators may bring new versions of policies over the API. Unset: all of them.",
    )
    .sample("ada@example.org"),
    Key::new(
        "policies.approvers",
        "",
        "e-mail addresses of operators, separated by commas",
        "Which operators may approve versions that others brought over the API. Unset: all of them.",
    )
    .sample("ada@example.org"),
    Key::new(
        "policies.activators",
        "",
        "e-mail addresses of operators, separated by commas",
        "Which operators may put versions of policies in force, and take them back over the API. Unset: all of them.",
    )
    .sample("ada@example.org"),
    Key::new(
        "policies.two_person",
        "false",
        "true or false",
        "Whether a version of a policy that was proposed needs the approval of somebody other than its author.",
    ),
    Key::new(
        "policies.most_failures",
        "1000",
        "0 to 1000000000",
        "On how many tasks a version of a policy may fail at one instance before the version before it is put in force \
         again, or its roll-out is ended. 0: it stays.",
    ),
    Key::new(
        "policies.decisions_sample",
        "0.1",
        "0 to 1",
        "The part of the recommendations that is kept, with what the policy knew and what became of it: to replay them under \
         another version. No titles or descriptions, names of labels and projects masked. 0: none.",
    )
    .env("POLICY_DECISIONS_SAMPLE"),
    Key::new("policies.decisions_days", "90", "1 to 36500", "After how many days kept recommendations are deleted.")
        .env("POLICY_DECISIONS_DAYS"),
    Key::new(
        "background.enabled",
        "true",
        "true or false",
        "Whether this instance takes part in the work that one instance does for all: expiry, mail, digests, keys. Of \
         several instances at least one must.",
    ),
    Key::new(
        "background.audit_days",
        "365",
        "0 to 36500, where 0 keeps it for ever",
        "After how many days rows of the audit log are deleted.",
    ),
    Key::new(
        "smtp.host",
        "",
        "a host name or an IP address",
        "The mail server that takes mail. Unset: in development, mail and its links are written to the log; elsewhere none is \
         sent.",
    )
    .env("SMTP_HOST")
    .sample("smtp.example.org"),
    Key::new("smtp.port", "", "1 to 65535", "Its port. Unset: 465 with tls, 587 with starttls, 25 otherwise.")
        .env("SMTP_PORT")
        .sample("587"),
    Key::new("smtp.user", "", "1 to 200 characters", "Who sends, where the mail server asks for that.")
        .env("SMTP_USER")
        .sample("mindflow"),
    Key::new("smtp.password", "", "the password there", "Proves it.").env("SMTP_PASSWORD").sample("a password").secret(),
    Key::new(
        "smtp.from",
        "",
        "an address, or a name and an address in angle brackets",
        "Whom mail is from. Unset: mindflow@ and the host of the public URL.",
    )
    .sample("MindFlow <mindflow@example.org>"),
    Key::new(
        "smtp.tls",
        "auto",
        "auto, starttls, tls or none",
        "How the connection is protected. auto: tls at port 465; to this machine starttls if it is offered; otherwise \
         starttls, without which nothing is sent. With none, no password is sent to other machines.",
    ),
    Key::new("smtp.timeout_seconds", "30", "1 to 600", "How long the mail server may take for an answer, in seconds."),
    Key::new(
        "smtp.extra_root_certificate",
        "",
        "a file with certificates as PEM",
        "A further certificate authority for the mail server, as of one's own network.",
    )
    .sample("./mail-ca.pem"),
    Key::new("accounts.registration", "open", "open, invite or closed", "Who may make an account.").env("REGISTRATION"),
    Key::new(
        "accounts.browser_session_days",
        "14",
        "1 to 365",
        "How long a browser stays signed in at most, in days, before the password is asked for again.",
    ),
    Key::new(
        "accounts.browser_idle_hours",
        "72",
        "1 to 8760",
        "How long a browser stays signed in when it is not used, in hours.",
    ),
    Key::new(
        "tokens.private_key",
        "",
        "an RSA private key of 2048 bits or more as PEM; line breaks may be written as \\n",
        "The key that signs access tokens. Unset: MindFlow makes keys itself, keeps them in the database, sealed, and \
         replaces them every 90 days (`mindflow keys`).",
    )
    .env("OAUTH_PRIVATE_KEY")
    .sample("-----BEGIN PRIVATE KEY-----\\n…\\n-----END PRIVATE KEY-----")
    .secret(),
    Key::new(
        "tokens.public_key",
        "",
        "the public half of the private key as PEM; line breaks may be written as \\n",
        "The key that checks access tokens. Unset: taken from the private key.",
    )
    .env("OAUTH_PUBLIC_KEY")
    .sample("-----BEGIN PUBLIC KEY-----\\n…\\n-----END PUBLIC KEY-----")
    // Not a secret, but the private key put here by mistake is one.
    .secret(),
    Key::new("tokens.access_token_expire_minutes", "60", "1 to 1440", "How long an access token lives, in minutes.")
        .env("ACCESS_TOKEN_EXPIRE_MINUTES"),
    Key::new("tokens.refresh_token_expire_days", "30", "1 to 3650", "How long a refresh token lives, in days.")
        .env("REFRESH_TOKEN_EXPIRE_DAYS"),
    Key::new(
        "tokens.refresh_token_idle_days",
        "14",
        "1 to 3650",
        "After how many days without any use a program that somebody connected must ask them again.",
    ),
    Key::new(
        "tokens.refresh_token_rotation_enabled",
        "true",
        "true or false",
        "Whether each use of a refresh token replaces it, so that a stolen one is noticed. Programs without a secret always \
         get another.",
    )
    .env("REFRESH_TOKEN_ROTATION_ENABLED"),
    Key::new(
        "oauth.dynamic_registration",
        "true",
        "true or false",
        "Whether programs may register themselves (RFC 7591). Without it, clients are made with `mindflow client create`.",
    ),
    Key::new(
        "oauth.client_documents",
        "true",
        "true or false",
        "Whether a program may name itself by the URL of a document about it (Client ID Metadata Documents), which the \
         server then fetches.",
    ),
    Key::new(
        "oauth.registration_hosts",
        "",
        "a list of hosts such as claude.ai or localhost, and of schemes with a colon such as cursor:",
        "Where programs that nobody vouched for may be answered: the hosts of their redirect URIs and of their documents. \
         Unset: anywhere. In the environment: separated by commas, or a JSON array.",
    )
    .sample("claude.ai"),
    Key::new(
        "oauth.unused_clients_per_address",
        "1000",
        "1 to 1000000",
        "How many registrations from one address may wait for their first use. They are forgotten after seven days.",
    ),
    Key::new(
        "oauth.unused_clients",
        "20000",
        "1 to 10000000",
        "How many registrations may wait for their first use at all.",
    ),
    Key::new(
        "oauth.extra_root_certificate",
        "",
        "a file with certificates as PEM",
        "For tests only: a further certificate authority for fetching the documents of programs.",
    )
    .sample("./test-ca.pem"),
    Key::new(
        "oauth.allow_private_addresses",
        "false",
        "true or false",
        "For tests only: whether the documents of programs may come from private addresses, and from other ports than 443.",
    ),
    Key::new(
        "upstream.google_client_id",
        "",
        "the client id that Google gave, at most 200 characters",
        "Lets people continue with Google. There, name PUBLIC_URL/oauth/upstream/google/callback as redirect URI.",
    )
    .sample("1234-abcd.apps.googleusercontent.com"),
    Key::new("upstream.google_client_secret", "", "the client secret that Google gave", "Proves the client id.")
        .sample("GOCSPX-…")
        .secret(),
    Key::new(
        "upstream.github_client_id",
        "",
        "the client id that GitHub gave, at most 200 characters",
        "Lets people continue with GitHub. There, name PUBLIC_URL/oauth/upstream/github/callback as callback URL.",
    )
    .sample("Iv1.0123456789abcdef"),
    Key::new("upstream.github_client_secret", "", "the client secret that GitHub gave", "Proves the client id.")
        .sample("0123456789abcdef…")
        .secret(),
    Key::new(
        "upstream.github_url",
        "https://github.com",
        "an https:// URL",
        "GitHub's web site; for a GitHub Enterprise Server its own.",
    ),
    Key::new(
        "upstream.oidc_issuer",
        "",
        "an https:// URL, exactly as the provider writes it",
        "Lets people continue with any provider that speaks OpenID Connect. There, name \
         PUBLIC_URL/oauth/upstream/oidc/callback as redirect URI.",
    )
    .sample("https://id.example.org"),
    Key::new("upstream.oidc_client_id", "", "the client id there, at most 200 characters", "What this server is called there.")
        .sample("mindflow"),
    Key::new("upstream.oidc_client_secret", "", "the client secret there", "Proves the client id. Unset: a public client.")
        .sample("0123456789abcdef…")
        .secret(),
    Key::new("upstream.oidc_name", "OpenID", "1 to 200 characters", "What the button calls the provider."),
    Key::new("mcp.server_name", "MindFlow Task Manager", "1 to 200 characters", "How chats and agents call the server.")
        .env("MCP_SERVER_NAME"),
    Key::new("mcp.server_version", "", "1 to 200 characters", "The version that they are told. Unset: the program's own.")
        .env("MCP_SERVER_VERSION")
        .sample("7.0.0"),
    Key::new(
        "mcp.server_description",
        "The user's tasks, and what to do now",
        "1 to 200 characters",
        "What they are told that the server is for.",
    )
    .env("MCP_SERVER_DESCRIPTION"),
    Key::new(
        "mcp.enable_task_widgets",
        "true",
        "true or false",
        "Whether chats may show tasks as cards and lists that can be clicked.",
    )
    .env("MCP_ENABLE_TASK_WIDGETS"),
    Key::new(
        "mcp.max_tasks_per_request",
        "50",
        "1 to 1000",
        "The most tasks in one answer to a chat or agent; longer lists come in pages.",
    )
    .env("MCP_MAX_TASKS_PER_REQUEST"),
    Key::new(
        "events.retention_hours",
        "48",
        "1 to 720",
        "How long /api/events can tell a client that was away what it missed, in hours.",
    ),
    Key::new("events.max_streams", "1000", "0 to 1000000", "The most streams of /api/events open at a time on one instance."),
    Key::new(
        "events.max_streams_per_user",
        "20",
        "1 to 10000",
        "The most of them that one user may have open on one instance.",
    ),
    Key::new("limits.rate_limit_per_minute", "100", "0 to 1000000", "Requests a minute a user. 0 is no limit.")
        .env("RATE_LIMIT_PER_MINUTE"),
    Key::new(
        "limits.auth_rate_limit_per_minute",
        "10",
        "0 to 1000000",
        "Requests a minute an address to sign-in and token operations. 0 is no limit.",
    )
    .env("AUTH_RATE_LIMIT_PER_MINUTE"),
    Key::new(
        "limits.token_rate_limit_per_minute",
        "",
        "0 to 1000000, where 0 is no limit",
        "Requests a minute an address to the token endpoint of OAuth and its kin. Unset: they count with sign-ins.",
    )
    .sample("100"),
    Key::new(
        "limits.registration_rate_limit_per_minute",
        "",
        "0 to 1000000, where 0 is no limit",
        "Requests a minute an address to the registration of OAuth clients. Unset: they count with sign-ins.",
    )
    .sample("100"),
    Key::new(
        "limits.client_rate_limit_per_minute",
        "",
        "0 to 1000000, where 0 is no limit",
        "Requests a minute an OAuth client to the token endpoint, from all of its addresses. Unset: sixty times the limit of an address.",
    )
    .sample("100"),
    Key::new(
        "limits.page_rate_limit_per_minute",
        "",
        "0 to 1000000, where 0 is no limit",
        "Requests a minute an address to the pages for signing in and allowing programs. Unset: as many as a user has.",
    )
    .sample("100"),
    Key::new(
        "limits.mcp_rate_limit_per_minute",
        "",
        "0 to 1000000, where 0 is no limit",
        "Requests a minute a user through the Model Context Protocol. Unset: they count with the user's others.",
    )
    .sample("100"),
    Key::new(
        "limits.transfer_rate_limit_per_minute",
        "",
        "0 to 1000000, where 0 is no limit",
        "Requests a minute a user to import and export. Unset: they count with the user's others.",
    )
    .sample("100"),
    Key::new(
        "limits.failed_sign_ins",
        "",
        "0 to 10000, where 0 is no limit",
        "How many wrong passwords or codes an account takes within a quarter of an hour before it takes no more, whoever \
         sends them. Unset: 10, or no limit where limits.auth_rate_limit_per_minute is 0.",
    )
    .sample("10"),
    Key::new(
        "limits.requests_at_work",
        "256",
        "0 to 100000, where 0 is no limit",
        "How many requests are worked on at once. Further ones wait, see limits.work_wait_ms.",
    ),
    Key::new(
        "limits.work_wait_ms",
        "500",
        "0 to 60000",
        "How long a request waits while limits.requests_at_work are worked on, in milliseconds, before it is answered with \
         503 and told to come back.",
    ),
    Key::new(
        "log.level",
        "info",
        "error, warn, info, debug, trace or off; or a list such as info,mindflow::policies=debug",
        "What is logged.",
    )
    .env("LOG_LEVEL"),
    Key::new(
        "health.least_free_disk_mb",
        "512",
        "0 to 1000000000",
        "The room that should be left in the data folder, in MiB. With less, /health is degraded; with an eighth of it, the \
         disk is unhealthy. 0 is never.",
    ),
    Key::new(
        "health.most_memory_percent",
        "90",
        "1 to 100",
        "How much of the memory that it may have the process should use at most, in percent: of its container's limit, else \
         of the machine's. With more, /health is degraded.",
    ),
    Key::new(
        "metrics.access",
        "private",
        "private, public or off",
        "Who may read /metrics. private: machines on private addresses that ask without a proxy in between; with a token, \
         whoever shows it instead. public: everybody.",
    ),
    Key::new(
        "metrics.token",
        "",
        "16 characters or more, without blanks",
        "Opens /metrics from anywhere: `Authorization: Bearer …`.",
    )
    .env("METRICS_TOKEN")
    .sample("0123456789abcdef0123456789abcdef")
    .secret(),
    Key::new(
        "sentry.dsn",
        "",
        "the DSN of a project, such as https://key@host/1",
        "Reports panics and errors to Sentry: what failed, where, and for whom by id; never tokens, addresses or texts of \
         people. Nothing is reported where the environment is test.",
    )
    .env("SENTRY_DSN")
    .sample("https://0123456789abcdef0123456789abcdef@sentry.example.org/1")
    .secret(),
    Key::new("sentry.environment", "", "1 to 200 characters", "What the installation is called there. Unset: its kind.")
        .sample("production-eu"),
    Key::new("sentry.release", "", "1 to 200 characters", "What the program is called there. Unset: mindflow@VERSION.")
        .sample("mindflow@7.0.0+local"),
    Key::new("sentry.server_name", "", "1 to 200 characters", "What the machine is called there. Unset: its host name.")
        .sample("mindflow-1"),
    Key::new("sentry.sample_rate", "1", "0 to 1", "The part of the faults that is reported."),
    Key::new(
        "telemetry.otlp_endpoint",
        "",
        "an http:// or https:// URL without query or fragment",
        "Sends traces of requests to a collector of OpenTelemetry, over OTLP/HTTP; /v1/traces is added.",
    )
    .env("OTEL_EXPORTER_OTLP_ENDPOINT")
    .sample("http://localhost:4318"),
    Key::new(
        "telemetry.otlp_headers",
        "",
        "name=value, separated by commas",
        "Headers that the collector wants.",
    )
    .env("OTEL_EXPORTER_OTLP_HEADERS")
    .sample("x-api-key=…")
    .secret(),
    Key::new("telemetry.service_name", "mindflow", "1 to 200 characters", "What the server is called there.")
        .env("OTEL_SERVICE_NAME"),
    Key::new(
        "telemetry.sample_rate",
        "1",
        "0 to 1",
        "The part of the traces that is sent. What belongs to a trace that a client began is sent if the client says so.",
    ),
];
