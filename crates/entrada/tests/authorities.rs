//! Apps sign in at regions, at AD FS and at authorities of one's own, and every refusal says how to go on.

use std::collections::HashMap;
use std::sync::Arc;

use entrada::platform::Platform;
use entrada::{
    Cache, ClientCertificateCredential, ClientCertificateCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, Credential, EntraOptions, Error, Token, TokenRequest,
};
use entrada_emulator::{Config, Emulator, Host, Service, world};

const SCOPE: &str = "https://vault.azure.net/.default";

struct Run {
    emulator: Emulator,
    platform: Platform,
}

impl Run {
    async fn start(config: Config, host: Host, variables: &[(&str, &str)]) -> Self {
        let emulator = Emulator::start(config).await.expect("the emulator");
        let mut environment: HashMap<_, _> = emulator.environment(host).into_iter().collect();
        environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let platform = Platform::with_environment(Arc::new(environment));
        Self { emulator, platform }
    }

    fn options(&self, authority: Option<&str>, trusted: bool) -> EntraOptions {
        EntraOptions {
            authority: authority.map(str::to_owned),
            disable_instance_discovery: trusted,
            cache: Some(Cache::new(Default::default())),
            platform: Some(self.platform.clone()),
            ..Default::default()
        }
    }

    async fn token(&self, tenant: &str, client: (&str, &str), entra: EntraOptions) -> Result<Arc<Token>, Error> {
        let options = ClientSecretCredentialOptions { entra };
        let credential =
            ClientSecretCredential::new(tenant, client.0.into(), client.1.to_owned().into(), Some(options))?;
        credential.token(&TokenRequest::new([SCOPE])).await
    }

    async fn orders(&self, tenant: &str, entra: EntraOptions) -> Result<Arc<Token>, Error> {
        self.token(tenant, (world::APP_CLIENT_ID, world::APP_SECRET), entra).await
    }

    /// Host and path of what Entra was asked.
    fn asked(&self) -> Vec<String> {
        let entries = self.emulator.journal().entries();
        let entras = entries.iter().filter(|entry| entry.service == Service::Entra);
        entras.map(|entry| format!("{} {}", entry.host, entry.path)).collect()
    }
}

fn token_path(host: &str) -> String {
    format!("{host} /{}/oauth2/v2.0/token", world::TENANT_ID)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_served_in_its_region_wherever_the_region_is_known_from() {
    for (host, region) in [
        (Host::Laptop, "westeurope"),
        (Host::AppService, "AutoDiscover"),
        (Host::VirtualMachine, "AutoDiscover"),
        (Host::VirtualMachine, "TryAutoDetect"),
    ] {
        let run = Run::start(Config::default(), host, &[("AZURE_REGIONAL_AUTHORITY_NAME", region)]).await;
        for _ in 0..2 {
            run.orders(world::TENANT_ID, run.options(None, false)).await.expect("a token");
        }
        let regional = token_path("westeurope.login.microsoft.com");
        assert_eq!(run.asked(), [regional.clone(), regional], "{host:?} {region}");
        let of_metadata =
            run.emulator.journal().entries().iter().filter(|entry| entry.service == Service::Imds).count();
        assert_eq!(of_metadata, usize::from(host == Host::VirtualMachine), "once a process, where it is needed at all");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_region_is_known_the_global_endpoint_serves() {
    let run = Run::start(Config::default(), Host::Laptop, &[("AZURE_REGIONAL_AUTHORITY_NAME", "AutoDiscover")]).await;
    run.orders(world::TENANT_ID, run.options(None, false)).await.expect("a token");
    assert_eq!(run.asked(), [token_path("login.microsoftonline.com")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_does_not_serve_the_app_says_what_to_change() {
    let run = Run::start(Config::default(), Host::Laptop, &[("AZURE_REGIONAL_AUTHORITY_NAME", "westeurope")]).await;
    let newcomer = (world::NEWCOMER_CLIENT_ID, world::NEWCOMER_SECRET);
    let error = run.token(world::TENANT_ID, newcomer, run.options(None, false)).await.expect_err("refused").to_string();
    assert!(error.contains("AADSTS100007") && error.contains("unset AZURE_REGIONAL_AUTHORITY_NAME"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_good_in_a_region_and_at_ad_fs() {
    for (tenant, authority, variable) in
        [(world::TENANT_ID, None, "westeurope"), ("adfs", Some(world::AD_FS_AUTHORITY), "")]
    {
        let run = Run::start(Config::default(), Host::Laptop, &[("AZURE_REGIONAL_AUTHORITY_NAME", variable)]).await;
        let file = run.emulator.certificate().expect("a certificate").pem;
        let entra = run.options(authority, false);
        let options = ClientCertificateCredentialOptions { entra, ..Default::default() };
        let credential =
            ClientCertificateCredential::from_path(tenant, world::APP_CLIENT_ID.into(), file, Some(options))
                .expect("valid");
        credential.token(&TokenRequest::new([SCOPE])).await.expect("a token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ad_fs_has_no_tenants_and_paths_of_its_own() {
    let run = Run::start(Config::default(), Host::Laptop, &[]).await;
    for authority in [world::AD_FS_AUTHORITY, "https://adfs.contoso.example"] {
        run.orders("adfs", run.options(Some(authority), false)).await.expect("a token");
    }
    let asked = "adfs.contoso.example /adfs/oauth2/token";
    assert_eq!(run.asked(), [asked, asked]);
    let wrong = run.orders(world::TENANT_ID, run.options(Some(world::AD_FS_AUTHORITY), false)).await;
    assert!(wrong.expect_err("no tenant").is_invalid_argument());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_nobody_vouches_for_must_be_trusted() {
    let run = Run::start(Config::default(), Host::Laptop, &[]).await;
    let stack = Some(world::STACK_AUTHORITY);
    let error = run.orders(world::TENANT_ID, run.options(stack, false)).await.expect_err("unheard of").to_string();
    assert!(error.contains("is not well-known") && error.contains("disable_instance_discovery"), "{error}");
    assert_eq!(run.asked(), ["login.microsoftonline.com /common/discovery/instance"], "it got no secret");
    run.orders(world::TENANT_ID, run.options(stack, true)).await.expect("trusted");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_vouched_for_is_asked_about_once() {
    let mut config = Config::default();
    for authority in &mut config.authorities {
        authority.vouched_for = true;
    }
    let variables = [("AZURE_AUTHORITY_HOST", world::STACK_AUTHORITY)];
    let run = Run::start(config, Host::Laptop, &variables).await;
    for _ in 0..2 {
        run.orders(world::TENANT_ID, run.options(None, false)).await.expect("a token");
    }
    let asked = run.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0], "login.microsoftonline.com /common/discovery/instance");
    assert!(asked[1..].iter().all(|asked| asked.starts_with("login.stack.contoso.example")), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_name_of_a_cloud_is_known() {
    let run = Run::start(Config::default(), Host::Laptop, &[]).await;
    for (host, tenant) in [
        ("login.microsoftonline.com", world::TENANT_ID),
        ("login.windows.net", world::TENANT_ID),
        ("login.microsoft.com", world::TENANT_ID),
        ("sts.windows.net", world::TENANT_ID),
        ("login.microsoftonline.us", world::US_TENANT_ID),
        ("login.usgovcloudapi.net", world::US_TENANT_ID),
        ("login.chinacloudapi.cn", world::CHINA_TENANT_ID),
        ("login.partner.microsoftonline.cn", world::CHINA_TENANT_ID),
    ] {
        let outcome = run.orders(tenant, run.options(Some(host), false)).await;
        // A vault of another cloud is not known there; the client and the tenant are.
        if let Err(error) = outcome {
            assert!(error.to_string().contains("AADSTS500011"), "{host}: {error}");
        }
    }
    assert!(run.asked().iter().all(|asked| asked.ends_with("/oauth2/v2.0/token")), "{:?}", run.asked());
}
