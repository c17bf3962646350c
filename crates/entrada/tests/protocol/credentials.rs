//! The credential that a case is about, on the machine that it describes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{Secret, SecretBytes};
use entrada::platform::{
    Clock, FileError, FileStamp, Files, Platform, ProcessError, ProcessOutput, ProcessRequest, Processes, SystemClock,
    SystemFiles, SystemProcesses,
};
use entrada::{
    AssertionError, AssertionRequest, AuthorizationCodeCredential, AuthorizationCodeCredentialOptions,
    AzureCliCredential, AzureCliCredentialOptions, AzurePipelinesCredential, AzurePipelinesCredentialOptions, Cache,
    CacheLimits, ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientCertificateCredential, ClientCertificateCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, CommandAssertion, CommandCredential, CommandCredentialOptions, Credential,
    DefaultAzureCredential, DefaultAzureCredentialOptions, DeviceCodeCredential, DeviceCodeCredentialOptions,
    EntraOptions, EnvironmentAssertion, EnvironmentCredential, EnvironmentCredentialOptions, Error, ExpectedIdentity,
    FileAssertion, GitHubActionsCredential, GitHubActionsCredentialOptions, InteractiveBrowserCredential,
    InteractiveBrowserCredentialOptions, ManagedIdentityAssertion, ManagedIdentityAssertionOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, OnBehalfOfCredential, OnBehalfOfCredentialOptions,
    PromptCallback, StaticTokenCredential, StaticTokenCredentialOptions, TokenFileCredential,
    TokenFileCredentialOptions, TokenRequest, UserAssignedId, UsernamePasswordCredential,
    UsernamePasswordCredentialOptions, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use entrada_emulator::Emulator;
use futures::future::BoxFuture;
use zeroize::Zeroizing;

use super::case::{Assertions, Case, Options};

/// What the credential is asked.
pub(crate) fn request(case: &Case) -> TokenRequest {
    let mut request = TokenRequest::new(case.scopes.clone());
    request.tenant_id.clone_from(&case.request.tenant_id);
    request.claims.clone_from(&case.request.claims);
    request.enable_cae = case.request.enable_cae;
    request
}

/// Makes the credential, with a cache of its own.
pub(crate) fn make(
    case: &Case,
    emulator: &Emulator,
    folder: &Path,
    clock: &Hurried,
) -> Result<Arc<dyn Credential>, Error> {
    let mut variables: HashMap<String, String> = emulator.environment(case.host).into_iter().collect();
    if case.sign_in_as.is_some() {
        // Any program; a browser without a person is opened in its place.
        variables.insert("BROWSER".into(), "/bin/sh".into());
    }
    variables.extend(case.environment.clone());
    let clock: Arc<dyn Clock> = if case.real_time { Arc::new(SystemClock) } else { Arc::new(clock.clone()) };
    let files = Arc::new(ArcFolder(folder.join("arc")));
    let browser = Browser { gateway: emulator.gateway_url(), authority: emulator.authority_pem().to_owned() };
    let platform = Platform::with_environment(Arc::new(variables)).with_clock(clock).with_files(files);
    let platform = platform.with_processes(Arc::new(browser));
    let options = &case.options;
    let entra = EntraOptions {
        authority: options.authority.clone(),
        disable_instance_discovery: options.disable_instance_discovery,
        additionally_allowed_tenants: options.additionally_allowed_tenants.clone(),
        cache: Some(Cache::new(CacheLimits::default())),
        platform: Some(platform),
        ..Default::default()
    };
    match case.credential.as_str() {
        "ClientSecretCredential" | "CertificateCredential" | "ClientAssertionCredential" => of_app(case, entra),
        "OnBehalfOfCredential" => on_behalf_of(options, entra),
        "AuthorizationCodeCredential" => authorization_code(options, entra),
        "UsernamePasswordCredential" | "DeviceCodeCredential" | "InteractiveBrowserCredential" => of_user(case, entra),
        "StaticTokenCredential" | "TokenFileCredential" | "CommandCredential" => given(case, entra),
        _ => of_place(case, entra),
    }
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn secret(value: Option<&String>) -> Secret {
    text(value).into()
}

fn bytes(value: &str) -> SecretBytes {
    SecretBytes::new(value.as_bytes().to_vec())
}

/// An app that signs in by itself.
fn of_app(case: &Case, entra: EntraOptions) -> Result<Arc<dyn Credential>, Error> {
    let options = &case.options;
    let (tenant_id, client_id) = (text(options.tenant_id.as_ref()), text(options.client_id.as_ref()));
    if case.credential == "ClientSecretCredential" {
        let secret = secret(options.client_secret.as_ref());
        let options = ClientSecretCredentialOptions { entra };
        return Ok(ClientSecretCredential::new(&tenant_id, client_id, secret, Some(options))?);
    }
    if let Some(func) = &options.func {
        let source = Source::of(func, &entra)?;
        let options = ClientAssertionCredentialOptions { entra };
        return Ok(ClientAssertionCredential::new(&tenant_id, client_id, source, Some(options))?);
    }
    let how = ClientCertificateCredentialOptions {
        entra,
        password: options.password.clone().map(Secret::new),
        send_certificate_chain: options.send_certificate_chain,
        algorithm: options.algorithm.as_deref().map(str::parse).transpose()?,
    };
    Ok(match &options.certificate_path {
        Some(path) => ClientCertificateCredential::from_path(&tenant_id, client_id, path, Some(how))?,
        None => {
            let certificate = bytes(&text(options.certificate_data.as_ref()));
            ClientCertificateCredential::new(&tenant_id, client_id, certificate, Some(how))?
        }
    })
}

fn on_behalf_of(options: &Options, entra: EntraOptions) -> Result<Arc<dyn Credential>, Error> {
    let (tenant_id, client_id) = (text(options.tenant_id.as_ref()), text(options.client_id.as_ref()));
    let source = options.func.as_ref().map(|func| Source::of(func, &entra)).transpose()?;
    let how = OnBehalfOfCredentialOptions {
        user_assertion: options.user_assertion.clone().map(Secret::new),
        password: options.password.clone().map(Secret::new),
        entra,
        ..Default::default()
    };
    Ok(match (source, &options.client_certificate) {
        (Some(source), _) => OnBehalfOfCredential::with_assertion(&tenant_id, client_id, source, Some(how))?,
        (None, Some(certificate)) => {
            OnBehalfOfCredential::with_certificate(&tenant_id, client_id, bytes(certificate), Some(how))?
        }
        (None, None) => {
            let secret = secret(options.client_secret.as_ref());
            OnBehalfOfCredential::with_secret(&tenant_id, client_id, secret, Some(how))?
        }
    })
}

fn authorization_code(options: &Options, entra: EntraOptions) -> Result<Arc<dyn Credential>, Error> {
    let (tenant_id, client_id) = (text(options.tenant_id.as_ref()), text(options.client_id.as_ref()));
    let (code, redirect_uri) = (secret(options.authorization_code.as_ref()), text(options.redirect_uri.as_ref()));
    let how = AuthorizationCodeCredentialOptions {
        client_secret: options.client_secret.clone().map(Secret::new),
        certificate_password: options.password.clone().map(Secret::new),
        code_verifier: options.code_verifier.clone().map(Secret::new),
        entra,
        ..Default::default()
    };
    Ok(match &options.client_certificate {
        Some(certificate) => AuthorizationCodeCredential::with_certificate(
            &tenant_id,
            client_id,
            code,
            &redirect_uri,
            bytes(certificate),
            Some(how),
        )?,
        None => AuthorizationCodeCredential::new(&tenant_id, client_id, code, &redirect_uri, Some(how))?,
    })
}

/// A person who signs in.
fn of_user(case: &Case, entra: EntraOptions) -> Result<Arc<dyn Credential>, Error> {
    let options = &case.options;
    let (tenant_id, client_id) = (options.tenant_id.clone(), options.client_id.clone());
    let timeout = options.timeout.map(Duration::from_secs_f64);
    let disable_automatic_authentication = options.disable_automatic_authentication;
    Ok(match case.credential.as_str() {
        "UsernamePasswordCredential" => UsernamePasswordCredential::new(
            client_id.unwrap_or_default(),
            &text(options.username.as_ref()),
            secret(options.password.as_ref()),
            Some(UsernamePasswordCredentialOptions { tenant_id, entra }),
        )?,
        "DeviceCodeCredential" => DeviceCodeCredential::new(Some(DeviceCodeCredentialOptions {
            tenant_id,
            client_id,
            prompt_callback: Some(PromptCallback::from_async(|_| std::future::ready(Ok::<(), Error>(())))),
            timeout,
            disable_automatic_authentication,
            entra,
            ..Default::default()
        }))?,
        _ => InteractiveBrowserCredential::new(Some(InteractiveBrowserCredentialOptions {
            tenant_id,
            client_id,
            redirect_uri: options.redirect_uri.clone(),
            login_hint: options.login_hint.clone(),
            prompt: options.prompt.clone(),
            timeout,
            disable_automatic_authentication,
            entra,
            ..Default::default()
        }))?,
    })
}

/// A token that somebody else got.
fn given(case: &Case, entra: EntraOptions) -> Result<Arc<dyn Credential>, Error> {
    let options = &case.options;
    let EntraOptions { cache, platform, .. } = entra;
    Ok(match case.credential.as_str() {
        "StaticTokenCredential" => {
            let how = StaticTokenCredentialOptions { expires_on: options.expires_on, platform };
            StaticTokenCredential::new(secret(options.token.as_ref()), Some(how))?
        }
        "TokenFileCredential" => {
            let how = TokenFileCredentialOptions { cache, platform };
            TokenFileCredential::new(text(options.path.as_ref()), Some(how))?
        }
        _ => {
            let timeout = options.timeout.map(Duration::from_secs_f64);
            let how = CommandCredentialOptions { tenant_id: options.tenant_id.clone(), timeout, cache, platform };
            CommandCredential::new(&options.command, Some(how))?
        }
    })
}

/// Whoever the place, its environment or its programs say.
fn of_place(case: &Case, entra: EntraOptions) -> Result<Arc<dyn Credential>, Error> {
    let options = &case.options;
    let (tenant_id, client_id) = (options.tenant_id.clone(), options.client_id.clone());
    let (cache, platform) = (entra.cache.clone(), entra.platform.clone());
    Ok(match case.credential.as_str() {
        "ManagedIdentityCredential" => {
            let ids = [
                client_id.map(UserAssignedId::ClientId),
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
        "EnvironmentCredential" => EnvironmentCredential::new(Some(EnvironmentCredentialOptions { entra }))?,
        "AzureCliCredential" => AzureCliCredential::new(Some(AzureCliCredentialOptions {
            tenant_id,
            process_timeout: options.process_timeout.map(Duration::from_secs),
            cache,
            platform,
            ..Default::default()
        }))?,
        "WorkloadIdentityCredential" => WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
            tenant_id,
            client_id,
            entra,
            ..Default::default()
        }))?,
        "GitHubActionsCredential" => {
            let audience = options.audience.clone();
            let how = GitHubActionsCredentialOptions { tenant_id, client_id, audience, entra };
            GitHubActionsCredential::new(Some(how))?
        }
        "AzurePipelinesCredential" => {
            let how = Some(AzurePipelinesCredentialOptions { entra });
            match &options.service_connection_id {
                None => AzurePipelinesCredential::from_environment(how)?,
                Some(connection) => AzurePipelinesCredential::new(
                    &tenant_id.unwrap_or_default(),
                    client_id.unwrap_or_default(),
                    connection.clone(),
                    secret(options.system_access_token.as_ref()),
                    how,
                )?,
            }
        }
        "DefaultAzureCredential" => {
            DefaultAzureCredential::new(Some(DefaultAzureCredentialOptions { cache, platform, ..Default::default() }))?
        }
        other => unreachable!("no case is about {other}"),
    })
}

/// Assertions from where a case has them.
struct Source(Box<dyn ClientAssertion>);

impl Source {
    fn of(from: &Assertions, entra: &EntraOptions) -> Result<Self, Error> {
        Ok(Self(match from {
            Assertions::File(path) => Box::new(FileAssertion::new(path)),
            Assertions::Environment(name) => Box::new(EnvironmentAssertion::new(name)),
            Assertions::Command(command) => Box::new(CommandAssertion::new(command, None)?),
            Assertions::ManagedIdentity(client_id) => {
                let managed_identity = ManagedIdentityCredentialOptions {
                    user_assigned_id: Some(UserAssignedId::ClientId(client_id.clone())),
                    cache: entra.cache.clone(),
                    platform: entra.platform.clone(),
                    ..Default::default()
                };
                let options = ManagedIdentityAssertionOptions { managed_identity, ..Default::default() };
                Box::new(ManagedIdentityAssertion::with_options(options)?)
            }
        }))
    }
}

#[async_trait]
impl ClientAssertion for Source {
    async fn secret(&self, request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError> {
        self.0.secret(request).await
    }
}

/// The programs of this machine, but what is opened for a person is a browser without one.
struct Browser {
    gateway: String,
    authority: String,
}

#[async_trait]
impl Processes for Browser {
    async fn run(&self, request: &ProcessRequest) -> Result<ProcessOutput, ProcessError> {
        SystemProcesses.run(request).await
    }

    fn launch(&self, request: &ProcessRequest) -> Result<BoxFuture<'static, Option<i32>>, ProcessError> {
        let page = request.arguments.last().and_then(|page| page.to_str()).map(str::to_owned);
        let page = page.ok_or_else(|| ProcessError::NotStarted("there is no page to open".into()))?;
        let (gateway, authority) = (self.gateway.clone(), self.authority.clone());
        tokio::spawn(async move { entrada_emulator::browse(&page, &gateway, &authority).await });
        Ok(Box::pin(std::future::ready(Some(0))))
    }
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
