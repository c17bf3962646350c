//! Who authenticates the users of a domain: the question that clients ask before they send a password.

use super::EntraError;
use crate::call::{Call, Reply};
use crate::cloud::Names;
use crate::state::State;
use serde_json::json;

/// `/common/userrealm/{user}?api-version=1.0`.
pub(super) fn answer(state: &State, names: &Names, user: &str, call: &Call) -> Result<Reply, EntraError> {
    if call.parameter("api-version") != Some("1.0") {
        return Err(EntraError::request(
            900_144,
            "The request must contain the following parameter: 'api-version', with the value '1.0'.",
        ));
    }
    let domain = user.rsplit_once('@').map(|(_, domain)| domain).filter(|domain| !domain.is_empty());
    let is_ours = |domain: &str| {
        let tenant = state.directory.tenant(domain).filter(|tenant| tenant.domain.eq_ignore_ascii_case(domain));
        // A user may have a name in another domain than their tenant's first one.
        let of_a_user = |name: &str| name.rsplit_once('@').is_some_and(|(_, other)| other.eq_ignore_ascii_case(domain));
        tenant.is_some() || state.directory.config.users.iter().any(|user| of_a_user(&user.name))
    };
    let instance = names.authority.split_once('.').map_or("", |(_, rest)| rest);
    let body = match domain.filter(|domain| is_ours(domain)) {
        Some(domain) => json!({
            "ver": "1.0",
            "account_type": "Managed",
            "domain_name": domain,
            "cloud_instance_name": instance,
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }),
        None => json!({"ver": "1.0", "account_type": "Unknown", "cloud_instance_name": instance}),
    };
    Ok(Reply::json(200, &body))
}
