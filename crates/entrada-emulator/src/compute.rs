//! The kinds of resources that programs run in, which differ in their type and in little else.

use crate::config::{ComputeHost, Config};
use crate::directory::resource_id;

/// A kind of resource that can have managed identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ComputeKind {
    WebApp,
    VirtualMachine,
    ContainerApp,
    FabricApplication,
    ArcMachine,
    MlCompute,
    ContainerGroup,
}

impl ComputeKind {
    pub(crate) const ALL: [Self; 7] = [
        Self::WebApp,
        Self::VirtualMachine,
        Self::ContainerApp,
        Self::FabricApplication,
        Self::ArcMachine,
        Self::MlCompute,
        Self::ContainerGroup,
    ];

    /// The resource type, as Resource Manager writes it.
    pub(crate) fn resource_type(self) -> &'static str {
        match self {
            Self::WebApp => "Microsoft.Web/sites",
            Self::VirtualMachine => "Microsoft.Compute/virtualMachines",
            Self::ContainerApp => "Microsoft.App/containerApps",
            Self::FabricApplication => "Microsoft.ServiceFabric/managedClusters/applications",
            Self::ArcMachine => "Microsoft.HybridCompute/machines",
            Self::MlCompute => "Microsoft.MachineLearningServices/workspaces/computes",
            Self::ContainerGroup => "Microsoft.ContainerInstance/containerGroups",
        }
    }

    /// What a resource of the kind is called in messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::WebApp => "web app",
            Self::VirtualMachine => "virtual machine",
            Self::ContainerApp => "container app",
            Self::FabricApplication => "Service Fabric application",
            Self::ArcMachine => "Arc machine",
            Self::MlCompute => "ML compute",
            Self::ContainerGroup => "container group",
        }
    }

    /// The resources of the kind.
    pub(crate) fn list(self, config: &Config) -> &[ComputeHost] {
        match self {
            Self::WebApp => &config.web_apps,
            Self::VirtualMachine => &config.virtual_machines,
            Self::ContainerApp => &config.container_apps,
            Self::FabricApplication => &config.service_fabric_applications,
            Self::ArcMachine => &config.arc_machines,
            Self::MlCompute => &config.ml_computes,
            Self::ContainerGroup => &config.container_groups,
        }
    }

    /// Name of the resource of the kind that programs are placed inside.
    fn inside(self, config: &Config) -> &str {
        let inside = &config.inside;
        match self {
            Self::WebApp => &inside.app_service,
            Self::VirtualMachine => &inside.virtual_machine,
            Self::ContainerApp => &inside.container_app,
            Self::FabricApplication => &inside.service_fabric,
            Self::ArcMachine => &inside.azure_arc,
            Self::MlCompute => &inside.azure_ml,
            Self::ContainerGroup => &inside.container_instance,
        }
    }

    /// The resource that programs are placed inside.
    pub(crate) fn inner(self, config: &Config) -> Option<&ComputeHost> {
        let name = self.inside(config);
        self.list(config).iter().find(|host| host.name.eq_ignore_ascii_case(name))
    }

    /// Whether a resource of the kind is a part of another: an application of its cluster.
    pub(crate) fn is_nested(self) -> bool {
        self.resource_type().split('/').count() == 3
    }

    /// Resource id of a resource of the kind.
    pub(crate) fn id(self, host: &ComputeHost) -> String {
        let kind = self.resource_type();
        let (subscription, group) = (&host.subscription, &host.resource_group);
        match (kind.rsplit_once('/'), &host.parent) {
            (Some((outer, inner)), Some(parent)) if self.is_nested() => {
                format!("{}/{inner}/{}", resource_id(subscription, group, outer, parent), host.name)
            }
            _ => resource_id(subscription, group, kind, &host.name),
        }
    }
}
