//! What the two managed-identity hosts share: choosing an identity and issuing its token.

use crate::call::Call;
use crate::directory::Known;
use crate::resources::Audience;
use crate::state::State;
use crate::tokens::{self, ClientProof, Issued, SigningKey};

/// Lifetime of a managed identity's token, in seconds: 24 hours.
pub(crate) const LIFETIME: i64 = 86_400;

/// How a request names the identity it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    /// No identity named: the system-assigned one, or the only user-assigned one.
    Any,
    ClientId(&'a str),
    ObjectId(&'a str),
    ResourceId(&'a str),
}

/// Why there is no identity for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoIdentity {
    /// Not assigned to this host, or none is.
    NotFound,
    /// Several user-assigned ones, and the request does not say which.
    Several,
}

/// Chooses among the identities that the host with a resource id has.
pub(crate) fn choose<'a>(state: &'a State, host: &str, wanted: Wanted<'_>) -> Result<&'a Known, NoIdentity> {
    let assigned = state.host_identities.of(host);
    let system = assigned.system.then(|| state.directory.identity(host)).flatten();
    let mut attached = assigned.user.iter().filter_map(|object_id| state.directory.principal(object_id));
    let same = |given: &Option<String>, id: &str| given.as_deref().is_some_and(|given| given.eq_ignore_ascii_case(id));
    match wanted {
        Wanted::Any => {
            if let Some(system) = system {
                return Ok(system);
            }
            let first = attached.next().ok_or(NoIdentity::NotFound)?;
            attached.next().map_or(Ok(first), |_| Err(NoIdentity::Several))
        }
        Wanted::ClientId(id) => {
            system.into_iter().chain(attached).find(|known| same(&known.client_id, id)).ok_or(NoIdentity::NotFound)
        }
        Wanted::ObjectId(id) => system
            .into_iter()
            .chain(attached)
            .find(|known| known.object_id.eq_ignore_ascii_case(id))
            .ok_or(NoIdentity::NotFound),
        Wanted::ResourceId(id) => attached.find(|known| same(&known.resource_id, id)).ok_or(NoIdentity::NotFound),
    }
}

/// Finds the audience of `resource` in the identity's tenant; none when it is not known there.
pub(crate) fn audience(state: &State, identity: &Known, resource: &str) -> Option<Audience> {
    let tenant = state.directory.tenant(&identity.tenant)?;
    crate::resources::audience(&state.directory, tenant, resource)
}

/// Issues a token for a managed identity.
pub(crate) fn issue(
    state: &State,
    key: &SigningKey,
    call: &Call,
    identity: &Known,
    audience: &Audience,
) -> Option<(Issued, i64)> {
    let lifetime = call.token_shape.as_ref().and_then(|shape| shape.expires_in).unwrap_or(LIFETIME);
    let issued = tokens::issue(key, &state.directory, identity, audience, ClientProof::Certificate, lifetime)?;
    Some((issued, lifetime))
}

/// The name of the tenant an identity lives in, for messages.
pub(crate) fn tenant_of(identity: &Known) -> &str {
    &identity.tenant
}
