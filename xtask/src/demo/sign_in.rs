//! Who signed in, how, and for what: told by the journal alone.

use super::journal::{Exchange, Principal};

/// One identity's token for one audience.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    /// The credential, and how it proved who it is.
    pub(crate) credential: Credential,
    pub(crate) principal: Principal,
    pub(crate) audience: String,
    /// Requests it took, refused ones too.
    pub(crate) requests: usize,
    /// Milliseconds these took at the server.
    pub(crate) took: f64,
}

/// The credential that must have been used, as no other sends such a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    /// The managed identity of a host, which is told by the service that answers there.
    ManagedIdentity { host: Host, user_assigned: bool },
    /// The managed identity of a pod, which Kubernetes vouches for.
    WorkloadIdentity,
    /// A service principal with the secret in the environment.
    Environment,
    /// A service principal with a secret the program has.
    ClientSecret,
    /// A job of GitHub Actions, which GitHub vouches for.
    GitHubActions,
    /// A job of Azure Pipelines, which Azure DevOps vouches for.
    AzurePipelines,
    /// A person at the browser.
    Browser,
    /// A person with a code, at any browser.
    DeviceCode,
    /// Something the examples do not use.
    Other,
}

/// A host with an endpoint of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    AppService,
    AzureArc,
    AzureMl,
    CloudShell,
    Imds,
    ServiceFabric,
}

impl Host {
    /// The host behind a service of the journal, and how the service is called.
    const SERVICES: [(&'static str, Self, &'static str); 6] = [
        ("app-service", Self::AppService, "App Service"),
        ("azure-arc", Self::AzureArc, "Azure Arc"),
        ("azure-ml", Self::AzureMl, "Azure Machine Learning"),
        ("cloud-shell", Self::CloudShell, "Cloud Shell"),
        ("imds", Self::Imds, "the metadata service (IMDS)"),
        ("service-fabric", Self::ServiceFabric, "Service Fabric"),
    ];

    fn of(service: &str) -> Option<Self> {
        Self::SERVICES.into_iter().find(|(name, ..)| *name == service).map(|(_, host, _)| host)
    }

    fn shown(self) -> &'static str {
        Self::SERVICES.into_iter().find(|(_, host, _)| *host == self).map_or("", |(_, _, shown)| shown)
    }
}

impl Credential {
    /// The class a program constructs, or a chain chooses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ManagedIdentity { .. } | Self::WorkloadIdentity => "ManagedIdentityCredential",
            Self::Environment => "EnvironmentCredential",
            Self::ClientSecret => "ClientSecretCredential",
            Self::GitHubActions => "GitHubActionsCredential",
            Self::AzurePipelines => "AzurePipelinesCredential",
            Self::Browser => "InteractiveBrowserCredential",
            Self::DeviceCode => "DeviceCodeCredential",
            Self::Other => "another credential",
        }
    }

    /// What it showed to whom.
    pub(crate) fn proof(self) -> String {
        match self {
            Self::ManagedIdentity { host: Host::CloudShell, .. } => "the person's identity, from Cloud Shell".into(),
            Self::ManagedIdentity { host, user_assigned } => {
                let kind = if user_assigned { "user" } else { "system" };
                format!("{kind}-assigned identity, from {}", host.shown())
            }
            Self::WorkloadIdentity => "token of the service account, shown to Entra".into(),
            Self::Environment => "client secret in AZURE_CLIENT_SECRET, shown to Entra".into(),
            Self::ClientSecret => "client secret, shown to Entra".into(),
            Self::GitHubActions => "token of the job, from GitHub, shown to Entra".into(),
            Self::AzurePipelines => "token of the service connection, from Azure DevOps, shown to Entra".into(),
            Self::Browser => "a person at the browser, and the code it came back with".into(),
            Self::DeviceCode => "a person who entered a code".into(),
            Self::Other => "see the journal".into(),
        }
    }

    fn of(exchange: &Exchange, host: &str, client_id_in_environment: Option<&str>) -> Self {
        let user_assigned = exchange.query.split('&').any(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            matches!(name, "client_id" | "clientid" | "object_id" | "principal_id" | "mi_res_id" | "msi_res_id")
        });
        let client_id = exchange.principal.as_ref().and_then(|principal| principal.client_id.as_deref());
        match (exchange.service.as_str(), exchange.grant.as_deref()) {
            (service, Some("managed_identity")) => match Host::of(service) {
                Some(host) => Self::ManagedIdentity { host, user_assigned },
                None => Self::Other,
            },
            ("entra", Some("client_credentials")) if host.starts_with("kubernetes") => Self::WorkloadIdentity,
            ("entra", Some("client_credentials")) if host == "github-actions" => Self::GitHubActions,
            ("entra", Some("client_credentials")) if host == "azure-pipelines" => Self::AzurePipelines,
            ("entra", Some("authorization_code")) => Self::Browser,
            ("entra", Some("device_code")) => Self::DeviceCode,
            ("entra", Some("client_credentials")) if client_id == client_id_in_environment => Self::Environment,
            ("entra", Some("client_credentials")) => Self::ClientSecret,
            _ => Self::Other,
        }
    }
}

/// The sign-ins of a run on a host, in the order they happened.
pub(crate) fn all(exchanges: &[Exchange], host: &str, client_id_in_environment: Option<&str>) -> Vec<SignIn> {
    let mut found: Vec<SignIn> = Vec::new();
    for exchange in exchanges.iter().filter(|exchange| exchange.is_token_request()) {
        let principal = exchange.principal.clone().unwrap_or_default();
        let audience = exchange.audience.clone().unwrap_or_default();
        let same = found.iter_mut().find(|other| other.principal == principal && other.audience == audience);
        if let Some(same) = same {
            same.requests += 1;
            same.took += exchange.took;
        } else {
            let credential = Credential::of(exchange, host, client_id_in_environment);
            found.push(SignIn { credential, principal, audience, requests: 1, took: exchange.took });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Credential, Host, all};
    use crate::demo::journal::{Exchange, Principal};

    fn token(service: &str, grant: &str, query: &str, client_id: &str) -> Exchange {
        Exchange {
            service: service.into(),
            grant: Some(grant.into()),
            query: query.into(),
            audience: Some("https://vault.azure.net".into()),
            principal: Some(Principal { client_id: Some(client_id.into()), ..Principal::default() }),
            ..Exchange::default()
        }
    }

    #[test]
    fn a_credential_is_known_by_its_request() {
        let of = |exchange: &Exchange| Credential::of(exchange, "vm", Some("mine"));
        let imds = token("imds", "managed_identity", "api-version=1&client_id=x", "x");
        assert_eq!(of(&imds), Credential::ManagedIdentity { host: Host::Imds, user_assigned: true });
        let app = token("app-service", "managed_identity", "resource=client_id", "x");
        assert_eq!(of(&app), Credential::ManagedIdentity { host: Host::AppService, user_assigned: false });
        let pod = token("entra", "client_credentials", "", "mine");
        assert_eq!(Credential::of(&pod, "kubernetes", Some("mine")), Credential::WorkloadIdentity);
        let job = Credential::of(&pod, "github-actions", Some("mine"));
        assert_eq!(job, Credential::GitHubActions);
        assert_eq!(of(&token("entra", "device_code", "", "mine")), Credential::DeviceCode);
        assert_eq!(of(&token("entra", "client_credentials", "", "mine")), Credential::Environment);
        assert_eq!(of(&token("entra", "client_credentials", "", "other")), Credential::ClientSecret);
    }

    #[test]
    fn requests_for_the_same_token_are_counted_together() {
        let twice = [token("entra", "client_credentials", "", "a"), token("entra", "client_credentials", "", "a")];
        let other = token("entra", "client_credentials", "", "b");
        let found = all(&[twice.to_vec(), vec![other]].concat(), "laptop", None);
        assert_eq!(found.iter().map(|sign_in| sign_in.requests).collect::<Vec<_>>(), [2, 1]);
    }
}
