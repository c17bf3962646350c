//! However users, tenants, scopes, renewals and outages interleave, nobody is given another one's token.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join_all;
use proptest::prelude::*;

use super::{OnBehalfOfCredential, OnBehalfOfCredentialOptions};
use crate::cache::{Cache, CacheLimits};
use crate::credential::Credential;
use crate::credentials::EntraOptions;
use crate::platform::scripted::{Scripted, response};
use crate::platform::{Http, HttpError, HttpRequest, HttpResponse};
use crate::token::{Token, TokenRequest};

/// Says in each token whose it is, for which app, tenant and scopes; breaks every so often.
struct Entra {
    requests: AtomicU64,
    breaks: u64,
}

#[async_trait]
impl Http for Entra {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let turn = self.requests.fetch_add(1, Ordering::Relaxed);
        let form: HashMap<_, _> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let tenant = request.url.path().split('/').nth(1).unwrap_or_default().to_owned();
        // Others get their turn in between.
        tokio::task::yield_now().await;
        let (user, kept) = match (form.get("assertion"), form.get("refresh_token")) {
            (Some(assertion), _) => (assertion.clone(), false),
            (None, Some(token)) => (token.clone(), true),
            (None, None) => return Ok(response(400, r#"{"error":"invalid_request"}"#)),
        };
        let user = user.rsplit('.').next().unwrap_or_default().to_owned();
        match turn % self.breaks {
            0 if kept => Ok(response(
                400,
                r#"{"error":"invalid_grant","error_description":"AADSTS700082: x","error_codes":[700082]}"#,
            )),
            1 => Ok(response(400, r#"{"error":"invalid_request"}"#)),
            _ => {
                let scope = form["scope"].split(' ').next().unwrap_or_default().to_owned();
                let token = whose(&user, &form["client_secret"], &tenant, &scope);
                let body = serde_json::json!({"access_token": token, "expires_in": 3600, "refresh_token": format!("r.{user}")});
                Ok(response(200, &body.to_string()))
            }
        }
    }
}

fn whose(user: &str, secret: &str, tenant: &str, scope: &str) -> String {
    format!("{user}|{secret}|{tenant}|{scope}")
}

/// One request, by one of the ways to ask.
#[derive(Clone, Debug)]
struct Ask {
    user: u8,
    app: usize,
    tenant: Option<&'static str>,
    scope: &'static str,
    claims: bool,
    way: u8,
}

fn ask() -> impl Strategy<Value = Ask> {
    let tenant = prop_oneof![Just(None), Just(Some("home")), Just(Some("other"))];
    (0..4_u8, 0..2_usize, tenant, prop_oneof![Just("a"), Just("b")], any::<bool>(), 0..4_u8)
        .prop_map(|(user, app, tenant, scope, claims, way)| Ask { user, app, tenant, scope, claims, way })
}

fn assertion(user: u8) -> String {
    format!("e30.{}.user{user}", URL_SAFE_NO_PAD.encode(r#"{"aud":"client"}"#))
}

async fn token(apps: &[Arc<OnBehalfOfCredential>], ask: &Ask) -> Option<Arc<Token>> {
    let (app, user) = (&apps[ask.app], assertion(ask.user));
    let mut request = TokenRequest::new([ask.scope]);
    request.tenant_id = ask.tenant.map(str::to_owned);
    request.claims = ask.claims.then(|| "{}".to_owned());
    let of_user = || app.for_user(&user).expect("valid");
    match ask.way {
        0 => app.token_for(&user, &request).await.ok(),
        1 => of_user().token(&request).await.ok(),
        2 => app.at_hand_for(&user, ask.scope, ask.tenant, false),
        _ => of_user().at_hand(&[ask.scope], ask.tenant, false),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nobody_is_given_another_ones_token(
        rounds in proptest::collection::vec((proptest::collection::vec(ask(), 1..12), 0..4_u64), 1..8),
        breaks in 3..9_u64,
        entries in 2..40_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let machine = Scripted::new(&[]);
        let platform = machine.platform.clone().with_http(Arc::new(Entra { requests: AtomicU64::new(2), breaks }));
        let cache = Cache::new(CacheLimits::default().entries(entries));
        let apps = ["s-0", "s-1"].map(|secret| {
            let entra = EntraOptions {
                platform: Some(platform.clone()),
                cache: Some(Arc::clone(&cache)),
                additionally_allowed_tenants: vec!["*".into()],
                ..Default::default()
            };
            let options = OnBehalfOfCredentialOptions { entra, ..Default::default() };
            OnBehalfOfCredential::with_secret("home", "client".into(), Secret::new(secret), Some(options)).expect("valid")
        });
        for (asks, quarters) in rounds {
            let tokens = runtime.block_on(join_all(asks.iter().map(|ask| token(&apps, ask))));
            for (ask, token) in asks.iter().zip(tokens) {
                let Some(token) = token else { continue };
                let secret = format!("s-{}", ask.app);
                let expected = whose(&format!("user{}", ask.user), &secret, ask.tenant.unwrap_or("home"), ask.scope);
                prop_assert_eq!(token.secret(), expected, "{:?}", ask);
            }
            machine.clock.advance(Duration::from_secs(quarters * 15 * 60));
        }
    }
}
