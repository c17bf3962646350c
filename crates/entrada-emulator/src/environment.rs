//! The environment of a program that runs inside the emulator.

use crate::directory::{Directory, site_id};
use serde::{Deserialize, Serialize};

/// Where a program believes it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Host {
    /// A developer's machine: no managed identity.
    #[default]
    Laptop,
    /// The App Service web app of the world.
    AppService,
    /// The virtual machine of the world.
    VirtualMachine,
}

impl Host {
    /// Every host.
    pub const ALL: [Host; 3] = [Host::Laptop, Host::AppService, Host::VirtualMachine];
}

/// Addresses and secrets that go into an environment.
pub(crate) struct Endpoints<'a> {
    pub(crate) gateway: &'a str,
    pub(crate) imds: &'a str,
    pub(crate) no_imds: &'a str,
    pub(crate) identity: &'a str,
    pub(crate) identity_header: &'a str,
    pub(crate) authority_file: &'a str,
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
    if host == Host::Laptop {
        // Libraries that never send 169.254.169.254 through a proxy would find the metadata service of the machine that
        // the emulator itself runs on, if that is a virtual machine in a cloud.
        all.push(("AZURE_POD_IDENTITY_AUTHORITY_HOST", endpoints.no_imds.to_owned()));
    }
    all.push(("ENTRADA_EMULATOR_URL", endpoints.control.to_owned()));
    all.push(("ENTRADA_EMULATOR_KEY", endpoints.control_key.to_owned()));
    match host {
        Host::Laptop => {}
        Host::VirtualMachine => {
            all.push(("AZURE_POD_IDENTITY_AUTHORITY_HOST", endpoints.imds.to_owned()));
        }
        Host::AppService => {
            all.push(("IDENTITY_ENDPOINT", endpoints.identity.to_owned()));
            all.push(("IDENTITY_HEADER", endpoints.identity_header.to_owned()));
            if let Some(app) = directory.inner_web_app() {
                let suffix = directory.cloud_of(&app.subscription).web_suffix;
                all.push(("WEBSITE_HOSTNAME", format!("{}.{suffix}", app.name)));
                all.push(("WEBSITE_SITE_NAME", app.name.clone()));
                all.push(("WEBSITE_RESOURCE_GROUP", app.resource_group.clone()));
                all.push((
                    "WEBSITE_OWNER_NAME",
                    format!("{}+{}-WestEuropewebspace", app.subscription, app.resource_group),
                ));
                all.push(("WEBSITE_INSTANCE_ID", instance_id(&site_id(app))));
                all.push(("REGION_NAME", "West Europe".to_owned()));
            }
        }
    }
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn instance_id(resource: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(resource).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Variables of the surrounding shell that would place a program elsewhere, or lead it past the gateway.
///
/// What a user chooses for a program itself stays: `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`,
/// `AZURE_CLIENT_SECRET`, `AZURE_TOKEN_CREDENTIALS`, `AZURE_CONFIG_DIR`, `AZURE_AUTHORITY_HOST` and the like.
pub(crate) const CLEARED: [&str; 34] = [
    "ALL_PROXY",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_KUBERNETES_CA_DATA",
    "AZURE_KUBERNETES_CA_FILE",
    "AZURE_KUBERNETES_SNI_NAME",
    "AZURE_KUBERNETES_TOKEN_PROXY",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_REGIONAL_AUTHORITY_NAME",
    "CONTAINER_APP_NAME",
    "DEFAULT_IDENTITY_CLIENT_ID",
    "FUNCTIONS_WORKER_RUNTIME",
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

    fn names(host: Host) -> Vec<String> {
        let endpoints = Endpoints {
            gateway: "http://127.0.0.1:1",
            imds: "http://127.0.0.1:2",
            no_imds: "http://127.0.0.1:5",
            identity: "http://127.0.0.1:3/msi/token",
            identity_header: "H",
            authority_file: "/a.pem",
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
        assert!(has(Host::VirtualMachine, "AZURE_POD_IDENTITY_AUTHORITY_HOST"));
        assert!(!has(Host::VirtualMachine, "IDENTITY_ENDPOINT"));
        assert!(!has(Host::Laptop, "IDENTITY_ENDPOINT") && !has(Host::Laptop, "WEBSITE_HOSTNAME"));
    }

    #[test]
    fn a_users_own_choices_are_kept() {
        for kept in
            ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_TOKEN_CREDENTIALS", "AZURE_CONFIG_DIR"]
        {
            assert!(!CLEARED.contains(&kept));
        }
    }
}
