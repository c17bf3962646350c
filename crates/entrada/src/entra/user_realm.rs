//! Who keeps an account's password, as Entra tells before anybody signs in.

use std::time::Duration;

use serde_json::Value;

use super::Client;
use super::authority::Kind;
use crate::deadline::Deadline;
use crate::platform::{HttpRequest, Route};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Whether somebody else than Entra keeps the password of this account; `None` where Entra does not say.
///
/// It is asked so that a password is not sent where it cannot be right. MSAL's libraries ask the same.
pub(crate) async fn is_federated(client: &Client, username: &str, deadline: Deadline) -> Option<bool> {
    if client.authority.kind() != Kind::Entra {
        return None;
    }
    let mut url = client.authority.token_endpoint("common");
    url.path_segments_mut().ok()?.clear().extend(["common", "userrealm", username]);
    url.set_query(Some("api-version=1.0"));
    let left = deadline.left(client.platform.clock());
    let request = HttpRequest::get(url, Route::Proxied, TIMEOUT.min(left));
    let response = client.platform.http().send(&request).await.ok().filter(|response| response.status == 200)?;
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    match body.get("account_type")?.as_str()? {
        "Federated" => Some(true),
        "Managed" => Some(false),
        _ => None,
    }
}
