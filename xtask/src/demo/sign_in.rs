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
    /// The managed identity of an App Service app.
    AppService { user_assigned: bool },
    /// The managed identity of a virtual machine.
    VirtualMachine { user_assigned: bool },
    /// A service principal with the secret in the environment.
    Environment,
    /// A service principal with a secret the program has.
    ClientSecret,
    /// Something the examples do not use.
    Other,
}

impl Credential {
    /// The class a program constructs, or a chain chooses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AppService { .. } | Self::VirtualMachine { .. } => "ManagedIdentityCredential",
            Self::Environment => "EnvironmentCredential",
            Self::ClientSecret => "ClientSecretCredential",
            Self::Other => "another credential",
        }
    }

    /// What it showed to whom.
    pub(crate) fn proof(self) -> &'static str {
        match self {
            Self::AppService { user_assigned: false } => "system-assigned identity, from App Service",
            Self::AppService { user_assigned: true } => "user-assigned identity, from App Service",
            Self::VirtualMachine { user_assigned: false } => {
                "system-assigned identity, from the metadata service (IMDS)"
            }
            Self::VirtualMachine { user_assigned: true } => "user-assigned identity, from the metadata service (IMDS)",
            Self::Environment => "client secret in AZURE_CLIENT_SECRET, shown to Entra",
            Self::ClientSecret => "client secret, shown to Entra",
            Self::Other => "see the journal",
        }
    }

    fn of(exchange: &Exchange, client_id_in_environment: Option<&str>) -> Self {
        let user_assigned = exchange.query.split('&').any(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            matches!(name, "client_id" | "object_id" | "principal_id" | "mi_res_id" | "msi_res_id")
        });
        let client_id = exchange.principal.as_ref().and_then(|principal| principal.client_id.as_deref());
        match (exchange.service.as_str(), exchange.grant.as_deref()) {
            ("app-service", _) => Self::AppService { user_assigned },
            ("imds", _) => Self::VirtualMachine { user_assigned },
            ("entra", Some("client_credentials")) if client_id == client_id_in_environment => Self::Environment,
            ("entra", Some("client_credentials")) => Self::ClientSecret,
            _ => Self::Other,
        }
    }
}

/// The sign-ins of a run, in the order they happened.
pub(crate) fn all(exchanges: &[Exchange], client_id_in_environment: Option<&str>) -> Vec<SignIn> {
    let mut found: Vec<SignIn> = Vec::new();
    for exchange in exchanges.iter().filter(|exchange| exchange.is_token_request()) {
        let principal = exchange.principal.clone().unwrap_or_default();
        let audience = exchange.audience.clone().unwrap_or_default();
        let same = found.iter_mut().find(|other| other.principal == principal && other.audience == audience);
        if let Some(same) = same {
            same.requests += 1;
            same.took += exchange.took;
        } else {
            let credential = Credential::of(exchange, client_id_in_environment);
            found.push(SignIn { credential, principal, audience, requests: 1, took: exchange.took });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Credential, all};
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
        let of = |exchange: &Exchange| Credential::of(exchange, Some("mine"));
        let imds = token("imds", "managed_identity", "api-version=1&client_id=x", "x");
        assert_eq!(of(&imds), Credential::VirtualMachine { user_assigned: true });
        let app = token("app-service", "managed_identity", "resource=client_id", "x");
        assert_eq!(of(&app), Credential::AppService { user_assigned: false });
        assert_eq!(of(&token("entra", "client_credentials", "", "mine")), Credential::Environment);
        assert_eq!(of(&token("entra", "client_credentials", "", "other")), Credential::ClientSecret);
    }

    #[test]
    fn requests_for_the_same_token_are_counted_together() {
        let twice = [token("entra", "client_credentials", "", "a"), token("entra", "client_credentials", "", "a")];
        let other = token("entra", "client_credentials", "", "b");
        let found = all(&[twice.to_vec(), vec![other]].concat(), None);
        assert_eq!(found.iter().map(|sign_in| sign_in.requests).collect::<Vec<_>>(), [2, 1]);
    }
}
