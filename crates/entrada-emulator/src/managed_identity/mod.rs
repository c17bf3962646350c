//! The endpoints of the hosts that hand out tokens of managed identities, and what they share: choosing an identity,
//! finding the resource, issuing, and writing times in the host's own way.

mod app_service;
pub(crate) mod arc_keys;
mod azure_arc;
mod cloud_shell;
pub(crate) mod imds;
mod metadata_query;
pub(crate) mod service_fabric;
pub(crate) mod throttle;

use crate::call::{Call, Reply};
use crate::directory::Known;
use crate::entra::claims_request::ClaimsRequest;
use crate::faults::ExpiryType;
use crate::host::Host;
use crate::resources::Audience;
use crate::state::State;
use crate::tokens::{self, ClientProof, Issued, SigningKey};
use serde_json::Value;

/// Lifetime of a managed identity's token, in seconds: 24 hours.
pub(crate) const LIFETIME: i64 = 86_400;

/// Answers a request to the endpoint of a host.
pub(crate) fn answer(state: &State, key: &SigningKey, host: Host, call: &Call) -> Reply {
    let request = Request { state, key, host, call };
    match host {
        Host::AppService | Host::ContainerApp => app_service::answer(&request, &app_service::V2019),
        Host::AppServiceLegacy => app_service::answer(&request, &app_service::V2017),
        Host::AzureMl => app_service::answer(&request, &app_service::MACHINE_LEARNING),
        Host::ServiceFabric => service_fabric::answer(&request),
        Host::AzureArc => azure_arc::answer(&request),
        Host::CloudShell => cloud_shell::answer(&request),
        Host::VirtualMachine | Host::ContainerInstance => imds::answer(&request),
        Host::Laptop
        | Host::Kubernetes
        | Host::KubernetesIdentityBinding
        | Host::GitHubActions
        | Host::AzurePipelines => Reply::text(404, "There is no identity endpoint here.").note("no such endpoint"),
    }
}

/// A request to the endpoint of a host.
pub(crate) struct Request<'a> {
    state: &'a State,
    key: &'a SigningKey,
    host: Host,
    call: &'a Call,
}

/// How a request names the identity it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted<'a> {
    /// No identity named: the system-assigned one, or the only user-assigned one.
    Any,
    ClientId(&'a str),
    ObjectId(&'a str),
    ResourceId(&'a str),
}

/// Why there is no token for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NoToken {
    /// The identity is not assigned to this host, or none is.
    NotFound,
    /// Several user-assigned ones, and the request does not say which.
    Several,
    /// Entra does not know the resource; in its words.
    Resource(String),
    /// The token could not be made; the reason.
    NotIssued(String),
}

/// A token that is about to be handed out.
struct Granted<'a> {
    identity: &'a Known,
    audience: Audience,
    issued: Issued,
    lifetime: i64,
}

impl<'a> Request<'a> {
    /// A parameter of the query that is there and not empty.
    fn given(&self, name: &str) -> Option<&'a str> {
        self.call.parameter(name).filter(|value| !value.is_empty())
    }

    /// The first of these parameters that is there more than once.
    fn repeated<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        let count = |name: &str| self.call.query.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count();
        names.iter().copied().find(|name| count(name) > 1)
    }

    /// Resource id of what the program runs in.
    fn resource_id(&self) -> Option<String> {
        let kind = self.host.compute()?;
        Some(kind.id(kind.inner(&self.state.directory.config)?))
    }

    /// Whether what the program runs in has a system-assigned identity.
    fn has_system_assigned(&self) -> bool {
        self.resource_id().is_some_and(|id| self.state.host_identities.of(&id).system)
    }

    /// Chooses an identity, and issues its token for a resource.
    fn token(&self, wanted: Wanted<'_>, resource: &str) -> Result<Granted<'a>, NoToken> {
        let id = self.resource_id().ok_or(NoToken::NotFound)?;
        self.token_of(choose(self.state, &id, wanted)?, resource)
    }

    /// Issues the token of a principal, or of the one that a fault puts in its place.
    fn token_of(&self, identity: &'a Known, resource: &str) -> Result<Granted<'a>, NoToken> {
        let directory = &self.state.directory;
        let identity = principal_to_show(self.state, self.call, identity).map_err(NoToken::NotIssued)?;
        let audience = directory
            .tenant(&identity.tenant)
            .and_then(|tenant| crate::resources::audience(directory, tenant, resource))
            .ok_or_else(|| NoToken::Resource(unknown_resource(resource, &identity.tenant)))?;
        let usual = if identity.client_id.is_some() { LIFETIME } else { tokens::USER_LIFETIME };
        let lifetime = self.call.token_shape.as_ref().and_then(|shape| shape.expires_in).unwrap_or(usual);
        let issued = tokens::issue(
            self.key,
            directory,
            identity,
            &audience,
            ClientProof::Certificate,
            &ClaimsRequest::default(),
            lifetime,
        )
        .ok_or_else(|| NoToken::NotIssued("The token could not be signed.".into()))?;
        Ok(Granted { identity, audience, issued, lifetime })
    }

    /// The answer with a token. Times in `body` are numbers; `usual` says how the host writes them.
    fn reply(&self, granted: &Granted<'_>, mut body: Value, usual: ExpiryType) -> Reply {
        if let Some(fields) = body.as_object_mut() {
            self.call.token_shape.clone().unwrap_or_default().apply(fields, usual);
        }
        let mut reply = Reply::json(200, &body).principal(granted.identity.shown(), &granted.audience.value);
        reply.trail.grant = Some("managed_identity");
        reply
    }
}

/// The principal whose token is handed out: `principal`, unless a fault names another.
pub(crate) fn principal_to_show<'a>(state: &'a State, call: &Call, principal: &'a Known) -> Result<&'a Known, String> {
    match call.token_shape.as_ref().and_then(|shape| shape.issue_for.as_deref()) {
        None => Ok(principal),
        Some(object_id) => state.directory.principal(object_id).ok_or_else(|| {
            format!("A fault rule has the token issued for '{object_id}', and no principal has this object id.")
        }),
    }
}

fn unknown_resource(resource: &str, tenant: &str) -> String {
    format!(
        "AADSTS500011: The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
    )
}

/// Chooses among the identities that the resource with an id has.
fn choose<'a>(state: &'a State, id: &str, wanted: Wanted<'_>) -> Result<&'a Known, NoToken> {
    let assigned = state.host_identities.of(id);
    let system = assigned.system.then(|| state.directory.identity(id)).flatten();
    let mut attached = assigned.user.iter().filter_map(|object_id| state.directory.principal(object_id));
    let same = |given: &Option<String>, id: &str| given.as_deref().is_some_and(|given| given.eq_ignore_ascii_case(id));
    match wanted {
        Wanted::Any => {
            if let Some(system) = system {
                return Ok(system);
            }
            let first = attached.next().ok_or(NoToken::NotFound)?;
            attached.next().map_or(Ok(first), |_| Err(NoToken::Several))
        }
        Wanted::ClientId(id) => {
            system.into_iter().chain(attached).find(|known| same(&known.client_id, id)).ok_or(NoToken::NotFound)
        }
        Wanted::ObjectId(id) => system
            .into_iter()
            .chain(attached)
            .find(|known| known.object_id.eq_ignore_ascii_case(id))
            .ok_or(NoToken::NotFound),
        Wanted::ResourceId(id) => attached.find(|known| same(&known.resource_id, id)).ok_or(NoToken::NotFound),
    }
}
