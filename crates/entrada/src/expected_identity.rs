//! Whose tokens a program wants, and nobody else's.

use async_trait::async_trait;

use crate::credential::Source;
use crate::entra::{check_client_id, check_tenant_id};
use crate::error::{Condition, Error};
use crate::token::{Fetched, TokenRequest};
use crate::token_answer::{excerpt, jwt_claim};

/// The identity that a program must have. A token of any other one is refused, whatever source it comes from.
///
/// A machine may have an identity that its program was not meant to use: that of a virtual desktop, of the node under a
/// container, of the colleague who is signed in. A guard turns that into an error. It looks at the claims of the token
/// (`tid`, `appid` or `azp`, `oid`), so a token that cannot be read is refused as well.
///
/// ```
/// use entrada::{ExpectedIdentity, ManagedIdentityCredential, ManagedIdentityCredentialOptions};
///
/// let credential = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
///     expected: ExpectedIdentity {
///         client_id: Some("11111111-1111-4111-8111-111111111111".into()),
///         ..ExpectedIdentity::default()
///     },
///     ..ManagedIdentityCredentialOptions::default()
/// }))?;
/// # let _ = credential;
/// # Ok::<(), entrada::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpectedIdentity {
    /// Its tenant, a GUID; any by default.
    pub tenant_id: Option<String>,
    /// The client id of the app or managed identity, a GUID; any by default.
    pub client_id: Option<String>,
    /// The object id of its service principal or user, a GUID; any by default.
    pub object_id: Option<String>,
}

impl ExpectedIdentity {
    /// Refuses what cannot be an id.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.tenant_id.as_deref().map(check_tenant_id).transpose()?;
        self.client_id.as_deref().map(check_client_id).transpose()?;
        // Domain names, the other way to name a tenant, are not in tokens.
        for (name, id) in [("tenant id", &self.tenant_id), ("object id", &self.object_id)] {
            if let Some(id) = id.as_deref().filter(|id| uuid::Uuid::try_parse(id).is_err()) {
                return Err(Error::invalid_argument(format!("the expected {name} {id:?} is not a GUID"))
                    .next("tokens name tenants and objects by GUIDs; the Azure portal shows them"));
            }
        }
        Ok(())
    }

    /// What tells one guard from another: a token that went past one must not be handed out by another.
    pub(crate) fn parts(&self) -> [Option<&str>; 3] {
        [self.tenant_id.as_deref(), self.client_id.as_deref(), self.object_id.as_deref()]
    }

    /// Refuses a token of somebody else.
    fn admit(&self, token: &str) -> Result<(), Error> {
        for (name, expected, claims) in [
            ("tenant", &self.tenant_id, &["tid"][..]),
            ("client id", &self.client_id, &["appid", "azp"]),
            ("object id", &self.object_id, &["oid"]),
        ] {
            let Some(expected) = expected else { continue };
            let claim = claims.iter().find_map(|claim| jwt_claim(token, claim)?.as_str().map(excerpt));
            match claim {
                Some(actual) if actual.eq_ignore_ascii_case(expected) => {}
                actual => {
                    let actual = actual.map_or_else(|| "does not say".to_owned(), |actual| format!("says {actual}"));
                    return Err(Error::failed(format!(
                        "the token is not of the identity that is expected: {name} {expected} was demanded, and the token {actual}"
                    ))
                    .condition_of(Condition::OtherIdentity)
                    .next("check which identities this machine has, and which one the program names"));
                }
            }
        }
        Ok(())
    }
}

/// A source whose tokens pass a guard.
pub(crate) struct Guarded<S> {
    source: S,
    expected: ExpectedIdentity,
}

impl<S> Guarded<S> {
    pub(crate) fn new(source: S, expected: ExpectedIdentity) -> Self {
        Self { source, expected }
    }
}

#[async_trait]
impl<S: Source> Source for Guarded<S> {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        self.source.check(request)
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let fetched = self.source.fetch(request).await?;
        let origin = || format!("{} for {}", self.source.origin(), request.scopes.join(" "));
        self.expected.admit(fetched.token.secret()).map_err(|error| error.tried(origin()))?;
        Ok(fetched)
    }

    fn origin(&self) -> String {
        self.source.origin()
    }

    fn fingerprint(&self) -> u64 {
        self.source.fingerprint()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const TENANT: &str = "7e000000-0000-4000-8000-000000000001";
    const CLIENT: &str = "c1000000-0000-4000-8000-000000000001";

    fn token(claims: &str) -> String {
        format!("e30.{}.s", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn only_the_expected_identity_is_admitted() {
        let expected = ExpectedIdentity {
            tenant_id: Some(TENANT.into()),
            client_id: Some(CLIENT.to_uppercase()),
            object_id: None,
        };
        for claim in ["appid", "azp"] {
            let good = token(&format!(r#"{{"tid":"{TENANT}","{claim}":"{CLIENT}"}}"#));
            assert!(expected.admit(&good).is_ok());
        }
        for (bad, words) in [
            (token(&format!(r#"{{"tid":"other","appid":"{CLIENT}"}}"#)), "the token says other"),
            (token(&format!(r#"{{"tid":"{TENANT}","appid":"other"}}"#)), "client id C1000000"),
            (token(&format!(r#"{{"tid":"{TENANT}"}}"#)), "does not say"),
            ("opaque".to_owned(), "does not say"),
        ] {
            let error = expected.admit(&bad).expect_err("somebody else");
            assert_eq!(error.condition(), Some(Condition::OtherIdentity));
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(ExpectedIdentity::default().admit("opaque").is_ok());
    }

    #[test]
    fn what_no_token_can_say_is_refused_at_once() {
        for bad in [
            ExpectedIdentity { tenant_id: Some("contoso.onmicrosoft.com".into()), ..Default::default() },
            ExpectedIdentity { object_id: Some("me".into()), ..Default::default() },
            ExpectedIdentity { client_id: Some(String::new()), ..Default::default() },
        ] {
            assert!(bad.check().expect_err("refused").is_invalid_argument());
        }
    }
}
