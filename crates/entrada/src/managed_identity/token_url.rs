//! The query by which hosts are asked for a token. They differ in the names of the parameters.

use url::Url;

use super::UserAssignedId;

/// What a host calls the ids of a user-assigned identity. A client id is `client_id` everywhere.
pub(super) struct Parameters {
    pub(super) api_version: &'static str,
    pub(super) object_id: &'static str,
    pub(super) resource_id: &'static str,
}

/// Where to ask for a token for `resource` of the system-assigned identity, or of `id`.
pub(super) fn token_url(endpoint: &Url, parameters: &Parameters, resource: &str, id: Option<&UserAssignedId>) -> Url {
    let mut url = endpoint.clone();
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("api-version", parameters.api_version).append_pair("resource", resource);
        match id {
            Some(UserAssignedId::ClientId(id)) => query.append_pair("client_id", id),
            Some(UserAssignedId::ObjectId(id)) => query.append_pair(parameters.object_id, id),
            Some(UserAssignedId::ResourceId(id)) => query.append_pair(parameters.resource_id, id),
            None => &mut query,
        };
    }
    url
}
