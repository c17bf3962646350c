//! The credential that a case is about, on the machine that it describes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use entrada::platform::{Clock, FileError, FileStamp, Files, Platform, SystemClock, SystemFiles};
use entrada::{
    AzureCliCredential, AzureCliCredentialOptions, Cache, CacheLimits, ClientSecretCredential,
    ClientSecretCredentialOptions, Credential, DefaultAzureCredential, DefaultAzureCredentialOptions, EntraOptions,
    EnvironmentCredential, EnvironmentCredentialOptions, Error, ExpectedIdentity, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use entrada_emulator::Emulator;
use futures::future::BoxFuture;
use zeroize::Zeroizing;

use super::case::Case;

/// Makes the credential, with a cache of its own.
pub(crate) fn make(
    case: &Case,
    emulator: &Emulator,
    folder: &Path,
    clock: &Hurried,
) -> Result<Arc<dyn Credential>, Error> {
    let mut variables: HashMap<String, String> = emulator.environment(case.host).into_iter().collect();
    for (name, value) in &case.environment {
        variables.insert(name.clone(), value.replace("${case}", &folder.to_string_lossy()));
    }
    let clock: Arc<dyn Clock> = if case.real_time { Arc::new(SystemClock) } else { Arc::new(clock.clone()) };
    let files = Arc::new(ArcFolder(folder.join("arc")));
    let platform = Some(Platform::with_environment(Arc::new(variables)).with_clock(clock).with_files(files));
    let cache = Some(Cache::new(CacheLimits::default()));
    let options = &case.options;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Ok(match case.credential.as_str() {
        "ClientSecretCredential" => ClientSecretCredential::new(
            &text(&options.tenant_id),
            text(&options.client_id),
            text(&options.client_secret).into(),
            Some(ClientSecretCredentialOptions {
                entra: EntraOptions { authority: options.authority.clone(), cache, platform, ..Default::default() },
            }),
        )?,
        "ManagedIdentityCredential" => {
            let ids = [
                options.client_id.clone().map(UserAssignedId::ClientId),
                options.object_id.clone().map(UserAssignedId::ObjectId),
                options.resource_id.clone().map(UserAssignedId::ResourceId),
            ];
            ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                user_assigned_id: ids.into_iter().flatten().next(),
                timeout: options.timeout.map(Duration::from_secs_f64),
                expected: ExpectedIdentity {
                    tenant_id: options.expected_tenant_id.clone(),
                    client_id: options.expected_client_id.clone(),
                    object_id: options.expected_object_id.clone(),
                },
                cache,
                platform,
                ..Default::default()
            }))?
        }
        "EnvironmentCredential" => EnvironmentCredential::new(Some(EnvironmentCredentialOptions {
            entra: EntraOptions { cache, platform, ..Default::default() },
        }))?,
        "AzureCliCredential" => AzureCliCredential::new(Some(AzureCliCredentialOptions {
            tenant_id: options.tenant_id.clone(),
            process_timeout: options.process_timeout.map(Duration::from_secs),
            cache,
            platform,
            ..Default::default()
        }))?,
        "WorkloadIdentityCredential" => WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
            tenant_id: options.tenant_id.clone(),
            client_id: options.client_id.clone(),
            entra: EntraOptions { cache, platform, ..Default::default() },
            ..Default::default()
        }))?,
        "DefaultAzureCredential" => {
            DefaultAzureCredential::new(Some(DefaultAzureCredentialOptions { cache, platform, ..Default::default() }))?
        }
        other => unreachable!("no case is about {other}"),
    })
}

/// The real time, but pauses between attempts are not made: time jumps over them.
#[derive(Clone, Default)]
pub(crate) struct Hurried(Arc<Mutex<Duration>>);

impl Hurried {
    /// How long all pauses were together.
    pub(crate) fn skipped(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for Hurried {
    fn elapsed(&self) -> Duration {
        SystemClock.elapsed() + self.skipped()
    }

    fn unix_time(&self) -> i64 {
        SystemClock.unix_time()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += duration;
        Box::pin(tokio::task::yield_now())
    }
}

/// The files of this machine, but the folder of Azure Arc's keys is elsewhere: to write into the real one takes root.
struct ArcFolder(PathBuf);

impl ArcFolder {
    fn place(&self, path: &Path) -> PathBuf {
        match path.strip_prefix("/var/opt/azcmagent/tokens") {
            Ok(rest) => self.0.join(rest),
            Err(_) => path.to_owned(),
        }
    }
}

impl Files for ArcFolder {
    fn stamp(&self, path: &Path) -> Option<FileStamp> {
        SystemFiles.stamp(&self.place(path))
    }

    fn is_program(&self, path: &Path) -> bool {
        SystemFiles.is_program(path)
    }

    fn real_path(&self, path: &Path) -> Result<PathBuf, FileError> {
        SystemFiles.real_path(&self.place(path))
    }

    fn read(&self, path: &Path, at_most: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
        SystemFiles.read(path, at_most)
    }
}
