//! The challenges of resources.

use crate::challenge::{Demand, parse};
use crate::entra::check_tenant_id;

/// A `WWW-Authenticate` header: whatever it demands of the next token can be asked for.
pub fn www_authenticate(data: &[u8]) {
    let Ok(header) = std::str::from_utf8(data) else { return };
    let challenges = parse(header);
    let demand = Demand::read(header);
    if let Some(claims) = &demand.claims {
        let claims: serde_json::Value = serde_json::from_str(claims).expect("claims are JSON");
        assert!(claims.is_object(), "claims that are {claims}");
    }
    if let Some(tenant_id) = &demand.tenant_id {
        assert!(check_tenant_id(tenant_id).is_ok(), "a tenant {tenant_id:?}");
    }
    assert!(challenges.is_some() || demand == Demand::default(), "a demand out of a malformed header");
}
