//! Where a program can believe it runs, and who answers it there.

use crate::compute::ComputeKind;
use crate::journal::Service;
use serde::{Deserialize, Serialize};

/// Where a program believes it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Host {
    /// A developer's machine: no managed identity.
    #[default]
    Laptop,
    /// App Service or Functions: the web app of the world (`IDENTITY_ENDPOINT`, api-version 2019-08-01).
    AppService,
    /// The same web app, as programs of 2017 know it (`MSI_ENDPOINT`, api-version 2017-09-01).
    AppServiceLegacy,
    /// Container Apps, with App Service's protocol.
    ContainerApp,
    /// An application on a Service Fabric managed cluster.
    ServiceFabric,
    /// A machine of one's own that Azure Arc manages.
    AzureArc,
    /// A compute of an Azure Machine Learning workspace.
    AzureMl,
    /// Azure Cloud Shell: tokens are the user's.
    CloudShell,
    /// A virtual machine, with the instance metadata service.
    VirtualMachine,
    /// Container Instances: a metadata service that is not there yet when the container starts.
    ContainerInstance,
    /// A job of GitHub Actions: no managed identity, but tokens that speak of the job.
    #[serde(rename = "github-actions")]
    GitHubActions,
    /// A job of Azure Pipelines: no managed identity, but tokens that speak of a service connection.
    AzurePipelines,
    /// A pod on AKS with workload identity: a service-account token, and Entra.
    Kubernetes,
    /// The same with an identity binding: Entra is asked through a proxy of the cluster.
    KubernetesIdentityBinding,
}

impl Host {
    /// Every host.
    pub const ALL: [Host; 14] = [
        Host::Laptop,
        Host::AppService,
        Host::AppServiceLegacy,
        Host::ContainerApp,
        Host::ServiceFabric,
        Host::AzureArc,
        Host::AzureMl,
        Host::CloudShell,
        Host::VirtualMachine,
        Host::ContainerInstance,
        Host::Kubernetes,
        Host::KubernetesIdentityBinding,
        Host::GitHubActions,
        Host::AzurePipelines,
    ];

    /// The name, as in a configuration and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Host::Laptop => "laptop",
            Host::AppService => "app-service",
            Host::AppServiceLegacy => "app-service-legacy",
            Host::ContainerApp => "container-app",
            Host::ServiceFabric => "service-fabric",
            Host::AzureArc => "azure-arc",
            Host::AzureMl => "azure-ml",
            Host::CloudShell => "cloud-shell",
            Host::VirtualMachine => "virtual-machine",
            Host::ContainerInstance => "container-instance",
            Host::GitHubActions => "github-actions",
            Host::AzurePipelines => "azure-pipelines",
            Host::Kubernetes => "kubernetes",
            Host::KubernetesIdentityBinding => "kubernetes-identity-binding",
        }
    }

    /// Who answers at the endpoint that this host has of its own; none where there is no such endpoint.
    pub(crate) fn service(self) -> Option<Service> {
        match self {
            Host::Laptop | Host::Kubernetes | Host::GitHubActions | Host::AzurePipelines => None,
            Host::AppService | Host::AppServiceLegacy | Host::ContainerApp => Some(Service::AppService),
            Host::ServiceFabric => Some(Service::ServiceFabric),
            Host::AzureArc => Some(Service::AzureArc),
            Host::AzureMl => Some(Service::AzureMl),
            Host::CloudShell => Some(Service::CloudShell),
            Host::VirtualMachine | Host::ContainerInstance => Some(Service::Imds),
            Host::KubernetesIdentityBinding => Some(Service::Entra),
        }
    }

    /// The kind of resource a program on this host runs in.
    pub(crate) fn compute(self) -> Option<ComputeKind> {
        match self {
            Host::Laptop
            | Host::CloudShell
            | Host::Kubernetes
            | Host::KubernetesIdentityBinding
            | Host::GitHubActions
            | Host::AzurePipelines => None,
            Host::AppService | Host::AppServiceLegacy => Some(ComputeKind::WebApp),
            Host::ContainerApp => Some(ComputeKind::ContainerApp),
            Host::ServiceFabric => Some(ComputeKind::FabricApplication),
            Host::AzureArc => Some(ComputeKind::ArcMachine),
            Host::AzureMl => Some(ComputeKind::MlCompute),
            Host::VirtualMachine => Some(ComputeKind::VirtualMachine),
            Host::ContainerInstance => Some(ComputeKind::ContainerGroup),
        }
    }

    /// Whether the host hands out tokens of a managed identity, itself or, on Kubernetes, through Entra.
    #[must_use]
    pub fn has_managed_identity(self) -> bool {
        !matches!(self, Host::Laptop | Host::GitHubActions | Host::AzurePipelines)
    }

    /// Whether the metadata service answers at its link-local address.
    pub(crate) fn has_metadata_service(self) -> bool {
        self.service() == Some(Service::Imds)
    }

    /// The URL of the endpoint behind `port`, as this host's variables have it.
    pub(crate) fn endpoint(self, port: u16) -> Option<String> {
        Some(match self {
            Host::Laptop | Host::Kubernetes | Host::GitHubActions | Host::AzurePipelines => return None,
            Host::AppService | Host::AppServiceLegacy | Host::ContainerApp => {
                format!("http://127.0.0.1:{port}/msi/token")
            }
            // Its certificate is not the gateway's: the real one is on localhost, and known by its thumbprint.
            Host::ServiceFabric => format!("https://localhost:{port}/metadata/identity/oauth2/token"),
            Host::AzureArc => format!("http://localhost:{port}/metadata/identity/oauth2/token"),
            Host::AzureMl => format!("http://127.0.0.1:{port}/MSI/auth"),
            Host::CloudShell => format!("http://localhost:{port}/oauth2/token"),
            Host::VirtualMachine | Host::ContainerInstance => format!("http://127.0.0.1:{port}"),
            Host::KubernetesIdentityBinding => format!("https://127.0.0.1:{port}/token-proxy"),
        })
    }
}
