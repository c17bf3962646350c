//! A machine inside an emulated Azure.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entrada::platform::Platform;
use entrada::{Cache, CacheLimits, Credential, EntraOptions, Error, Token, TokenRequest};
use entrada_emulator::{AssertionWish, Config, Emulator, Host, Service, world};

/// The emulator, and a program on one of its hosts.
pub(crate) struct Machine {
    pub(crate) emulator: Emulator,
    pub(crate) variables: HashMap<String, String>,
}

impl Machine {
    pub(crate) async fn on(host: Host) -> Self {
        let emulator = Emulator::start(Config::default()).await.expect("the emulator starts");
        let variables = emulator.environment(host).into_iter().collect();
        Self { emulator, variables }
    }

    /// The same with a variable of another value, or without it.
    pub(crate) fn with(mut self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.variables.insert(name.into(), value.into()),
            None => self.variables.remove(name),
        };
        self
    }

    pub(crate) fn platform(&self) -> Platform {
        Platform::with_environment(Arc::new(self.variables.clone()))
    }

    /// Options with a cache of its own.
    pub(crate) fn options(&self) -> EntraOptions {
        EntraOptions {
            platform: Some(self.platform()),
            cache: Some(Cache::new(CacheLimits::default())),
            ..EntraOptions::default()
        }
    }

    /// A token of an issuer that `orders-ci` trusts, good for a while.
    pub(crate) fn assertion(&self, expires_in: i64) -> String {
        let wish = AssertionWish {
            issuer: world::GITHUB_ISSUER.into(),
            subject: world::GITHUB_SUBJECT.into(),
            expires_in: Some(expires_in),
            ..AssertionWish::default()
        };
        self.emulator.issue_assertion(&wish).expect("an assertion")
    }

    /// How many requests a service has answered.
    pub(crate) fn requests(&self, service: Service) -> usize {
        let entries = self.emulator.journal().entries();
        entries.iter().filter(|entry| entry.service == service && entry.method != "CONNECT").count()
    }
}

pub(crate) async fn token(credential: &dyn Credential) -> Result<Arc<Token>, Error> {
    credential.token(&TokenRequest::new(["https://vault.azure.net/.default"])).await
}

/// Whose token it is: its object id.
pub(crate) fn whose(token: &Token) -> String {
    let payload = token.secret().split('.').nth(1).expect("a JWT");
    let claims = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let claims: serde_json::Value = serde_json::from_slice(&claims).expect("claims");
    claims["oid"].as_str().expect("an object id").to_owned()
}
