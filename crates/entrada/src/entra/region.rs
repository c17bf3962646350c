//! The regional endpoints of Microsoft Entra, for apps that run in Azure and ask for themselves.
//!
//! `AZURE_REGIONAL_AUTHORITY_NAME` names a region, or wants it to be found out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use serde_json::Value;
use url::{Host, Url};

use crate::cache::{Flights, Joined};
use crate::error::Error;
use crate::platform::{HttpRequest, Platform, Route};
use crate::runtime;

const VARIABLE: &str = "AZURE_REGIONAL_AUTHORITY_NAME";
/// Words that want the region to be found out; the second and third are those of older clients.
const DETECT: [&str; 3] = ["autodiscover", "tryautodetect", "true"];
/// <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
const METADATA_SERVICE: &str = "http://169.254.169.254";
const COMPUTE: &str = "metadata/instance/compute?api-version=2021-02-01";
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long it is remembered that the region cannot be found out.
const IGNORANCE: Duration = Duration::from_secs(600);
/// The hosts whose regional twins are below `login.microsoft.com`.
const PUBLIC: [&str; 4] = ["login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"];

/// The region that tokens are fetched from.
#[derive(Clone, Debug)]
pub(super) enum Region {
    /// None in particular.
    Global,
    /// This one.
    Named(String),
    /// The one that this program runs in, found out on this machine.
    Here(Platform),
}

impl Region {
    /// What `AZURE_REGIONAL_AUTHORITY_NAME` says. `machine` is without the HTTP pipeline of a user's own: what finds out the
    /// region asks this machine, never a proxy.
    pub(super) fn read(machine: &Platform) -> Result<Self, Error> {
        let Some(value) = machine.environment().var(VARIABLE) else {
            return Ok(Self::Global);
        };
        let value = value.trim();
        match value {
            "" => Ok(Self::Global),
            _ if DETECT.iter().any(|word| value.eq_ignore_ascii_case(word)) => Ok(Self::Here(machine.clone())),
            name if is_region(name) => Ok(Self::Named(name.to_owned())),
            _ => Err(Error::invalid_argument(format!("{VARIABLE} {value:?} is not the name of a region")).next(
                "use a name as `az account list-locations --query [].name` prints it, such as westeurope; AutoDiscover \
                 to find it out; or unset the variable",
            )),
        }
    }

    /// The region's name, where there is one. Where it cannot be found out there is none.
    pub(super) async fn name(&self) -> Option<String> {
        let machine = match self {
            Self::Global => return None,
            Self::Named(name) => return Some(name.clone()),
            Self::Here(machine) => machine,
        };
        if let Some(name) = machine.environment().var("REGION_NAME").and_then(|name| region(&name)) {
            return Some(name);
        }
        let here = machine.memory().of::<Here>();
        if let Some(known) = here.known(machine.clock().elapsed()) {
            return known;
        }
        let landed = || here.known(machine.clock().elapsed());
        let departure = || {
            let (here, machine) = (Arc::clone(&here), machine.clone());
            Box::pin(async move {
                let found = look(&machine).await;
                here.remember(machine.clock().elapsed(), found.clone());
                Ok(found)
            }) as _
        };
        match here.looks.join((), landed, departure) {
            Joined::Landed(found) => found,
            Joined::Flight(look) => look.wait().await.ok().flatten(),
        }
    }
}

/// The twin of an endpoint in a region; `None` for a server that has none.
pub(super) fn twin(endpoint: &Url, region: &str) -> Option<Url> {
    let Some(Host::Domain(host)) = endpoint.host() else { return None };
    let host = if PUBLIC.contains(&host) { "login.microsoft.com" } else { host };
    let mut twin = endpoint.clone();
    twin.set_host(Some(&format!("{region}.{host}"))).ok().map(|()| twin)
}

/// What this process knows of where it runs.
struct Here {
    /// The region, or that it could not be found out; and when.
    found: Mutex<Option<(Option<String>, Duration)>>,
    looks: Arc<Flights<(), Option<String>>>,
}

impl Default for Here {
    fn default() -> Self {
        Self { found: Mutex::default(), looks: Flights::new() }
    }
}

impl Here {
    fn lock(&self) -> MutexGuard<'_, Option<(Option<String>, Duration)>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, now: Duration) -> Option<Option<String>> {
        let _gate = runtime::fork_gate();
        let (found, at) = self.lock().clone()?;
        (found.is_some() || now.saturating_sub(at) < IGNORANCE).then_some(found)
    }

    fn remember(&self, now: Duration, found: Option<String>) {
        let _gate = runtime::fork_gate();
        *self.lock() = Some((found, now));
    }
}

/// Asks the metadata service, once and not for long: without an answer the global endpoint does as well.
async fn look(machine: &Platform) -> Option<String> {
    let elsewhere = machine.environment().var("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    let service = elsewhere.as_deref().unwrap_or(METADATA_SERVICE).trim_end_matches('/');
    let request = HttpRequest::get(Url::parse(&format!("{service}/{COMPUTE}")).ok()?, Route::Direct, TIMEOUT)
        .header(HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
    let found = match machine.http().send(&request).await {
        Ok(response) if response.status == 200 => {
            let body: Option<Value> = serde_json::from_slice(&response.body).ok();
            body.as_ref().and_then(|body| region(body.get("location")?.as_str()?))
        }
        _ => None,
    };
    match &found {
        Some(region) => tracing::debug!(region, "tokens are fetched from the region this program runs in"),
        None => tracing::warn!("the region was not found out; tokens are fetched from the global endpoint"),
    }
    found
}

/// A region's name out of how hosts write it: App Service says `West Europe`.
fn region(text: &str) -> Option<String> {
    let name = text.replace(' ', "").to_ascii_lowercase();
    is_region(&name).then_some(name)
}

/// Whether a text can be a label of a host name, and so cannot lead anywhere else than below the authority.
fn is_region(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(inner)
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::platform::HttpError;
    use crate::platform::scripted::{Scripted, response};

    async fn name(machine: &Scripted) -> Option<String> {
        Region::read(&machine.platform).expect("a region").name().await
    }

    #[tokio::test]
    async fn a_name_asks_nobody() {
        let machine = Scripted::new(&[(VARIABLE, "westeurope"), ("REGION_NAME", "eastus")]);
        assert_eq!(name(&machine).await.as_deref(), Some("westeurope"));
        assert_eq!(name(&Scripted::new(&[])).await, None);
        assert!(machine.http.sent().is_empty());
    }

    #[tokio::test]
    async fn the_host_says_where_it_is() {
        let machine = Scripted::new(&[(VARIABLE, "AutoDiscover"), ("REGION_NAME", "West Europe")]);
        assert_eq!(name(&machine).await.as_deref(), Some("westeurope"));
        assert!(machine.http.sent().is_empty());
        let machine = Scripted::new(&[(VARIABLE, "TryAutoDetect")])
            .answers([Ok(response(200, r#"{"location":"eastus2","name":"vm"}"#))]);
        for _ in 0..2 {
            assert_eq!(name(&machine).await.as_deref(), Some("eastus2"));
        }
        let sent = machine.http.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!((&*sent[0].line, sent[0].route), (&*format!("GET {METADATA_SERVICE}/{COMPUTE}"), Route::Direct));
        assert_eq!(sent[0].headers["metadata"], "true");
    }

    #[tokio::test]
    async fn what_cannot_be_found_out_is_not_asked_for_each_time() {
        for answer in [
            Err(HttpError::Timeout(TIMEOUT)),
            Ok(response(404, "{}")),
            Ok(response(200, r#"{"location":"evil.test/"}"#)),
            Ok(response(200, "<html></html>")),
        ] {
            let found = Ok(response(200, r#"{"location":"eastus2"}"#));
            let machine = Scripted::new(&[(VARIABLE, "true")]).answers([answer, found]);
            assert_eq!(name(&machine).await, None);
            assert_eq!(name(&machine).await, None);
            assert_eq!(machine.http.sent().len(), 1);
            machine.clock.advance(IGNORANCE);
            assert_eq!(name(&machine).await.as_deref(), Some("eastus2"));
        }
    }

    #[test]
    fn what_is_no_region_is_refused() {
        for bad in ["West Europe", "-a", "a-", "1a", "a.b", "a/b", "evil.test#", &"a".repeat(64)] {
            let machine = Scripted::new(&[(VARIABLE, bad)]);
            let error = Region::read(&machine.platform).expect_err(bad);
            assert!(error.is_invalid_argument() && error.to_string().contains(VARIABLE), "{error}");
        }
        assert!(matches!(Region::read(&Scripted::new(&[(VARIABLE, " ")]).platform), Ok(Region::Global)));
    }

    #[test]
    fn the_twin_is_below_the_authority() {
        let twin = |url: &str| twin(&url.parse().expect("a URL"), "westeurope").map(|twin| twin.to_string());
        for (global, regional) in [
            ("https://login.microsoftonline.com/t/x", Some("https://westeurope.login.microsoft.com/t/x")),
            ("https://sts.windows.net/t/x", Some("https://westeurope.login.microsoft.com/t/x")),
            ("https://login.microsoftonline.us/t/x", Some("https://westeurope.login.microsoftonline.us/t/x")),
            ("https://login.stack.test:3001/t/x", Some("https://westeurope.login.stack.test:3001/t/x")),
            ("https://127.0.0.1/t/x", None),
            ("https://[::1]/t/x", None),
        ] {
            assert_eq!(twin(global).as_deref(), regional, "{global}");
        }
    }

    proptest! {
        #[test]
        fn no_region_leads_elsewhere(text in "[ -~]{0,70}") {
            if let Some(name) = region(&text) {
                let twin = twin(&"https://login.microsoftonline.us/t".parse().expect("a URL"), &name).expect("a twin");
                prop_assert_eq!(twin.host_str().map(str::to_owned), Some(format!("{name}.login.microsoftonline.us")));
            }
        }
    }
}
