//! Which host this program runs on, from variables and files, without a request.

use std::fmt;

use url::Url;

use super::app_service::AppService;
use super::app_service_2017::AppService2017;
use super::azure_arc::AzureArc;
use super::azure_ml::AzureMl;
use super::cloud_shell::CloudShell;
use super::exchange::Asked;
use super::imds::Imds;
use super::kubernetes::Kubernetes;
use super::service_fabric::ServiceFabric;
use crate::error::{Condition, Error};
use crate::platform::Platform;
use crate::token::{Fetched, TokenRequest};

/// A host that hands an identity to its programs.
#[derive(Debug)]
pub(crate) enum Host {
    /// App Service, Functions, Container Apps.
    AppService(AppService),
    /// App Service before 2019.
    AppService2017(AppService2017),
    /// Service Fabric.
    ServiceFabric(ServiceFabric),
    /// Azure Arc.
    AzureArc(AzureArc),
    /// Azure Machine Learning.
    AzureMl(AzureMl),
    /// Azure Cloud Shell.
    CloudShell(CloudShell),
    /// Kubernetes with workload identity.
    Kubernetes(Box<Kubernetes>),
    /// Virtual machines, scale sets, container instances, and everything that looks like one.
    Imds(Imds),
}

impl Host {
    /// The host that the variables tell of, in the order of the official libraries; a machine with the agent of Azure Arc
    /// where they tell of none; else a virtual machine.
    pub(crate) fn detect(platform: &Platform) -> Result<Self, Error> {
        let environment = platform.environment();
        let is_set = |name: &str| environment.var(name).is_some();
        if let Some(endpoint) = environment.var("IDENTITY_ENDPOINT") {
            let endpoint = url("IDENTITY_ENDPOINT", &endpoint)?;
            if is_set("IDENTITY_HEADER") {
                if is_set("IDENTITY_SERVER_THUMBPRINT") {
                    return ServiceFabric::new(endpoint).map(Self::ServiceFabric);
                }
                return Ok(Self::AppService(AppService::new(endpoint)));
            }
            if is_set("IMDS_ENDPOINT") {
                return Ok(Self::AzureArc(AzureArc::new(endpoint)));
            }
            return Err(Error::unavailable(
                "IDENTITY_ENDPOINT is set, but neither IDENTITY_HEADER (App Service) nor IMDS_ENDPOINT (Azure Arc) is",
            )
            .condition_of(Condition::NotThisHost)
            .next("unset IDENTITY_ENDPOINT, or enable the managed identity of this resource and restart it"));
        }
        if let Some(endpoint) = environment.var("MSI_ENDPOINT") {
            let endpoint = url("MSI_ENDPOINT", &endpoint)?;
            // App Service used to tell its programs the same as Machine Learning does; its other variables tell it apart.
            return Ok(match (is_set("MSI_SECRET"), is_set("WEBSITE_SITE_NAME") || is_set("WEBSITE_HOSTNAME")) {
                (false, _) => Self::CloudShell(CloudShell::new(endpoint)),
                (true, true) => Self::AppService2017(AppService2017::new(endpoint)),
                (true, false) => Self::AzureMl(AzureMl::new(endpoint, environment)),
            });
        }
        if Kubernetes::is_set_up(environment) {
            return Kubernetes::detect(environment).map(|host| Self::Kubernetes(Box::new(host)));
        }
        if !is_set("AZURE_POD_IDENTITY_AUTHORITY_HOST")
            && let Some(agent) = AzureArc::installed(environment, platform.files())
        {
            return Ok(Self::AzureArc(agent));
        }
        Imds::detect(environment).map(Self::Imds)
    }

    fn kind_and_endpoint(&self) -> (&'static str, &str) {
        match self {
            Self::AppService(host) => ("App Service", host.endpoint()),
            Self::AppService2017(host) => ("App Service 2017", host.endpoint()),
            Self::ServiceFabric(host) => ("Service Fabric", host.endpoint()),
            Self::AzureArc(host) => ("Azure Arc", host.endpoint()),
            Self::AzureMl(host) => ("Azure Machine Learning", host.endpoint()),
            Self::CloudShell(host) => ("Cloud Shell", host.endpoint()),
            Self::Kubernetes(host) => ("Kubernetes", host.endpoint()),
            Self::Imds(host) => ("IMDS", host.endpoint()),
        }
    }

    /// The kind of host, the place of its endpoint, and what else decides whose tokens it gives: tokens of one are not
    /// those of another.
    pub(crate) fn parts(&self) -> Vec<Option<&str>> {
        let (kind, endpoint) = self.kind_and_endpoint();
        let mut parts = vec![Some(kind), Some(endpoint)];
        match self {
            Self::AzureMl(host) => parts.push(host.default_client_id()),
            Self::Kubernetes(host) => parts.extend(host.parts()),
            _ => {}
        }
        parts
    }

    /// Fetches the token that was asked for.
    pub(crate) async fn fetch(&self, asked: &Asked<'_>, request: &TokenRequest) -> Result<Fetched, Error> {
        match self {
            Self::AppService(host) => host.fetch(asked).await,
            Self::AppService2017(host) => host.fetch(asked).await,
            Self::ServiceFabric(host) => host.fetch(asked).await,
            Self::AzureArc(host) => host.fetch(asked).await,
            Self::AzureMl(host) => host.fetch(asked).await,
            Self::CloudShell(host) => host.fetch(asked).await,
            Self::Kubernetes(host) => host.fetch(asked, request).await,
            Self::Imds(host) => host.fetch(asked).await,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, endpoint) = self.kind_and_endpoint();
        write!(f, "{kind} at {endpoint}")
    }
}

/// A URL from a variable.
pub(super) fn url(name: &str, value: &str) -> Result<Url, Error> {
    Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()).ok_or_else(|| {
        Error::failed(format!("{name} is \"{value}\", which is not an http URL"))
            .next(format!("unset {name} if this program does not run in Azure"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::scripted::Scripted;

    fn detect_on(machine: &Scripted) -> Result<(String, String), String> {
        let host = Host::detect(&machine.platform).map_err(|error| error.to_string())?;
        let part = |index: usize| host.parts()[index].unwrap_or_default().to_owned();
        Ok((part(0), part(1)))
    }

    fn detect(variables: &[(&str, &str)]) -> Result<(String, String), String> {
        detect_on(&Scripted::new(variables))
    }

    fn kind(variables: &[(&str, &str)]) -> String {
        detect(variables).expect("a host").0
    }

    const ENDPOINT: (&str, &str) = ("IDENTITY_ENDPOINT", "http://127.0.0.1:41056/msi/token");
    const HEADER: (&str, &str) = ("IDENTITY_HEADER", "h");
    const MSI: (&str, &str) = ("MSI_ENDPOINT", "http://127.0.0.1:50342/oauth2/token");
    const SECRET: (&str, &str) = ("MSI_SECRET", "s");
    const KUBERNETES: [(&str, &str); 4] = [
        ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/"),
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/token"),
    ];

    #[test]
    fn variables_tell_the_host() {
        assert_eq!(detect(&[ENDPOINT, HEADER]), Ok(("App Service".into(), ENDPOINT.1.into())));
        assert_eq!(detect(&[]), Ok(("IMDS".into(), "http://169.254.169.254/metadata/identity/oauth2/token".into())));
        assert_eq!(
            detect(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:81/")]),
            Ok(("IMDS".into(), "http://127.0.0.1:81/metadata/identity/oauth2/token".into()))
        );
        let fabric = ("IDENTITY_ENDPOINT", "https://localhost:2377/token");
        assert_eq!(kind(&[fabric, HEADER, ("IDENTITY_SERVER_THUMBPRINT", "0")]), "Service Fabric");
        assert_eq!(kind(&[ENDPOINT, ("IMDS_ENDPOINT", "http://localhost:40342")]), "Azure Arc");
        assert_eq!(kind(&[MSI]), "Cloud Shell");
        assert_eq!(kind(&[MSI, SECRET]), "Azure Machine Learning");
        assert_eq!(kind(&[MSI, SECRET, ("WEBSITE_HOSTNAME", "a.azurewebsites.net")]), "App Service 2017");
        assert_eq!(kind(&KUBERNETES), "Kubernetes");
    }

    #[test]
    fn the_order_is_that_of_the_official_libraries() {
        let everything = [ENDPOINT, HEADER, ("IMDS_ENDPOINT", "http://localhost"), MSI, SECRET];
        assert_eq!(kind(&everything), "App Service");
        assert_eq!(kind(&everything[3..]), "Azure Machine Learning");
        let webhook_too: Vec<_> = [MSI].into_iter().chain(KUBERNETES).collect();
        assert_eq!(kind(&webhook_too), "Cloud Shell");
        // Without a trace of the webhook's authority this is somebody's own configuration for another credential.
        assert_eq!(kind(&KUBERNETES[1..]), "IMDS");
    }

    #[test]
    fn a_variable_that_was_emptied_is_not_set() {
        assert_eq!(kind(&[("IDENTITY_ENDPOINT", ""), ("IDENTITY_HEADER", ""), ("MSI_ENDPOINT", "")]), "IMDS");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_agent_of_azure_arc_is_found_without_variables() {
        let machine = Scripted::new(&[]);
        machine.files.put("/opt/azcmagent/bin/himds", "");
        let endpoint = "http://localhost:40342/metadata/identity/oauth2/token";
        assert_eq!(detect_on(&machine), Ok(("Azure Arc".into(), endpoint.into())));
        assert!(machine.http.sent().is_empty());
    }

    #[test]
    fn what_does_not_fit_is_explained() {
        for (variables, words) in [
            (vec![ENDPOINT], "neither IDENTITY_HEADER"),
            (vec![ENDPOINT, HEADER, ("IDENTITY_SERVER_THUMBPRINT", "0")], "has an https endpoint"),
            (vec![("IDENTITY_ENDPOINT", "localhost:80"), HEADER], "not an http URL"),
            (vec![("MSI_ENDPOINT", "nonsense")], "MSI_ENDPOINT is \"nonsense\""),
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
