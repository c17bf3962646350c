//! Which host this program runs on, from environment variables alone.

use url::Url;

use super::UserAssignedId;
use super::app_service::AppService;
use super::imds::Imds;
use crate::error::Error;
use crate::platform::{Environment, Platform};
use crate::token::Fetched;

/// A host with a managed-identity endpoint.
#[derive(Debug)]
pub(crate) enum Host {
    /// App Service, Functions, Container Apps.
    AppService(AppService),
    /// Virtual machines, scale sets, and everything that looks like one.
    Imds(Imds),
}

impl Host {
    /// The host that the variables tell of, in the order of the official libraries; a virtual machine where they tell of
    /// none.
    pub(crate) fn detect(environment: &dyn Environment) -> Result<Self, Error> {
        let is_set = |name: &str| environment.var(name).is_some();
        if let Some(endpoint) = environment.var("IDENTITY_ENDPOINT") {
            if is_set("IDENTITY_HEADER") {
                if is_set("IDENTITY_SERVER_THUMBPRINT") {
                    return Err(not_supported("Service Fabric"));
                }
                return Ok(Self::AppService(AppService::new(url("IDENTITY_ENDPOINT", &endpoint)?)));
            }
            if is_set("IMDS_ENDPOINT") {
                return Err(not_supported("Azure Arc"));
            }
            return Err(Error::unavailable(
                "IDENTITY_ENDPOINT is set, but neither IDENTITY_HEADER (App Service) nor IMDS_ENDPOINT (Azure Arc) is",
            )
            .next("unset IDENTITY_ENDPOINT, or enable the managed identity of this resource and restart it"));
        }
        if is_set("MSI_ENDPOINT") {
            return Err(not_supported(if is_set("MSI_SECRET") { "Azure Machine Learning" } else { "Cloud Shell" }));
        }
        Imds::detect(environment).map(Self::Imds)
    }

    /// The kind of host and the place of its endpoint: tokens of one are not those of another.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::AppService(host) => ("App Service", host.endpoint()),
            Self::Imds(host) => ("IMDS", host.endpoint()),
        }
    }

    /// Fetches a token for `resource` of the system-assigned identity, or of `id`.
    pub(crate) async fn fetch(
        &self,
        platform: &Platform,
        resource: &str,
        id: Option<&UserAssignedId>,
        within_chain: bool,
    ) -> Result<Fetched, Error> {
        match self {
            Self::AppService(host) => host.fetch(platform, resource, id).await,
            Self::Imds(host) => host.fetch(platform, resource, id, within_chain).await,
        }
    }
}

/// A URL from a variable.
pub(super) fn url(name: &str, value: &str) -> Result<Url, Error> {
    Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()).ok_or_else(|| {
        Error::failed(format!("{name} is \"{value}\", which is not an http URL"))
            .next(format!("unset {name} if this program does not run in Azure"))
    })
}

fn not_supported(host: &str) -> Error {
    Error::unavailable(format!("the environment variables tell of {host}, whose managed identity is not supported yet"))
        .next("sign in with another credential here")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn detect(variables: &[(&str, &str)]) -> Result<(&'static str, String), String> {
        let variables: HashMap<_, _> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Host::detect(&variables)
            .map(|host| (host.parts().0, host.parts().1.to_owned()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn variables_tell_the_host() {
        let endpoint = ("IDENTITY_ENDPOINT", "http://127.0.0.1:41056/msi/token");
        let header = ("IDENTITY_HEADER", "h");
        assert_eq!(detect(&[endpoint, header]), Ok(("App Service", "http://127.0.0.1:41056/msi/token".into())));
        assert_eq!(detect(&[]), Ok(("IMDS", "http://169.254.169.254/metadata/identity/oauth2/token".into())));
        assert_eq!(
            detect(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:81/")]),
            Ok(("IMDS", "http://127.0.0.1:81/metadata/identity/oauth2/token".into()))
        );
        // Emptied is not set.
        assert_eq!(detect(&[("IDENTITY_ENDPOINT", ""), header]).map(|h| h.0), Ok("IMDS"));
    }

    #[test]
    fn what_does_not_fit_is_explained() {
        let endpoint = ("IDENTITY_ENDPOINT", "http://localhost/token");
        for (variables, words) in [
            (vec![endpoint], "neither IDENTITY_HEADER"),
            (vec![endpoint, ("IMDS_ENDPOINT", "http://localhost")], "Azure Arc"),
            (vec![endpoint, ("IDENTITY_HEADER", "h"), ("IDENTITY_SERVER_THUMBPRINT", "0")], "Service Fabric"),
            (vec![("MSI_ENDPOINT", "http://localhost")], "Cloud Shell"),
            (vec![("IDENTITY_ENDPOINT", "localhost:80"), ("IDENTITY_HEADER", "h")], "not an http URL"),
            (
                vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", "nonsense")],
                "AZURE_POD_IDENTITY_AUTHORITY_HOST is \"nonsense\"",
            ),
        ] {
            let error = detect(&variables).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }
}
