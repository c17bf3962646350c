//! Subscriptions and tenants.

use super::{Reply, Request};
use crate::config::Subscription;
use serde_json::{Value, json};

/// `GET /subscriptions`: those in which the caller has a role.
pub(super) fn list(request: &Request<'_>) -> Reply {
    let known = &request.caller.known;
    let visible: Vec<Value> = request
        .state
        .directory
        .config
        .subscriptions
        .iter()
        .filter(|subscription| subscription.tenant.eq_ignore_ascii_case(&known.tenant))
        .filter(|subscription| request.state.assignments.touch(&known.object_id, &scope(&subscription.id)))
        .map(json_of)
        .collect();
    let count = visible.len();
    Reply::json(200, &json!({"value": visible, "count": {"type": "Total", "value": count}}))
}

/// `GET /subscriptions/{id}`.
pub(super) fn get(request: &Request<'_>, id: &str) -> Result<Reply, Reply> {
    let subscription = request.subscription(id)?;
    let scope = scope(&subscription.id);
    if !request.state.assignments.touch(&request.caller.known.object_id, &scope) {
        return Err(request.forbidden("Microsoft.Resources/subscriptions/read", &scope));
    }
    Ok(Reply::json(200, &json_of(subscription)))
}

/// `GET /tenants`: the caller's own.
pub(super) fn tenants(request: &Request<'_>) -> Reply {
    let own = request.state.directory.tenant(&request.caller.known.tenant).map(|tenant| {
        json!({
            "id": format!("/tenants/{}", tenant.id),
            "tenantId": tenant.id,
            "countryCode": "NL",
            "displayName": tenant.name,
            "domains": [tenant.domain],
            "tenantCategory": "Home",
            "defaultDomain": tenant.domain,
            "tenantType": "AAD",
        })
    });
    Reply::json(200, &json!({"value": own.into_iter().collect::<Vec<_>>()}))
}

/// The resource id of a subscription.
pub(super) fn scope(id: &str) -> String {
    format!("/subscriptions/{id}")
}

fn json_of(subscription: &Subscription) -> Value {
    json!({
        "id": scope(&subscription.id),
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant,
        "displayName": subscription.name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    })
}
