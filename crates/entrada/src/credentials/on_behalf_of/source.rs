//! The tokens of one user, for an app.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::cache::{Cache, Principal};
use crate::credential::Source;
use crate::deadline::Deadline;
use crate::entra::{self, Client, Grant, Granted};
use crate::error::{Error, Outcome};
use crate::scope;
use crate::sign_in::renew;
use crate::token::{Fetched, TokenRequest};
use crate::token_answer::{jwt_claim, jwt_expiry, rfc3339};

/// The longest assertion that is shown, in bytes. Tokens with hundreds of groups have some ten thousand.
const LONGEST: usize = 64 << 10;
/// So much may this machine's clock be ahead of Entra's, in seconds.
const SKEW: i64 = 5 * 60;

/// The app, and what its users share.
pub(super) struct App {
    pub(super) client: Client,
    pub(super) principal: Principal,
    pub(super) cache: Arc<Cache>,
}

/// A user of the app.
pub(super) struct OfUser {
    pub(super) app: Arc<App>,
    /// The app's, with the assertion.
    pub(super) principal: Principal,
    pub(super) assertion: Zeroizing<String>,
}

/// Refuses what cannot be a token, before a credential is made of it.
pub(super) fn check_form(assertion: &str) -> Result<(), Error> {
    let refuse = |what: &str| {
        Err(Error::invalid_argument(format!("the user assertion {what}")).next(
            "pass the access token that the user's client sent, without \"Bearer\": what follows it in the Authorization header",
        ))
    };
    match assertion {
        "" => refuse("is empty"),
        text if text.len() > LONGEST => refuse(&format!("is longer than {LONGEST} bytes")),
        text if text.contains(char::is_whitespace) => refuse("holds white space"),
        _ => Ok(()),
    }
}

impl OfUser {
    /// Refuses what Entra will not take, by what it says itself.
    fn check_claims(&self) -> Result<(), Error> {
        let now = self.app.client.platform.clock().unix_time();
        if let Some(expired) = jwt_expiry(&self.assertion).filter(|end| end.saturating_add(SKEW) <= now) {
            return Err(Error::failed(format!(
                "the user assertion expired at {}; by this machine's clock it is {}",
                rfc3339(expired),
                rfc3339(now)
            ))
            .next("answer 401, so that the user's client gets a new token; set this machine's clock if it is wrong"));
        }
        if jwt_claim(&self.assertion, "idtyp").as_ref().and_then(Value::as_str) == Some("app") {
            return Err(Error::failed("the user assertion is an app's own, and there is no user in it").next(
                "for a caller that is an app, ask in this app's own name, for example with ClientSecretCredential",
            ));
        }
        Ok(())
    }

    /// Keeps the refresh token, and returns the token.
    fn keep(&self, holder: Principal, granted: Granted) -> Fetched {
        if let Some(refresh_token) = granted.refresh_token {
            self.app.cache.renewals().keep(holder, refresh_token);
        }
        granted.fetched
    }
}

#[async_trait]
impl Source for OfUser {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        scope::check(request)?;
        self.app.client.check_tenant(request)
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let App { client, cache, .. } = &*self.app;
        let deadline = Deadline::after(client.platform.clock(), entra::LIMIT);
        // A refresh token could bring tokens of other tenants too. Those that a tenant's policies refuse should not come by
        // way of another one.
        let tenant_id = request.tenant_id.as_deref().unwrap_or(client.tenants.own());
        let holder = self.principal.with(&tenant_id.to_ascii_lowercase());
        let refused = match renew(client, cache, holder, request, deadline).await {
            None => None,
            Some(Ok(granted)) => return Ok(self.keep(holder, granted)),
            Some(Err(error)) if error.outcome() == Outcome::InteractionRequired => Some(error),
            Some(Err(error)) => return Err(error),
        };
        let outcome = match self.check_claims() {
            Ok(()) => client.redeem(request, &Grant::OnBehalfOf(&self.assertion), deadline).await,
            Err(error) => Err(error),
        };
        match (outcome, refused) {
            (Ok(granted), _) => Ok(self.keep(holder, granted)),
            (Err(error), None) => Err(error),
            (Err(error), Some(earlier)) => Err(error.following("the refresh token was refused", &earlier)),
        }
    }
}
