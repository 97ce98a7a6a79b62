//! Options that several subcommands share.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use longshore_client::{Client, Credentials, Endpoint, Fingerprint, Signer, Trust};
use longshore_model::ClusterName;
use longshore_server::{PlainText, RootKey, TlsName};

use crate::{call, data_dir};

use crate::agent::duration;

/// Where this machine keeps its state.
#[derive(Args, Clone, Debug)]
pub(crate) struct DataDir {
    /// The directory that holds the state; made when missing. One process uses it at a time.
    /// [default: /var/lib/longshore for root, else ~/.local/state/longshore]
    #[arg(long, env = "LONGSHORE_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl DataDir {
    /// The directory given, or the one for this user.
    pub(crate) fn path(&self) -> PathBuf {
        if let Some(dir) = &self.data_dir {
            return dir.clone();
        }
        let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let home = home.filter(|it| it.as_os_str() != "/root" && it.is_absolute());
        match (state, home) {
            (Some(state), _) => state.join("longshore"),
            (None, Some(home)) => home.join(".local/state/longshore"),
            (None, None) => PathBuf::from("/var/lib/longshore"),
        }
    }
}

/// Which control plane is called, and as whom: the credentials are those of the environment, as AWS
/// clients have them.
#[derive(Args, Clone, Debug)]
pub(crate) struct Connection {
    /// The control plane's URL, such as https://10.0.0.1:8327. [default: AWS_ENDPOINT_URL_ECS]
    #[arg(long, env = "LONGSHORE_ENDPOINT", value_name = "URL")]
    endpoint: Option<Endpoint>,

    /// The region to sign for. [default: us-east-1]
    #[arg(long, env = "LONGSHORE_REGION")]
    pub(crate) region: Option<String>,

    /// Certificates in PEM of the authorities that the control plane's certificate may come from.
    /// [default: the authorities that the system trusts]
    #[arg(long, env = "LONGSHORE_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// The fingerprint of the control plane's certificate authority, as `longshore ca
    /// --fingerprint` prints it there, instead of a file.
    #[arg(
        long,
        env = "LONGSHORE_CA_FINGERPRINT",
        value_name = "SHA256",
        conflicts_with = "ca_file"
    )]
    ca_fingerprint: Option<Fingerprint>,
}

impl Connection {
    /// Where the control plane is.
    pub(crate) fn endpoint(&self) -> anyhow::Result<Endpoint> {
        match (&self.endpoint, variable("AWS_ENDPOINT_URL_ECS")) {
            (Some(endpoint), _) => Ok(endpoint.clone()),
            (None, Some(text)) => text.parse().context("AWS_ENDPOINT_URL_ECS"),
            (None, None) => bail!(
                "no control plane is named: give --endpoint, or set LONGSHORE_ENDPOINT or \
                 AWS_ENDPOINT_URL_ECS (`longshore env` prints it on the control plane's machine)"
            ),
        }
    }

    /// Whom the control plane's certificate may come from.
    pub(crate) fn trust(&self) -> Trust {
        self.given_trust().unwrap_or_default()
    }

    /// The same, if an option says so.
    pub(crate) fn given_trust(&self) -> Option<Trust> {
        let fingerprint = self.ca_fingerprint.map(Trust::Fingerprint);
        fingerprint.or_else(|| self.ca_file.clone().map(Trust::File))
    }

    /// Where the control plane is, if an option says so.
    pub(crate) fn given(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// Whether it is said where the control plane is.
    fn is_named(&self) -> bool {
        self.endpoint.is_some() || variable("AWS_ENDPOINT_URL_ECS").is_some()
    }

    /// Who signs.
    pub(crate) fn signer(&self) -> anyhow::Result<Signer> {
        let region = self.region.clone().unwrap_or_else(|| "us-east-1".into());
        Ok(Signer::new(credentials()?, region))
    }
}

/// Which control plane is administered: the one that is named, with the credentials of the
/// environment, or else the one whose data directory this is, with its root key.
#[derive(Args, Clone, Debug)]
pub(crate) struct Admin {
    #[command(flatten)]
    connection: Connection,

    #[command(flatten)]
    data_dir: DataDir,
}

impl Admin {
    /// A client that calls it.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        if self.connection.is_named() {
            return call::client(&self.connection);
        }
        let dir = self.data_dir.path();
        let endpoint = data_dir::Endpoint::load(&dir)?;
        let key = RootKey::load(&dir).context("the server's access key cannot be read")?;
        let credentials = Credentials {
            access_key_id: key.access_key_id,
            secret_access_key: key.secret_access_key,
            session_token: None,
        };
        let signer = Signer::new(credentials, endpoint.region);
        Ok(Client::new(endpoint.url.parse()?, &Trust::System, signer, call::BOUNDS)?)
    }

    /// A client that calls the same control plane with these credentials.
    pub(crate) fn client_of(&self, credentials: Credentials) -> anyhow::Result<Client> {
        let known = self.client()?;
        let region = known.signer().region.clone();
        let trust = self.connection.trust();
        let signer = Signer::new(credentials, region);
        Ok(Client::new(known.endpoint().clone(), &trust, signer, call::BOUNDS)?)
    }
}

fn credentials() -> anyhow::Result<Credentials> {
    match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        (Some(access_key_id), Some(secret_access_key)) => Ok(Credentials {
            access_key_id,
            secret_access_key,
            session_token: variable("AWS_SESSION_TOKEN"),
        }),
        _ => bail!(
            "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (`longshore env` prints them on the control plane's machine)"
        ),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}

/// How the control plane speaks TLS. Without these options: by a certificate authority of its own,
/// made at the first start, which `longshore ca` prints.
#[derive(Args, Clone, Debug)]
pub(crate) struct Tls {
    /// A certificate in PEM, followed by those that lead to its authority. Replacing the file is
    /// enough to renew it.
    #[arg(long, env = "LONGSHORE_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The certificate's key in PEM. Not every user of this machine may have access to it.
    #[arg(long, env = "LONGSHORE_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// A name or address that clients use for this server, beside the host's name, loopback and the
    /// addresses of all interfaces, for which there is always a certificate. May be repeated.
    #[arg(
        long = "tls-name",
        env = "LONGSHORE_TLS_NAMES",
        value_name = "NAME",
        value_delimiter = ',',
        conflicts_with = "tls_cert"
    )]
    pub(crate) tls_names: Vec<TlsName>,

    /// Speak plain text also with other machines, for networks that everyone on them is trusted
    /// with: signatures are verified, but all can be read, secrets of tasks included.
    #[arg(long, env = "LONGSHORE_PLAIN_TEXT")]
    pub(crate) plain_text: bool,
}

impl Tls {
    /// Whom plain text is spoken with.
    pub(crate) fn plain_text_with(&self) -> PlainText {
        if self.plain_text { PlainText::Everyone } else { PlainText::ThisMachine }
    }
}

/// The control plane's options.
#[derive(Args, Clone, Debug)]
pub(crate) struct Server {
    /// The address that the API and the agents' sockets are served on: TLS for everyone, and plain
    /// text on the same port for callers on this machine.
    #[arg(
        long,
        env = "LONGSHORE_LISTEN",
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8327"
    )]
    pub(crate) listen: SocketAddr,

    #[command(flatten)]
    pub(crate) data_dir: DataDir,

    #[command(flatten)]
    pub(crate) tls: Tls,

    /// The cluster that is made at the start if it does not exist.
    #[arg(long, env = "LONGSHORE_CLUSTER", default_value = "default")]
    pub(crate) cluster: ClusterName,

    /// The region in ARNs.
    #[arg(long, env = "LONGSHORE_REGION", default_value = "us-east-1", value_parser = region)]
    pub(crate) region: String,

    /// The account in ARNs: twelve digits.
    #[arg(long, env = "LONGSHORE_ACCOUNT", default_value = "123456789012", value_parser = account)]
    pub(crate) account: String,

    /// The root access key's id, at the first start on a data directory; a random one when not
    /// given.
    #[arg(long, env = "LONGSHORE_ROOT_ACCESS_KEY_ID", requires = "root_secret_access_key")]
    pub(crate) root_access_key_id: Option<String>,

    /// The root access key's secret, at the first start on a data directory.
    #[arg(
        long,
        env = "LONGSHORE_ROOT_SECRET_ACCESS_KEY",
        hide_env_values = true,
        requires = "root_access_key_id"
    )]
    pub(crate) root_secret_access_key: Option<String>,

    /// A JSON object of the names and values of secrets, for `secrets`, `secretOptions` and
    /// `repositoryCredentials` of task definitions. Its owner alone may have access to it. It is
    /// read anew for each task.
    #[arg(long, env = "LONGSHORE_SECRETS_FILE", value_name = "FILE")]
    pub(crate) secrets_file: Option<PathBuf>,

    /// A JSON object of the ARNs of roles and the credentials that tasks with that `taskRoleArn` get:
    /// accessKeyId, secretAccessKey and, if there are any, sessionToken and expiration. Its owner
    /// alone may have access to it. Replacing it is enough to renew them: agents are told within
    /// seconds.
    #[arg(long, env = "LONGSHORE_ROLE_CREDENTIALS", value_name = "FILE")]
    pub(crate) role_credentials: Option<PathBuf>,

    /// A file with the token by which other machines may read `/metrics`: `Authorization: Bearer
    /// TOKEN`. Its owner alone may have access to it; it is read anew each time. Without it only
    /// this machine may.
    #[arg(long, env = "LONGSHORE_METRICS_TOKEN_FILE", value_name = "FILE")]
    pub(crate) metrics_token_file: Option<PathBuf>,

    /// Take tasks launched as FARGATE, or by the capacity providers FARGATE and FARGATE_SPOT, and
    /// run them on the container instances that there are.
    #[arg(long, env = "LONGSHORE_FARGATE_ON_INSTANCES")]
    pub(crate) fargate_on_instances: bool,

    /// How long what has ended (tasks, container instances, clusters) can still be described, such
    /// as 10m. ECS keeps it for an hour at least; where many short tasks run, less of it needs less
    /// memory: a stopped task takes about a kilobyte.
    #[arg(
        long,
        env = "LONGSHORE_KEEP_ENDED",
        value_name = "TIME",
        default_value = "1h",
        value_parser = duration
    )]
    pub(crate) keep_ended: Duration,
}

fn region(text: &str) -> Result<String, String> {
    let allowed = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        Ok(text.into())
    } else {
        Err("a region is lower-case letters, digits and hyphens, such as us-east-1".into())
    }
}

fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|it| it.is_ascii_digit()) {
        Ok(text.into())
    } else {
        Err("an account is twelve digits, such as 123456789012".into())
    }
}
