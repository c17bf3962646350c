//! The part of a world that says where its programs run.

use crate::world;
use serde::{Deserialize, Serialize};

/// Names the resources that programs run inside.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inside {
    /// Name of the web app of [`crate::Host::AppService`]; default `orders-web`.
    pub app_service: String,
    /// Name of the virtual machine of [`crate::Host::VirtualMachine`]; default `build-vm`.
    pub virtual_machine: String,
    /// Name of the container app of [`crate::Host::ContainerApp`]; default `orders-api`.
    pub container_app: String,
    /// Name of the application of [`crate::Host::ServiceFabric`]; default `orders-fabric`.
    pub service_fabric: String,
    /// Name of the machine of [`crate::Host::AzureArc`]; default `orders-arc`.
    pub azure_arc: String,
    /// Name of the compute of [`crate::Host::AzureMl`]; default `orders-ml`.
    pub azure_ml: String,
    /// Name of the container group of [`crate::Host::ContainerInstance`]; default `orders-group`.
    pub container_instance: String,
    /// Name of the user whose [`crate::Host::CloudShell`] it is; default `ada@contoso.onmicrosoft.com`.
    pub cloud_shell: String,
}

impl Default for Inside {
    fn default() -> Self {
        Self {
            app_service: world::WEB_APP.into(),
            virtual_machine: world::VIRTUAL_MACHINE.into(),
            container_app: world::CONTAINER_APP.into(),
            service_fabric: world::FABRIC_APPLICATION.into(),
            azure_arc: world::ARC_MACHINE.into(),
            azure_ml: world::ML_COMPUTE.into(),
            container_instance: world::CONTAINER_GROUP.into(),
            cloud_shell: world::USER_NAME.into(),
        }
    }
}

/// The cluster of [`crate::Host::Kubernetes`], and the service account that a program has there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kubernetes {
    /// Name of the cluster; default `orders-aks`.
    pub cluster: String,
    /// Its OIDC issuer, which signs service-account tokens.
    pub issuer: String,
    /// Subject of the service account's tokens; default `system:serviceaccount:orders:orders-sa`.
    pub subject: String,
    /// Name of the user-assigned identity that `AZURE_CLIENT_ID` is of; default `orders-identity`.
    pub identity: String,
}

impl Default for Kubernetes {
    fn default() -> Self {
        Self {
            cluster: world::CLUSTER.into(),
            issuer: world::CLUSTER_ISSUER.into(),
            subject: world::SERVICE_ACCOUNT.into(),
            identity: world::USER_ASSIGNED.into(),
        }
    }
}

/// The workflow of [`crate::Host::GitHubActions`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GitHubActions {
    /// The repository, `OWNER/NAME`; default `contoso/orders`.
    pub repository: String,
    /// The branch or tag that it runs on; default `refs/heads/main`.
    pub reference: String,
    /// The environment that the job deploys to; the subject of its tokens then names this in place of the branch.
    pub environment: Option<String>,
    /// Issuer of its tokens; default `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// Client id of the app or identity that the workflow names in `AZURE_CLIENT_ID`; default that of `orders-ci`.
    pub client_id: String,
    /// Tenant that the workflow names in `AZURE_TENANT_ID`; default Contoso's.
    pub tenant: String,
}

impl Default for GitHubActions {
    fn default() -> Self {
        Self {
            repository: world::GITHUB_REPOSITORY.into(),
            reference: "refs/heads/main".into(),
            environment: None,
            issuer: world::GITHUB_ISSUER.into(),
            client_id: world::APP_CLIENT_ID.into(),
            tenant: world::TENANT_ID.into(),
        }
    }
}

impl GitHubActions {
    /// The claim `sub` of its tokens.
    pub(crate) fn subject(&self) -> String {
        match &self.environment {
            Some(environment) => format!("repo:{}:environment:{environment}", self.repository),
            None => format!("repo:{}:ref:{}", self.repository, self.reference),
        }
    }
}

/// The pipeline of [`crate::Host::AzurePipelines`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AzurePipelines {
    /// Name of the organization; default `contoso`.
    pub organization: String,
    /// Name of the project; default `orders`.
    pub project: String,
    /// Name of the service connection; default `azure-orders`.
    pub service_connection: String,
    /// Its id, a GUID.
    pub service_connection_id: String,
    /// Issuer of the tokens: that of the organization.
    pub issuer: String,
    /// Client id of the app or identity that the service connection is of; default that of `orders-ci`.
    pub client_id: String,
    /// Tenant of the service connection; default Contoso's.
    pub tenant: String,
}

impl Default for AzurePipelines {
    fn default() -> Self {
        Self {
            organization: "contoso".into(),
            project: "orders".into(),
            service_connection: "azure-orders".into(),
            service_connection_id: world::SERVICE_CONNECTION_ID.into(),
            issuer: world::PIPELINES_ISSUER.into(),
            client_id: world::APP_CLIENT_ID.into(),
            tenant: world::TENANT_ID.into(),
        }
    }
}

impl AzurePipelines {
    /// The claim `sub` of its tokens.
    pub(crate) fn subject(&self) -> String {
        format!("sc://{}/{}/{}", self.organization, self.project, self.service_connection)
    }
}

/// Limits of the metadata service. 0 turns one off.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Token requests that may be in flight at a time; default 5, as on a virtual machine.
    pub imds_concurrent: usize,
    /// Token requests in any second; default 20, as on a virtual machine.
    pub imds_per_second: usize,
    /// How long after the start of a run the endpoint of [`crate::Host::ContainerInstance`] refuses connections,
    /// in milliseconds; default 2000.
    pub container_start_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { imds_concurrent: 5, imds_per_second: 20, container_start_ms: 2_000 }
    }
}
