//! The environment of a program that runs inside the emulator.

use crate::cloud::{CLOUDS, Cloud};
use crate::compute::ComputeKind;
use crate::config::Config;
use crate::directory::Directory;
use crate::host::Host;
use crate::issuers::{github, pipelines};
use crate::managed_identity::service_fabric;
use crate::state::RunnerTokens;
use crate::world::CERTIFICATE_PASSWORD;

/// Addresses and secrets that go into an environment.
pub(crate) struct Endpoints<'a> {
    pub(crate) gateway: &'a str,
    /// The endpoint that the host has of its own, or nothing.
    pub(crate) endpoint: &'a str,
    pub(crate) no_imds: &'a str,
    /// The value of `IDENTITY_HEADER` and `MSI_SECRET`.
    pub(crate) secret: &'a str,
    pub(crate) thumbprint: &'a str,
    pub(crate) federated_token_file: &'a str,
    pub(crate) binding_authority_file: &'a str,
    pub(crate) authority_file: &'a str,
    /// The certificate of the run: PEM, encrypted PEM, and PKCS#12.
    pub(crate) certificate: [&'a str; 3],
    pub(crate) runner_tokens: &'a RunnerTokens,
    pub(crate) control: &'a str,
    pub(crate) control_key: &'a str,
}

/// The variables of a program on `host`.
pub(crate) fn variables(host: Host, directory: &Directory, endpoints: &Endpoints<'_>) -> Vec<(String, String)> {
    let mut all: Vec<(&str, String)> = Vec::new();
    // curl ignores the upper-case HTTP_PROXY for http, so each name is given in both cases.
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
        all.push((name, endpoints.gateway.to_owned()));
    }
    for name in ["NO_PROXY", "no_proxy"] {
        all.push((name, "localhost,127.0.0.1".to_owned()));
    }
    for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        all.push((name, endpoints.authority_file.to_owned()));
    }
    // Node's own fetch looks at the proxy variables only when told to.
    all.push(("NODE_USE_ENV_PROXY", "1".to_owned()));
    all.push(("AZURE_CORE_COLLECT_TELEMETRY", "no".to_owned()));
    if host.service().is_none() || host == Host::KubernetesIdentityBinding {
        // Libraries that never send 169.254.169.254 through a proxy would find the metadata service of the machine that
        // the emulator itself runs on, if that is a virtual machine in a cloud.
        all.push(("AZURE_POD_IDENTITY_AUTHORITY_HOST", endpoints.no_imds.to_owned()));
    }
    all.extend(of_host(host, directory, endpoints));
    let [pem, encrypted, pfx] = endpoints.certificate;
    all.push(("ENTRADA_EMULATOR_CERTIFICATE", pem.to_owned()));
    all.push(("ENTRADA_EMULATOR_CERTIFICATE_ENCRYPTED", encrypted.to_owned()));
    all.push(("ENTRADA_EMULATOR_CERTIFICATE_PFX", pfx.to_owned()));
    all.push(("ENTRADA_EMULATOR_CERTIFICATE_PASSWORD", CERTIFICATE_PASSWORD.to_owned()));
    // Last, so that whoever reads them knows when they are complete.
    all.push(("ENTRADA_EMULATOR_URL", endpoints.control.to_owned()));
    all.push(("ENTRADA_EMULATOR_KEY", endpoints.control_key.to_owned()));
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The variables by which a host shows itself.
fn of_host(host: Host, directory: &Directory, endpoints: &Endpoints<'_>) -> Vec<(&'static str, String)> {
    let endpoint = || endpoints.endpoint.to_owned();
    let secret = || endpoints.secret.to_owned();
    match host {
        Host::Laptop => Vec::new(),
        Host::AppService => {
            let mut all = vec![("IDENTITY_ENDPOINT", endpoint()), ("IDENTITY_HEADER", secret())];
            all.extend(web_app(directory));
            all
        }
        Host::AppServiceLegacy => {
            let mut all = vec![("MSI_ENDPOINT", endpoint()), ("MSI_SECRET", secret())];
            all.extend(web_app(directory));
            all
        }
        Host::ContainerApp => {
            let mut all = vec![("IDENTITY_ENDPOINT", endpoint()), ("IDENTITY_HEADER", secret())];
            all.extend(container_app(directory));
            all
        }
        Host::ServiceFabric => vec![
            ("IDENTITY_ENDPOINT", endpoint()),
            ("IDENTITY_HEADER", secret()),
            ("IDENTITY_SERVER_THUMBPRINT", endpoints.thumbprint.to_owned()),
            ("IDENTITY_API_VERSION", service_fabric::API_VERSION.to_owned()),
        ],
        Host::AzureArc => {
            let base = url::Url::parse(endpoints.endpoint).map(|url| url.origin().ascii_serialization());
            vec![("IMDS_ENDPOINT", base.unwrap_or_default()), ("IDENTITY_ENDPOINT", endpoint())]
        }
        Host::AzureMl => {
            let mut all = vec![("MSI_ENDPOINT", endpoint()), ("MSI_SECRET", secret())];
            if let Some(client_id) = attached_client_id(directory, host) {
                all.push(("DEFAULT_IDENTITY_CLIENT_ID", client_id));
            }
            all.push(("AZUREML_RUN_ID", "orders_run_1".to_owned()));
            all
        }
        Host::CloudShell => vec![("MSI_ENDPOINT", endpoint())],
        Host::VirtualMachine | Host::ContainerInstance => vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", endpoint())],
        Host::GitHubActions => {
            let settings = &directory.config.github;
            let mut all = vec![
                ("GITHUB_ACTIONS", "true".to_owned()),
                ("GITHUB_REPOSITORY", settings.repository.clone()),
                ("GITHUB_REF", settings.reference.clone()),
                ("ACTIONS_ID_TOKEN_REQUEST_URL", github::request_url()),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", endpoints.runner_tokens.github.clone()),
                ("AZURE_CLIENT_ID", settings.client_id.clone()),
                ("AZURE_TENANT_ID", settings.tenant.clone()),
            ];
            all.extend(authority_host(directory, &settings.tenant));
            all
        }
        Host::AzurePipelines => {
            let settings = &directory.config.pipelines;
            let mut all = vec![
                ("TF_BUILD", "True".to_owned()),
                ("SYSTEM_OIDCREQUESTURI", pipelines::request_url(settings)),
                ("SYSTEM_ACCESSTOKEN", endpoints.runner_tokens.pipelines.clone()),
                ("AZURESUBSCRIPTION_CLIENT_ID", settings.client_id.clone()),
                ("AZURESUBSCRIPTION_TENANT_ID", settings.tenant.clone()),
                ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", settings.service_connection_id.clone()),
            ];
            all.extend(authority_host(directory, &settings.tenant));
            all
        }
        Host::Kubernetes => workload_identity(directory, endpoints),
        Host::KubernetesIdentityBinding => {
            let mut all = workload_identity(directory, endpoints);
            all.push(("AZURE_KUBERNETES_TOKEN_PROXY", endpoint()));
            all.push(("AZURE_KUBERNETES_SNI_NAME", binding_server_name(&directory.config)));
            all.push(("AZURE_KUBERNETES_CA_FILE", endpoints.binding_authority_file.to_owned()));
            all
        }
    }
}

/// The authority of a tenant, where it is not the one that programs ask of their own accord.
fn authority_host(directory: &Directory, tenant: &str) -> Option<(&'static str, String)> {
    let cloud = directory.tenant(tenant).map(|tenant| tenant.cloud).filter(|cloud| *cloud != Cloud::Public)?;
    Some(("AZURE_AUTHORITY_HOST", format!("https://{}/", cloud.names().authority)))
}

fn web_app(directory: &Directory) -> Vec<(&'static str, String)> {
    let Some(app) = ComputeKind::WebApp.inner(&directory.config) else { return Vec::new() };
    let suffix = directory.cloud_of(&app.subscription).web_suffix;
    vec![
        ("WEBSITE_HOSTNAME", format!("{}.{suffix}", app.name)),
        ("WEBSITE_SITE_NAME", app.name.clone()),
        ("WEBSITE_RESOURCE_GROUP", app.resource_group.clone()),
        ("WEBSITE_OWNER_NAME", format!("{}+{}-WestEuropewebspace", app.subscription, app.resource_group)),
        ("WEBSITE_INSTANCE_ID", instance_id(&ComputeKind::WebApp.id(app))),
        ("REGION_NAME", "West Europe".to_owned()),
    ]
}

fn container_app(directory: &Directory) -> Vec<(&'static str, String)> {
    let Some(app) = ComputeKind::ContainerApp.inner(&directory.config) else { return Vec::new() };
    let (name, suffix) = (&app.name, "happyhill-70162bb9.westeurope.azurecontainerapps.io");
    vec![
        ("CONTAINER_APP_NAME", name.clone()),
        ("CONTAINER_APP_REVISION", format!("{name}--0000001")),
        ("CONTAINER_APP_HOSTNAME", format!("{name}--0000001.{suffix}")),
        ("CONTAINER_APP_ENV_DNS_SUFFIX", suffix.to_owned()),
        ("CONTAINER_APP_REPLICA_NAME", format!("{name}--0000001-66b8f9fc56-8gfhr")),
    ]
}

/// Client id of the first user-assigned identity that the resource of a host starts with.
fn attached_client_id(directory: &Directory, host: Host) -> Option<String> {
    let config = &directory.config;
    let name = host.compute()?.inner(config)?.user_assigned.first()?;
    let identity = config.identities.iter().find(|identity| identity.name.eq_ignore_ascii_case(name))?;
    Some(identity.client_id.clone())
}

/// What the webhook of workload identity puts into a pod.
fn workload_identity(directory: &Directory, endpoints: &Endpoints<'_>) -> Vec<(&'static str, String)> {
    let identity = directory.kubernetes_identity();
    let tenant = identity.and_then(|known| directory.tenant(&known.tenant));
    let authority = tenant.map_or(CLOUDS[0].authority, |tenant| tenant.cloud.names().authority);
    let client_id = identity.and_then(|known| known.client_id.clone());
    vec![
        ("AZURE_CLIENT_ID", client_id.unwrap_or_default()),
        ("AZURE_TENANT_ID", tenant.map(|tenant| tenant.id.clone()).unwrap_or_default()),
        ("AZURE_FEDERATED_TOKEN_FILE", endpoints.federated_token_file.to_owned()),
        ("AZURE_AUTHORITY_HOST", format!("https://{authority}/")),
    ]
}

/// The name that the certificate of a cluster's token proxy is for.
pub(crate) fn binding_server_name(config: &Config) -> String {
    format!("{}.ests.aks", config.kubernetes.cluster)
}

fn instance_id(resource: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(resource).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Variables of the surrounding shell that would place a program elsewhere, or lead it past the gateway.
///
/// What a user chooses for a program itself stays: `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`,
/// `AZURE_CLIENT_SECRET`, `AZURE_TOKEN_CREDENTIALS`, `AZURE_CONFIG_DIR`, `AZURE_AUTHORITY_HOST` and the like.
/// (On Kubernetes three of them are the pod's.)
pub(crate) const CLEARED: [&str; 48] = [
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ALL_PROXY",
    "AZURESUBSCRIPTION_CLIENT_ID",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "AZURESUBSCRIPTION_TENANT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_KUBERNETES_CA_DATA",
    "AZURE_KUBERNETES_CA_FILE",
    "AZURE_KUBERNETES_SNI_NAME",
    "AZURE_KUBERNETES_TOKEN_PROXY",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_REGIONAL_AUTHORITY_NAME",
    "CONTAINER_APP_ENV_DNS_SUFFIX",
    "CONTAINER_APP_HOSTNAME",
    "CONTAINER_APP_NAME",
    "CONTAINER_APP_REPLICA_NAME",
    "CONTAINER_APP_REVISION",
    "DEFAULT_IDENTITY_CLIENT_ID",
    "FUNCTIONS_WORKER_RUNTIME",
    "GITHUB_ACTIONS",
    "GITHUB_REF",
    "GITHUB_REPOSITORY",
    "IDENTITY_API_VERSION",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "MSAL_FORCE_REGION",
    "REGION_NAME",
    "SSL_CERT_DIR",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_OIDCREQUESTURI",
    "TF_BUILD",
    "WEBSITE_AUTH_ENABLED",
    "WEBSITE_HOSTNAME",
    "WEBSITE_INSTANCE_ID",
    "WEBSITE_OWNER_NAME",
    "WEBSITE_RESOURCE_GROUP",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_SITE_NAME",
    "WEBSITE_SKU",
    "all_proxy",
    "ftp_proxy",
    "FTP_PROXY",
    "AZUREML_RUN_ID",
];

#[cfg(test)]
mod tests {
    use super::{CLEARED, Endpoints, Host, variables};
    use crate::config::Config;
    use crate::directory::Directory;
    use crate::state::RunnerTokens;

    const KEPT: [&str; 6] = [
        "AZURE_AUTHORITY_HOST",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_CONFIG_DIR",
        "AZURE_TENANT_ID",
        "AZURE_TOKEN_CREDENTIALS",
    ];

    fn names(host: Host) -> Vec<String> {
        let endpoints = Endpoints {
            gateway: "http://127.0.0.1:1",
            endpoint: "http://127.0.0.1:2/path",
            no_imds: "http://127.0.0.1:5",
            secret: "H",
            thumbprint: "T",
            federated_token_file: "/t",
            binding_authority_file: "/b.pem",
            authority_file: "/a.pem",
            certificate: ["/c.pem", "/e.pem", "/c.pfx"],
            runner_tokens: &RunnerTokens { github: "G".into(), pipelines: "P".into() },
            control: "http://127.0.0.1:4",
            control_key: "K",
        };
        let directory = Directory::new(Config::default());
        variables(host, &directory, &endpoints).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_host_shows_itself_by_its_own_variables_only() {
        let has = |host, name: &str| names(host).iter().any(|other| other == name);
        assert!(has(Host::AppService, "IDENTITY_ENDPOINT") && has(Host::AppService, "WEBSITE_HOSTNAME"));
        assert!(has(Host::AppServiceLegacy, "MSI_SECRET") && !has(Host::AppServiceLegacy, "IDENTITY_HEADER"));
        assert!(has(Host::AzureArc, "IMDS_ENDPOINT") && !has(Host::AzureArc, "IDENTITY_HEADER"));
        assert!(has(Host::CloudShell, "MSI_ENDPOINT") && !has(Host::CloudShell, "MSI_SECRET"));
        assert!(has(Host::VirtualMachine, "AZURE_POD_IDENTITY_AUTHORITY_HOST"));
        assert!(!has(Host::VirtualMachine, "IDENTITY_ENDPOINT"));
        assert!(!has(Host::Laptop, "IDENTITY_ENDPOINT") && !has(Host::Laptop, "WEBSITE_HOSTNAME"));
        assert!(!has(Host::Kubernetes, "AZURE_KUBERNETES_TOKEN_PROXY"));
    }

    #[test]
    fn what_a_host_sets_is_cleared_elsewhere_and_a_users_own_choices_are_kept() {
        assert!(KEPT.iter().all(|kept| !CLEARED.contains(kept)));
        let everywhere = names(Host::AppService);
        for host in Host::ALL {
            for name in names(host) {
                let known = |name: &str| CLEARED.contains(&name) || KEPT.contains(&name);
                let set_anyway = Host::ALL.iter().all(|host| names(*host).contains(&name));
                assert!(known(&name) || (everywhere.contains(&name) && set_anyway), "{name} of {host:?}");
            }
        }
    }
}
