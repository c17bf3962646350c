//! Instance discovery: whether an authority that nobody knows is one of Microsoft Entra's.
//!
//! A wrong authority would be handed the app's proof, so the public cloud is asked first, once a process and host. Hosts
//! that are known are not asked about, and a failure is not remembered.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::Authority;
use super::token_endpoint::RETRY;
use crate::cache::{Flights, Joined};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::platform::{HttpRequest, HttpResponse, Platform, Route};
use crate::retry::Sending;
use crate::runtime;
use crate::token_answer::describe;

const TIMEOUT: Duration = Duration::from_secs(10);
const ASK: &str = "https://login.microsoftonline.com/common/discovery/instance?api-version=1.1";
const TRUST: &str = "if this authority is valid and trustworthy, set disable_instance_discovery";

/// What this process has learned of authorities.
struct Authorities {
    /// Hosts that the public cloud vouches for.
    confirmed: Mutex<HashSet<String>>,
    /// Questions that are under way, by host.
    questions: Arc<Flights<String, ()>>,
}

impl Default for Authorities {
    fn default() -> Self {
        Self { confirmed: Mutex::default(), questions: Flights::new() }
    }
}

impl Authorities {
    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_confirmed(&self, host: &str) -> bool {
        let _gate = runtime::fork_gate();
        self.lock().contains(host)
    }

    fn confirm(&self, host: String) {
        let _gate = runtime::fork_gate();
        self.lock().insert(host);
    }
}

/// Refuses an authority that neither is known nor one that the public cloud vouches for.
pub(super) async fn confirm(
    authority: &Authority,
    tenant_id: &str,
    platform: &Platform,
    deadline: Deadline,
) -> Result<(), Error> {
    if authority.is_known() {
        return Ok(());
    }
    let (authorities, host) = (platform.memory().of::<Authorities>(), authority.host());
    if authorities.is_confirmed(&host) {
        return Ok(());
    }
    let landed = || authorities.is_confirmed(&host).then_some(());
    let departure = || {
        let (authority, tenant_id) = (authority.clone(), tenant_id.to_owned());
        let (authorities, platform) = (Arc::clone(&authorities), platform.clone());
        Box::pin(async move {
            ask(&authority, &tenant_id, &platform, deadline).await?;
            authorities.confirm(authority.host());
            Ok(())
        }) as _
    };
    match authorities.questions.join(host.clone(), landed, departure) {
        Joined::Landed(()) => Ok(()),
        Joined::Flight(question) => question.wait().await,
    }
}

async fn ask(authority: &Authority, tenant_id: &str, platform: &Platform, deadline: Deadline) -> Result<(), Error> {
    let mut url = Url::parse(ASK).map_err(|error| Error::failed(format!("{ASK} is not a URL: {error}")))?;
    url.query_pairs_mut().append_pair("authorization_endpoint", authority.authorize_endpoint(tenant_id).as_str());
    let tried = format!("GET {url}");
    let request = HttpRequest::get(url, Route::Proxied, TIMEOUT);
    let sent = RETRY.send(&Sending { platform, deadline, limiter: None }, request).await;
    let outcome = sent.outcome.map_err(|error| {
        let remedy = error.remedy().map(|remedy| format!("{remedy}; or, ")).unwrap_or_default();
        Error::failed(format!(
            "{} is not a well-known authority, and the public cloud could not be asked about it: {error}",
            authority.as_str()
        ))
        .next(format!("{remedy}{TRUST}"))
    });
    outcome
        .and_then(|response| read(authority, &response))
        .map_err(|error| error.tried(format!("{tried}{}", sent.effort)))
}

fn read(authority: &Authority, response: &HttpResponse) -> Result<(), Error> {
    let body: Option<Value> = serde_json::from_slice(&response.body).ok();
    let text = |name: &str| body.as_ref()?.get(name)?.as_str();
    let authority = authority.as_str();
    let error = match (response.status, text("error"), text("tenant_discovery_endpoint")) {
        (200, None, Some(endpoint)) if endpoint.starts_with("https://") => return Ok(()),
        (_, Some("invalid_instance"), _) => {
            Error::failed(format!("the authority {authority} is not well-known: Microsoft Entra does not vouch for it"))
        }
        _ => Error::failed(format!(
            "{authority} is not a well-known authority, and the answer about it is not that of instance discovery"
        )),
    };
    Err(error.answer(describe(response)).next(format!("check the authority for typing errors; {TRUST}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::scripted::{Scripted, response};

    const VOUCHED: &str = r#"{"tenant_discovery_endpoint":"https://login.contoso.test/t/v2.0/.well-known/openid-configuration","api-version":"1.1","metadata":[]}"#;
    const INVALID: &str = r#"{"error":"invalid_instance","error_description":"AADSTS50049: Unknown or invalid instance.","error_codes":[50049]}"#;

    async fn look(machine: &Scripted, authority: &str) -> Result<(), Error> {
        let authority = Authority::new(Some(authority), machine.platform.environment()).expect("an authority");
        let deadline = Deadline::after(machine.platform.clock(), Duration::from_secs(60));
        confirm(&authority, "t", &machine.platform, deadline).await
    }

    #[tokio::test]
    async fn a_host_is_asked_about_once() {
        let machine = Scripted::new(&[]).answers([Ok(response(200, VOUCHED)), Ok(response(400, INVALID))]);
        for _ in 0..3 {
            look(&machine, "login.contoso.test").await.expect("vouched for");
        }
        let sent = machine.http.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(
            sent[0].line,
            format!(
                "GET {ASK}&authorization_endpoint=https%3A%2F%2Flogin.contoso.test%2Ft%2Foauth2%2Fv2.0%2Fauthorize"
            )
        );
        assert_eq!(sent[0].route, Route::Proxied);
        look(&machine, "https://login.contoso.test:8443").await.expect_err("another server");
    }

    #[tokio::test]
    async fn what_is_known_is_not_asked_about() {
        let machine = Scripted::new(&[]);
        for authority in ["login.windows.net", "https://adfs.contoso.test/adfs", "contoso.ciamlogin.com"] {
            look(&machine, authority).await.expect("known");
        }
        assert!(machine.http.sent().is_empty());
    }

    #[tokio::test]
    async fn a_refusal_says_how_to_go_on_and_is_not_remembered() {
        for (status, body, words) in [
            (400, INVALID, "is not well-known"),
            (200, "<html>Sign in to the network</html>", "is not that of instance discovery"),
            (200, r#"{"tenant_discovery_endpoint":"http://evil.test"}"#, "is not that of instance discovery"),
            (404, "{}", "is not that of instance discovery"),
        ] {
            let machine = Scripted::new(&[]).answers([Ok(response(status, body)), Ok(response(200, VOUCHED))]);
            let error = look(&machine, "login.contoso.test").await.expect_err("refused").to_string();
            assert!(error.contains(words) && error.contains("disable_instance_discovery"), "{error}");
            assert!(
                error.contains("login.contoso.test") && error.contains("tried: GET https://login.micro"),
                "{error}"
            );
            look(&machine, "login.contoso.test").await.expect("asked again");
        }
        let offline = look(&Scripted::new(&[]), "login.contoso.test").await.expect_err("no network").to_string();
        assert!(offline.contains("could not be asked") && offline.contains("disable_instance_discovery"), "{offline}");
    }
}
