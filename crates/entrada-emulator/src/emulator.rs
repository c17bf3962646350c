//! Starting, asking and stopping a run.

use crate::authority::Authority;
use crate::blob::upstream::Upstream;
use crate::certificates::CertificateError;
use crate::certificates::run::{self, CertificateFiles};
use crate::challenges::Challenge;
use crate::config::{Config, ConfigError};
use crate::control::Lock;
use crate::endpoint_tls::EndpointCertificates;
use crate::environment::{self, Endpoints};
use crate::faults::Faults;
use crate::federated_token::Wish;
use crate::gateway::{self, Door, Shared};
use crate::host::Host;
use crate::issuers::{AssertionError, AssertionWish};
use crate::journal::Journal;
use crate::port::Port;
use crate::rbac::AssignError;
use crate::role_changes;
use crate::state::State;
use crate::tokens::SigningKey;
use crate::user_assertions::{UserTokenError, UserTokenWish};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Why the emulator could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No port on 127.0.0.1 could be had.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(std::io::Error),
    /// The run's certificate authority could not be made.
    #[error("cannot make the certificate authority: {0}")]
    Authority(String),
    /// A certificate or a token could not be written to the temporary folder.
    #[error("cannot write to a temporary folder: {0}")]
    Folder(std::io::Error),
    /// The key files of [`Host::AzureArc`] could not be written.
    #[error("{0}")]
    ArcKeys(String),
    /// The server that Blob is to be handed on to cannot be used.
    #[error("{0}")]
    Upstream(String),
    /// The system refused a thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// A running emulator. Dropping it stops it; [`Emulator::shutdown`] also waits until it has.
pub struct Emulator {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    folder: Option<TempDir>,
    /// The proxies, with the host whose metadata service is behind each.
    gateways: Vec<(Option<Host>, u16)>,
    no_imds: u16,
    control: u16,
    control_key: String,
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").field("gateways", &self.gateways).finish_non_exhaustive()
    }
}

impl Emulator {
    /// Starts a run on free ports of 127.0.0.1. It must be called within a tokio runtime, which then
    /// serves the run.
    ///
    /// # Errors
    /// When the configuration contradicts itself, or the machine gives no port, folder or thread.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        config.check().map_err(|problem| meaning(problem.message))?;
        let upstream = config.blob.as_ref().map(Upstream::new).transpose().map_err(StartError::Upstream)?;
        let key = make_key()?;
        run::prepare_key().map_err(StartError::Thread)?;
        let authority = Authority::new().map_err(|error| StartError::Authority(error.to_string()))?;
        let binding_name = environment::binding_server_name(&config);
        let certificates =
            EndpointCertificates::new(&binding_name).map_err(|error| StartError::Authority(error.to_string()))?;
        let folder = private_folder().map_err(StartError::Folder)?;
        for (name, pem) in
            [(AUTHORITY_FILE, authority.pem()), (BINDING_AUTHORITY_FILE, certificates.binding_authority())]
        {
            std::fs::write(folder.path().join(name), pem).map_err(StartError::Folder)?;
        }
        let endpoints = take_endpoints(&config)?;
        let state = State::new(config, folder.path(), endpoints.clone(), upstream, key)
            .map_err(|error| StartError::Config(meaning(error.to_string())))?;

        let (stop, stopped) = watch::channel(false);
        let mut run = Self {
            shared: Arc::new(Shared { state, authority, certificates }),
            stop,
            tasks: Vec::new(),
            folder: Some(folder),
            gateways: Vec::new(),
            no_imds: 0,
            control: 0,
            control_key: format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()),
        };
        for (host, port) in endpoints {
            run.open(port, Door::Endpoint(host), &stopped);
        }
        for inside in [None, Some(Host::VirtualMachine), Some(Host::ContainerInstance)] {
            let port = take_port(None)?;
            run.gateways.push((inside, port.number()));
            run.open(port, Door::Gateway(inside), &stopped);
        }
        let port = take_port(None)?;
        run.no_imds = port.number();
        run.open(port, Door::NoImds, &stopped);
        let port = take_port(None)?;
        run.control = port.number();
        run.tasks.push(tokio::spawn(renew_federated_token(run.shared.clone(), stopped.clone())));
        let lock = Lock { key: run.control_key.clone(), port: port.number() };
        run.open(port, Door::Control(Arc::new(lock)), &stopped);
        Ok(run)
    }

    fn open(&mut self, port: Arc<Port>, door: Door, stopped: &watch::Receiver<bool>) {
        self.tasks.push(tokio::spawn(gateway::serve(self.shared.clone(), port, door, stopped.clone())));
    }

    /// Makes ready, and checks, what a program on `host` will need of this machine: for [`Host::AzureArc`] that its
    /// key files can be written, for Kubernetes the service-account token. Without it, the first request meets what
    /// is wrong.
    ///
    /// # Errors
    /// When it cannot be had; the message says what to do.
    pub async fn prepare(&self, host: Host) -> Result<(), StartError> {
        let state = &self.shared.state;
        match host {
            Host::AzureArc => state.arc_keys.check().map_err(StartError::ArcKeys),
            Host::Kubernetes | Host::KubernetesIdentityBinding => {
                // Whoever can wait for the key without holding up a thread does.
                let _ = state.key().await;
                state.ensure_federated_token().map_err(StartError::Folder)
            }
            _ => Ok(()),
        }
    }

    /// The proxy of programs on a laptop, for clients that are told of it in code.
    #[must_use]
    pub fn gateway_url(&self) -> String {
        self.gateway_url_of(Host::Laptop)
    }

    /// The proxy of programs on `host`: hosts with a metadata service reach it through a proxy of their own.
    #[must_use]
    pub fn gateway_url_of(&self, host: Host) -> String {
        let inside = host.has_metadata_service().then_some(host);
        let port = self.gateways.iter().find(|(other, _)| *other == inside).map_or(0, |(_, port)| *port);
        format!("http://127.0.0.1:{port}")
    }

    /// The URL of the endpoint that `host` has of its own, as its variables have it: `IDENTITY_ENDPOINT`,
    /// `MSI_ENDPOINT`, `AZURE_POD_IDENTITY_AUTHORITY_HOST` or `AZURE_KUBERNETES_TOKEN_PROXY`. None for
    /// [`Host::Laptop`], [`Host::Kubernetes`] and those of pipelines.
    #[must_use]
    pub fn endpoint_of(&self, host: Host) -> Option<String> {
        self.shared.state.endpoint(host)
    }

    /// Base URL of the metadata service on its own port, as `AZURE_POD_IDENTITY_AUTHORITY_HOST` has it.
    #[must_use]
    pub fn imds_url(&self) -> String {
        self.endpoint_of(Host::VirtualMachine).unwrap_or_default()
    }

    /// URL of the App Service identity endpoint, as `IDENTITY_ENDPOINT` has it.
    #[must_use]
    pub fn identity_endpoint(&self) -> String {
        self.endpoint_of(Host::AppService).unwrap_or_default()
    }

    /// The file with the service-account token of a pod on `host`, as `AZURE_FEDERATED_TOKEN_FILE` has it. It is
    /// written by [`Emulator::prepare`] or [`Emulator::environment`] for one of the Kubernetes hosts.
    #[must_use]
    pub fn federated_token_file(&self, host: Host) -> PathBuf {
        self.shared.state.federated_token.file(host).to_path_buf()
    }

    /// Writes a new service-account token that expires in so many seconds; negative for one that has expired.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn rotate_federated_token(&self, expires_in: i64) -> std::io::Result<()> {
        self.shared.state.write_federated_token(&Wish::lasting(expires_in))
    }

    /// Base URL of the control endpoint.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.control)
    }

    /// The key of the control endpoint, sent in the header [`crate::KEY_HEADER`].
    #[must_use]
    pub fn control_key(&self) -> &str {
        &self.control_key
    }

    /// The certificate of the run's authority, PEM.
    #[must_use]
    pub fn authority_pem(&self) -> &str {
        self.shared.authority.pem()
    }

    /// A file with the certificate of the run's authority, in a folder only its owner may enter.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.in_folder(AUTHORITY_FILE)
    }

    pub(crate) fn state(&self) -> &State {
        &self.shared.state
    }

    fn in_folder(&self, name: &str) -> PathBuf {
        self.folder.as_ref().map(|folder| folder.path().join(name)).unwrap_or_default()
    }

    /// The variables to set for a program on `host`.
    #[must_use]
    pub fn environment(&self, host: Host) -> Vec<(String, String)> {
        let state = &self.shared.state;
        if matches!(host, Host::Kubernetes | Host::KubernetesIdentityBinding) {
            // A program that finds no token says so; nobody could here.
            let _ = state.ensure_federated_token();
        }
        // A program that finds no certificate says so; nobody could here.
        let _ = state.ensure_certificate();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let certificate = state.certificate_files();
        let certificate = [&certificate.pem, &certificate.encrypted_pem, &certificate.pfx].map(|file| text(file));
        environment::variables(
            host,
            &state.directory,
            &Endpoints {
                gateway: &self.gateway_url_of(host),
                endpoint: &state.endpoint(host).unwrap_or_default(),
                no_imds: &format!("http://127.0.0.1:{}", self.no_imds),
                secret: &state.identity_header.current(),
                thumbprint: self.shared.certificates.thumbprint(),
                federated_token_file: &text(state.federated_token.file(host)),
                binding_authority_file: &text(&self.in_folder(BINDING_AUTHORITY_FILE)),
                authority_file: &text(&self.authority_file()),
                runner_tokens: &state.runner_tokens,
                certificate: certificate.each_ref().map(String::as_str),
                control: &self.control_url(),
                control_key: &self.control_key,
            },
        )
    }

    /// The names of inherited variables to remove before [`Emulator::environment`] is set.
    #[must_use]
    pub fn cleared_environment(&self) -> &'static [&'static str] {
        &environment::CLEARED
    }

    /// The journal of the run.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.shared.state.journal.clone()
    }

    /// The fault rules of the run.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.shared.state.faults.clone()
    }

    /// Assigns a built-in role, by name or id, to the principal with an object id, at a scope.
    ///
    /// # Errors
    /// When the principal or the role does not exist, or the scope is not a resource id.
    pub fn assign_role(&self, principal_id: &str, role: &str, scope: &str) -> Result<(), AssignError> {
        role_changes::assign(&self.shared.state, principal_id, role, scope)
    }

    /// Takes a role away again; whether it had been assigned at exactly this scope.
    ///
    /// # Errors
    /// As [`Emulator::assign_role`].
    pub fn unassign_role(&self, principal_id: &str, role: &str, scope: &str) -> Result<bool, AssignError> {
        role_changes::unassign(&self.shared.state, principal_id, role, scope)
    }

    /// The certificate that is made for the run, and its key: it signs the built-in apps
    /// [`orders-ci` and `orders-api`](crate::world::CERTIFICATE_APPS) in. The files are written by the first call of
    /// this or of [`Emulator::environment`], which may wait for the key, and are named by
    /// `ENTRADA_EMULATOR_CERTIFICATE`, `ENTRADA_EMULATOR_CERTIFICATE_ENCRYPTED` and
    /// `ENTRADA_EMULATOR_CERTIFICATE_PFX`; their password is [`CERTIFICATE_PASSWORD`](crate::world::CERTIFICATE_PASSWORD).
    ///
    /// # Errors
    /// When the key cannot be made, or the files cannot be written.
    pub fn certificate(&self) -> std::io::Result<CertificateFiles> {
        self.shared.state.ensure_certificate().cloned()
    }

    /// Registers the certificates of a PEM text for an app; a key that is with them is not looked at. Those the app
    /// has stay.
    ///
    /// # Errors
    /// When there is no such app, or no certificate in the text.
    pub fn register_certificate(&self, client_id: &str, pem: &str) -> Result<(), CertificateError> {
        self.shared.state.register_certificate(client_id, pem)
    }

    /// Makes a token of an issuer that the run signs for: what a job of GitHub Actions or Azure Pipelines would get, or
    /// anything else that an app may be shown in place of a secret. It may wait for the signing key.
    ///
    /// # Errors
    /// When the run does not sign for the issuer.
    pub fn issue_assertion(&self, wish: &AssertionWish) -> Result<String, AssertionError> {
        self.shared.state.issue_assertion(wish)
    }

    /// Makes a user's access token, as an API is shown by its callers, without anybody signing in: for tests and
    /// benchmarks of what is done on behalf of users. It may wait for the signing key.
    ///
    /// # Errors
    /// When there is no such user, app or resource.
    pub fn issue_user_token(&self, wish: &UserTokenWish) -> Result<String, UserTokenError> {
        self.shared.state.issue_user_token(wish)
    }

    /// Sets what resource servers demand of tokens beyond that they are good, in the place of what they demanded so far;
    /// an empty list ends it.
    ///
    /// # Errors
    /// When a challenge makes no sense; the message says why.
    pub fn set_challenges(&self, challenges: Vec<Challenge>) -> Result<(), String> {
        self.shared.state.challenges.replace(challenges)
    }

    /// Makes a new value of `IDENTITY_HEADER`, and of `MSI_SECRET`, and gives it. [`Emulator::environment`] hands it to programs
    /// started from now on; the values of those started earlier stay good.
    pub fn rotate_identity_header(&self) -> String {
        self.shared.state.identity_header.rotate()
    }

    /// Stops the run and waits until its ports are closed and its folder is removed.
    pub async fn shutdown(mut self) {
        self.end();
        for task in std::mem::take(&mut self.tasks) {
            let _ = task.await;
        }
    }

    fn end(&mut self) {
        let _ = self.stop.send(true);
        self.shared.state.journal.close();
        self.shared.state.arc_keys.remove();
        self.folder = None;
    }
}

fn meaning(message: String) -> ConfigError {
    ConfigError::Meaning { place: String::new(), line: None, message }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.end();
    }
}

const AUTHORITY_FILE: &str = "authority.pem";

/// The authority of the certificate that the token proxy of an identity binding shows.
const BINDING_AUTHORITY_FILE: &str = "binding-authority.pem";

/// Looks now and then whether the service-account token is old enough to be written again.
async fn renew_federated_token(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let state = &shared.state;
    let Some(key) = state.key().await else { return };
    while tokio::time::timeout(Duration::from_secs(60), stop.wait_for(|stop| *stop)).await.is_err() {
        // What cannot be written now is tried again.
        let _ = state.federated_token.renew(&key, &state.directory.config.kubernetes, Instant::now());
    }
}

fn take_port(opens: Option<Instant>) -> Result<Arc<Port>, StartError> {
    Port::take(opens).map(Arc::new).map_err(StartError::Listen)
}

/// Takes a port for every host that has an endpoint of its own.
fn take_endpoints(config: &Config) -> Result<Vec<(Host, Arc<Port>)>, StartError> {
    let container = Instant::now().checked_add(Duration::from_millis(config.limits.container_start_ms));
    Host::ALL
        .into_iter()
        .filter(|host| host.service().is_some())
        .map(|host| {
            let opens = container.filter(|_| host == Host::ContainerInstance && config.limits.container_start_ms > 0);
            Ok((host, take_port(opens)?))
        })
        .collect()
}

/// A temporary folder that only its owner may enter (mode 0700): nobody else can put a certificate there.
fn private_folder() -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("entrada-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir()
}

/// Starts making the signing key on a thread of its own, so that a run is ready before its key is.
fn make_key() -> Result<watch::Receiver<Option<Arc<SigningKey>>>, StartError> {
    let (sender, receiver) = watch::channel(None);
    std::thread::Builder::new()
        .name("entrada-key".into())
        .spawn(move || {
            // On failure the sender is dropped, and those who wait for the key see that there is none.
            if let Ok(key) = SigningKey::generate() {
                let _ = sender.send(Some(Arc::new(key)));
            }
        })
        .map_err(StartError::Thread)?;
    Ok(receiver)
}
