//! Everything the services of one run share.

use crate::assertions_seen::AssertionsSeen;
use crate::blob::store::Blobs;
use crate::blob::upstream::Upstream;
use crate::certificates::run::{CertificateFiles, RunCertificate};
use crate::certificates::{self, AppCertificates, CertificateError};
use crate::challenges::{Challenges, Demand, takes_challenges};
use crate::config::Config;
use crate::directory::Directory;
use crate::entra::sign_ins::SignIns;
use crate::faults::Faults;
use crate::federated_token::{FederatedToken, Wish};
use crate::host::Host;
use crate::host_identities::HostIdentities;
use crate::identity_header::IdentityHeader;
use crate::issuers::{AssertionError, AssertionWish, Issuers};
use crate::journal::{Journal, Service};
use crate::key_vault::store::Vaults;
use crate::managed_identity::arc_keys::ArcKeys;
use crate::managed_identity::throttle::Throttle;
use crate::port::Port;
use crate::rbac::{Assignments, roles};
use crate::resource_manager::groups::Groups;
use crate::tokens::{Caller, SigningKey};
use crate::world::{CERTIFICATE_APPS, CERTIFICATE_PASSWORD};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The state of a run.
pub(crate) struct State {
    pub(crate) directory: Directory,
    pub(crate) assignments: Assignments,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) sign_ins: SignIns,
    pub(crate) host_identities: HostIdentities,
    pub(crate) identity_header: IdentityHeader,
    pub(crate) vaults: Vaults,
    pub(crate) blobs: Blobs,
    pub(crate) groups: Groups,
    pub(crate) arc_keys: ArcKeys,
    pub(crate) throttle: Throttle,
    pub(crate) federated_token: FederatedToken,
    pub(crate) certificates: AppCertificates,
    pub(crate) assertions_seen: AssertionsSeen,
    pub(crate) issuers: Issuers,
    pub(crate) challenges: Challenges,
    pub(crate) runner_tokens: RunnerTokens,
    run_certificate: RunCertificate,
    /// The ports of the endpoints that hosts have of their own.
    pub(crate) endpoints: Vec<(Host, Arc<Port>)>,
    /// Where Blob is handed on to, if anywhere.
    pub(crate) upstream: Option<Upstream>,
    key: watch::Receiver<Option<Arc<SigningKey>>>,
}

/// What jobs show to the services that issue their tokens: made for the run.
pub(crate) struct RunnerTokens {
    /// The value of `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub(crate) github: String,
    /// The value of `SYSTEM_ACCESSTOKEN`.
    pub(crate) pipelines: String,
}

impl RunnerTokens {
    fn new() -> Self {
        let random = || format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        Self { github: random(), pipelines: random() }
    }
}

impl State {
    /// Builds the state of a checked configuration. The signing key is announced through `key`; `folder` is that of
    /// the run.
    pub(crate) fn new(
        config: Config,
        folder: &Path,
        endpoints: Vec<(Host, Arc<Port>)>,
        upstream: Option<Upstream>,
        key: watch::Receiver<Option<Arc<SigningKey>>>,
    ) -> io::Result<Self> {
        // The configuration has been checked; files that have gone since are found here.
        let issuers = Issuers::load(&config).map_err(io::Error::other)?;
        let certificates = AppCertificates::load(&config).map_err(io::Error::other)?;
        let challenges = Challenges::default();
        challenges.replace(config.challenges.clone()).map_err(io::Error::other)?;
        let assignments = Assignments::default();
        for entry in &config.role_assignments {
            if let Some(role) = roles::find(&entry.role) {
                assignments.add(&entry.principal, role, &entry.scope, None);
            }
        }
        let ports = endpoints.iter().filter_map(|(host, port)| Some((host.service()?, port.clone())));
        let faults = Faults::over(ports.collect());
        // The configuration has been checked: a rule that is not valid cannot be in it.
        let _ = faults.replace(config.faults.clone());
        Ok(Self {
            sign_ins: SignIns::new(&config),
            arc_keys: ArcKeys::new(config.arc_key_folder.clone()),
            throttle: Throttle::new(&config.limits),
            federated_token: FederatedToken::new(folder),
            certificates,
            assertions_seen: AssertionsSeen::default(),
            issuers,
            challenges,
            runner_tokens: RunnerTokens::new(),
            run_certificate: RunCertificate::new(folder),
            vaults: Vaults::new(&config.vaults),
            blobs: Blobs::new(&config.storage_accounts),
            groups: Groups::new(&config.subscriptions),
            host_identities: HostIdentities::new(&config),
            directory: Directory::new(config),
            assignments,
            journal: Journal::default(),
            faults,
            identity_header: IdentityHeader::default(),
            endpoints,
            upstream,
            key,
        })
    }

    /// What a service demands of a token that has been found good, if it lacks something.
    pub(crate) fn demand(&self, service: Service, caller: &Caller) -> Option<Demand> {
        let takes_challenges = takes_challenges(&caller.claims);
        // A token that cannot be challenged for lives short instead, and is good until it ends, as Entra has it.
        let revoked = takes_challenges.then(|| self.revoked_since(&caller.claims)).flatten();
        revoked.map(|since| Demand::issued_since(since, true)).or_else(|| self.challenges.demand(service, caller))
    }

    /// The signing key, for those who cannot await it.
    pub(crate) fn signing_key(&self) -> Option<Arc<SigningKey>> {
        self.wait_for_key()
    }

    /// The port of the endpoint that a host has of its own.
    pub(crate) fn port(&self, host: Host) -> Option<&Port> {
        self.endpoints.iter().find(|(other, _)| *other == host).map(|(_, port)| &**port)
    }

    /// Whether connections to a host's endpoint are refused.
    pub(crate) fn is_shut(&self, host: Host) -> bool {
        self.port(host).is_some_and(Port::is_shut)
    }

    /// The URL of a host's endpoint, as its variables have it.
    pub(crate) fn endpoint(&self, host: Host) -> Option<String> {
        host.endpoint(self.port(host)?.number())
    }

    /// Writes a service-account token in the place of the one there is.
    pub(crate) fn write_federated_token(&self, wish: &Wish) -> io::Result<()> {
        let key = self.wait_for_key().ok_or_else(no_key)?;
        self.federated_token.write(&key, &self.directory.config.kubernetes, wish)
    }

    /// Writes the first service-account token, unless there was one.
    pub(crate) fn ensure_federated_token(&self) -> io::Result<()> {
        let key = self.wait_for_key().ok_or_else(no_key)?;
        self.federated_token.ensure(&key, &self.directory.config.kubernetes)
    }

    /// Makes the certificate of the run, unless it is there, and gives the files it is in.
    pub(crate) fn ensure_certificate(&self) -> io::Result<&CertificateFiles> {
        let apps: Vec<&str> =
            CERTIFICATE_APPS.into_iter().filter(|client_id| self.directory.app(client_id).is_some()).collect();
        if !apps.is_empty() {
            self.run_certificate.ensure(&self.certificates, &apps, CERTIFICATE_PASSWORD)?;
        }
        Ok(self.run_certificate.files())
    }

    /// The files of the run's certificate, whether it is made or not.
    pub(crate) fn certificate_files(&self) -> &CertificateFiles {
        self.run_certificate.files()
    }

    /// Registers the certificates of a PEM text for an app.
    pub(crate) fn register_certificate(&self, client_id: &str, pem: &str) -> Result<(), CertificateError> {
        self.app_to_certify(client_id)?;
        let found = certificates::from_pem(pem).map_err(CertificateError::Pem)?;
        for certificate in found {
            self.certificates.add(client_id, certificate);
        }
        Ok(())
    }

    /// Removes every certificate of an app; whether it had one.
    pub(crate) fn remove_certificates(&self, client_id: &str) -> Result<bool, CertificateError> {
        self.app_to_certify(client_id)?;
        Ok(self.certificates.clear(client_id))
    }

    fn app_to_certify(&self, client_id: &str) -> Result<(), CertificateError> {
        let unknown = || CertificateError::UnknownApp { client_id: client_id.to_owned() };
        self.directory.app(client_id).map(|_| ()).ok_or_else(unknown)
    }

    /// Makes a token of an issuer that the run signs for.
    pub(crate) fn issue_assertion(&self, wish: &AssertionWish) -> Result<String, AssertionError> {
        let key = self.wait_for_key().ok_or(AssertionError::NotSigned)?;
        wish.sign(&self.issuers, &key)
    }

    /// The signing key, for those who cannot await it: it is a moment away at most.
    fn wait_for_key(&self) -> Option<Arc<SigningKey>> {
        loop {
            if let Some(key) = self.key.borrow().clone() {
                return Some(key);
            }
            // An error means that the maker has gone without making one.
            self.key.has_changed().ok()?;
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The signing key, as soon as there is one; none when it could not be made.
    pub(crate) async fn key(&self) -> Option<Arc<SigningKey>> {
        let mut key = self.key.clone();
        let ready = key.wait_for(Option::is_some).await.ok()?;
        ready.clone()
    }
}

fn no_key() -> io::Error {
    io::Error::other("there is no key to sign it with")
}
