//! Starting, asking and stopping a run.

use crate::authority::Authority;
use crate::blob::upstream::Upstream;
use crate::config::{Config, ConfigError};
use crate::control::Lock;
use crate::environment::{self, Endpoints, Host};
use crate::faults::Faults;
use crate::gateway::{self, Door, Shared};
use crate::journal::Journal;
use crate::rbac::AssignError;
use crate::state::State;
use crate::tokens::SigningKey;
use crate::{app_service, role_changes};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

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
    /// The authority's certificate could not be written to the temporary folder.
    #[error("cannot write the authority's certificate to a temporary folder: {0}")]
    Folder(std::io::Error),
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
    gateways: [(Host, u16); 3],
    imds: u16,
    no_imds: u16,
    identity: u16,
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
        config.check().map_err(|problem| ConfigError::Meaning {
            place: String::new(),
            line: None,
            message: problem.message,
        })?;
        let upstream = config.blob.as_ref().map(Upstream::new).transpose().map_err(StartError::Upstream)?;
        let key = make_key()?;
        let authority = Authority::new().map_err(|error| StartError::Authority(error.to_string()))?;
        let folder = private_folder().map_err(StartError::Folder)?;
        std::fs::write(folder.path().join(AUTHORITY_FILE), authority.pem()).map_err(StartError::Folder)?;

        let (stop, stopped) = watch::channel(false);
        let mut run = Self {
            shared: Arc::new(Shared { state: State::new(config, upstream, key), authority }),
            stop,
            tasks: Vec::new(),
            folder: Some(folder),
            gateways: Host::ALL.map(|host| (host, 0)),
            imds: 0,
            no_imds: 0,
            identity: 0,
            control: 0,
            control_key: format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()),
        };
        for index in 0..run.gateways.len() {
            let host = run.gateways[index].0;
            run.gateways[index].1 = run.open(|_, _| Door::Gateway(host), &stopped).await?;
        }
        run.imds = run.open(|_, _| Door::Imds, &stopped).await?;
        run.no_imds = run.open(|_, _| Door::NoImds, &stopped).await?;
        run.identity = run.open(|_, _| Door::AppService, &stopped).await?;
        run.control = run
            .open(|run, port| Door::Control(Arc::new(Lock { key: run.control_key.clone(), port })), &stopped)
            .await?;
        Ok(run)
    }

    async fn open(
        &mut self,
        door: impl Fn(&Self, u16) -> Door,
        stopped: &watch::Receiver<bool>,
    ) -> Result<u16, StartError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(StartError::Listen)?;
        let port = listener.local_addr().map_err(StartError::Listen)?.port();
        let door = door(self, port);
        self.tasks.push(tokio::spawn(gateway::serve(self.shared.clone(), listener, door, stopped.clone())));
        Ok(port)
    }

    /// The proxy of programs on a laptop, for clients that are told of it in code.
    #[must_use]
    pub fn gateway_url(&self) -> String {
        self.gateway_url_of(Host::Laptop)
    }

    /// The proxy of programs on `host`: each host has its own, because only a virtual machine reaches
    /// the metadata service through it.
    #[must_use]
    pub fn gateway_url_of(&self, host: Host) -> String {
        let port = self.gateways.iter().find(|(other, _)| *other == host).map_or(0, |(_, port)| *port);
        format!("http://127.0.0.1:{port}")
    }

    /// Base URL of the metadata service on its own port, as `AZURE_POD_IDENTITY_AUTHORITY_HOST` has it.
    #[must_use]
    pub fn imds_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.imds)
    }

    /// URL of the App Service identity endpoint, as `IDENTITY_ENDPOINT` has it.
    #[must_use]
    pub fn identity_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.identity, app_service::PATH)
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
        self.folder.as_ref().map(|folder| folder.path().join(AUTHORITY_FILE)).unwrap_or_default()
    }

    /// The variables to set for a program on `host`.
    #[must_use]
    pub fn environment(&self, host: Host) -> Vec<(String, String)> {
        environment::variables(
            host,
            &self.shared.state.directory,
            &Endpoints {
                gateway: &self.gateway_url_of(host),
                imds: &self.imds_url(),
                no_imds: &format!("http://127.0.0.1:{}", self.no_imds),
                identity: &self.identity_endpoint(),
                identity_header: &self.shared.state.identity_header.current(),
                authority_file: &self.authority_file().to_string_lossy(),
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

    /// Makes a new value of `IDENTITY_HEADER` and gives it. [`Emulator::environment`] hands it to programs
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
        self.folder = None;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.end();
    }
}

const AUTHORITY_FILE: &str = "authority.pem";

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
