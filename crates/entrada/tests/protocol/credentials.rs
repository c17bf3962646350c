//! The credential that a case is about, on the machine that it describes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use entrada::platform::{Clock, Platform, SystemClock};
use entrada::{
    AzureCliCredential, AzureCliCredentialOptions, Cache, CacheLimits, ClientSecretCredential,
    ClientSecretCredentialOptions, Credential, DefaultAzureCredential, DefaultAzureCredentialOptions,
    EnvironmentCredential, EnvironmentCredentialOptions, Error, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId,
};
use entrada_emulator::Emulator;
use futures::future::BoxFuture;

use super::case::Case;

/// Makes the credential, with a cache of its own.
pub(crate) fn make(case: &Case, emulator: &Emulator, folder: &Path) -> Result<Arc<dyn Credential>, Error> {
    let mut variables: HashMap<String, String> = emulator.environment(case.host).into_iter().collect();
    for (name, value) in &case.environment {
        variables.insert(name.clone(), value.replace("${case}", &folder.to_string_lossy()));
    }
    let platform = Some(Platform::with_environment(Arc::new(variables)).with_clock(Arc::new(Hurried)));
    let cache = Some(Cache::new(CacheLimits::default()));
    let options = &case.options;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Ok(match case.credential.as_str() {
        "ClientSecretCredential" => ClientSecretCredential::new(
            &text(&options.tenant_id),
            text(&options.client_id),
            text(&options.client_secret).into(),
            Some(ClientSecretCredentialOptions {
                authority: options.authority.clone(),
                cache,
                platform,
                ..Default::default()
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
                cache,
                platform,
                ..Default::default()
            }))?
        }
        "EnvironmentCredential" => {
            EnvironmentCredential::new(Some(EnvironmentCredentialOptions { cache, platform, ..Default::default() }))?
        }
        "AzureCliCredential" => AzureCliCredential::new(Some(AzureCliCredentialOptions {
            tenant_id: options.tenant_id.clone(),
            process_timeout: options.process_timeout.map(Duration::from_secs),
            cache,
            platform,
            ..Default::default()
        }))?,
        "DefaultAzureCredential" => {
            DefaultAzureCredential::new(Some(DefaultAzureCredentialOptions { cache, platform, ..Default::default() }))?
        }
        other => unreachable!("no case is about {other}"),
    })
}

/// The real time, but pauses between attempts are not made.
struct Hurried;

impl Clock for Hurried {
    fn elapsed(&self) -> Duration {
        SystemClock.elapsed()
    }

    fn unix_time(&self) -> i64 {
        SystemClock.unix_time()
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }
}
