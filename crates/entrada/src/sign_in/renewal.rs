//! New tokens without the person: with the refresh token that came with the last one (RFC 6749, section 6).

use std::sync::Arc;

use async_trait::async_trait;

use super::{AuthenticationRecord, account};
use crate::cache::{Cache, Principal};
use crate::credential::Source;
use crate::deadline::Deadline;
use crate::entra::{self, Client, Grant, Granted};
use crate::error::{Error, Outcome};
use crate::scope;
use crate::token::{Fetched, TokenRequest};

/// The source of a signed-in account's tokens. It never asks the person, so that a token can be renewed behind the
/// callers' backs without a browser appearing out of nothing.
pub(super) struct Renewing {
    pub(super) client: Arc<Client>,
    pub(super) cache: Arc<Cache>,
    pub(super) principal: Principal,
    pub(super) record: AuthenticationRecord,
}

#[async_trait]
impl Source for Renewing {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        scope::check(request)?;
        self.client.check_tenant(request)
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let deadline = Deadline::after(self.client.platform.clock(), entra::LIMIT);
        let Some(outcome) = renew(&self.client, &self.cache, self.principal, request, deadline).await else {
            return Err(Error::interaction_required("there is no refresh token of this account, or not any more"));
        };
        let granted = outcome?;
        if granted.id_token.is_some() || granted.client_info.is_some() {
            let who = account(&granted, &self.client, None)?;
            // Without the client info, the same person is somebody else in each tenant.
            if granted.client_info.is_some() && who.home_account_id() != self.record.home_account_id() {
                return Err(Error::failed("the refresh token brought a token of another account; it was thrown away")
                    .next("sign in again"));
            }
        }
        Ok(granted.fetched)
    }
}

/// Redeems the refresh token that is kept for `principal`, and keeps the one that comes back; `None` where there is
/// none. One that is dead is forgotten, and a person is needed.
pub(crate) async fn renew(
    client: &Client,
    cache: &Cache,
    principal: Principal,
    request: &TokenRequest,
    deadline: Deadline,
) -> Option<Result<Granted, Error>> {
    let renewals = cache.renewals();
    let mut secret = renewals.get(&principal)?;
    loop {
        let mut outcome = client.redeem(request, &Grant::RefreshToken(&secret), deadline).await;
        match &mut outcome {
            Ok(granted) => {
                if let Some(next) = granted.refresh_token.take() {
                    renewals.keep(principal, next);
                }
            }
            Err(error) if is_refused(error) => {
                // Somebody who asked at the same time may have brought the next one, in place of this one.
                if let Some(other) = renewals.get(&principal).filter(|other| ***other != **secret) {
                    secret = other;
                    continue;
                }
                if is_dead(error) {
                    renewals.forget(&principal, &secret);
                }
                outcome = outcome.map_err(Error::needing_a_person);
            }
            Err(_) => {}
        }
        return Some(outcome);
    }
}

/// That the refresh token does not do: it is dead, or it is not enough for what was asked for.
fn is_refused(error: &Error) -> bool {
    error.outcome() == Outcome::InteractionRequired
        || error.server_answer().and_then(|answer| answer.error.as_deref()) == Some("invalid_grant")
}

/// That the refresh token will never do again: it has expired, or was revoked, by a new password for example. From
/// Microsoft's list of AADSTS codes.
fn is_dead(error: &Error) -> bool {
    let Some(answer) = error.server_answer() else { return false };
    match answer.code.as_deref() {
        Some(code) => matches!(
            code,
            "AADSTS50089"
                | "AADSTS50132"
                | "AADSTS50133"
                | "AADSTS50173"
                | "AADSTS70000"
                | "AADSTS70008"
                | "AADSTS70043"
                | "AADSTS700081"
                | "AADSTS700082"
                | "AADSTS700084"
        ),
        None => answer.error.as_deref() == Some("invalid_grant"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use zeroize::Zeroizing;

    use super::*;
    use crate::credentials::EntraOptions;
    use crate::entra::Proof;
    use crate::platform::scripted::{Scripted, response};
    use crate::platform::{Http, HttpError, HttpRequest, HttpResponse};

    fn principal() -> Principal {
        Principal::new("test", &[])
    }

    /// A token endpoint that takes the newest refresh token only, while somebody else has just brought one.
    struct Rotating {
        cache: Arc<Cache>,
        seen: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Http for Rotating {
        async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
            let form = url::form_urlencoded::parse(&request.body);
            let shown = form.into_owned().find(|(name, _)| name == "refresh_token").expect("shown").1;
            self.seen.lock().expect("no panic").push(shown.clone());
            if shown == "old" {
                self.cache.renewals().keep(principal(), Zeroizing::new("new".into()));
                return Ok(response(400, r#"{"error":"invalid_grant","error_description":"AADSTS700082: old."}"#));
            }
            Ok(response(200, r#"{"access_token":"t","expires_in":60,"refresh_token":"newer"}"#))
        }
    }

    #[tokio::test]
    async fn who_comes_late_with_the_old_one_goes_on_with_the_new_one() {
        let cache = Cache::new(Default::default());
        cache.renewals().keep(principal(), Zeroizing::new("old".into()));
        let http = Arc::new(Rotating { cache: Arc::clone(&cache), seen: Mutex::default() });
        let platform = Scripted::new(&[]).platform.with_http(http.clone());
        let options = EntraOptions { platform: Some(platform), ..Default::default() };
        let client = Client::new("t", "client", Proof::None, &options).expect("valid");
        let deadline = Deadline::after(client.platform.clock(), Duration::from_secs(60));
        let request = TokenRequest::new(["s"]);
        let renewed = renew(&client, &cache, principal(), &request, deadline).await.expect("there is one");
        assert_eq!(renewed.expect("granted").fetched.token.secret(), "t");
        assert_eq!(*http.seen.lock().expect("no panic"), ["old", "new"]);
        assert_eq!(**cache.renewals().get(&principal()).expect("kept"), "newer");
    }

    #[tokio::test]
    async fn one_that_is_dead_goes_and_one_that_is_not_enough_stays() {
        for (code, stays) in [(50_173, false), (700_082, false), (50_076, true), (65_001, true), (53_003, true)] {
            let body = format!(r#"{{"error":"invalid_grant","error_description":"AADSTS{code}: no."}}"#);
            let machine = Scripted::new(&[]).answers([Ok(response(400, &body))]);
            let cache = Cache::new(Default::default());
            cache.renewals().keep(principal(), Zeroizing::new("r".into()));
            let options = EntraOptions { platform: Some(machine.platform), ..Default::default() };
            let client = Client::new("t", "client", Proof::None, &options).expect("valid");
            let deadline = Deadline::after(client.platform.clock(), Duration::from_secs(60));
            let request = TokenRequest::new(["s"]);
            let renewed = renew(&client, &cache, principal(), &request, deadline).await.expect("there is one");
            assert_eq!(renewed.expect_err("refused").outcome(), Outcome::InteractionRequired, "{code}");
            assert_eq!(cache.renewals().get(&principal()).is_some(), stays, "{code}");
        }
    }
}
