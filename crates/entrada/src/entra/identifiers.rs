//! Tenant ids and client ids, and which tenant a request is for.

use crate::error::Error;
use crate::platform::Environment;
use crate::token::Token;
use crate::token_answer::{excerpt, jwt_claim};

/// Refuses what is no tenant: neither a GUID nor a domain name.
pub(crate) fn check_tenant_id(tenant_id: &str) -> Result<(), Error> {
    let next = "find it in the Azure portal under Microsoft Entra ID, Overview: a GUID, or a domain such as contoso.onmicrosoft.com";
    if tenant_id.is_empty() {
        return Err(Error::invalid_argument("the tenant id is empty").next(next));
    }
    if tenant_id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.') {
        return Ok(());
    }
    Err(Error::invalid_argument(format!(
        "\"{}\" is not a tenant id: it may hold letters, digits, dots and hyphens",
        excerpt(tenant_id)
    ))
    .next(next))
}

/// Refuses what is no client id. Entra's are GUIDs; other authorities' are any word.
pub(crate) fn check_client_id(client_id: &str) -> Result<(), Error> {
    let next = "find it in the Azure portal: \"Application (client) ID\" of the app registration, or \"Client ID\" of the managed identity";
    if client_id.is_empty() {
        return Err(Error::invalid_argument("the client id is empty").next(next));
    }
    if client_id.chars().all(|c| c.is_ascii_alphanumeric() || "-._:/@".contains(c)) {
        return Ok(());
    }
    Err(Error::invalid_argument(format!("\"{}\" is not a client id", excerpt(client_id))).next(next))
}

/// Refuses an empty secret, and one that a copy-and-paste has left a line end on.
pub(crate) fn check_secret(secret: &str) -> Result<(), Error> {
    if secret.is_empty() {
        return Err(Error::invalid_argument("the client secret is empty")
            .next("create one in the Azure portal under Certificates & secrets, and copy its value"));
    }
    if secret.trim_matches(|c: char| c.is_whitespace()).len() != secret.len() {
        return Err(Error::invalid_argument("the client secret begins or ends with a space or line end")
            .next("copy the value again; when it comes from a file, remove the line end"));
    }
    Ok(())
}

/// The tenants a credential may ask.
#[derive(Clone, Debug)]
pub(crate) struct Tenants {
    own: String,
    additionally_allowed: Vec<String>,
}

impl Tenants {
    pub(crate) fn new(own: String, additionally_allowed: Vec<String>) -> Result<Self, Error> {
        check_tenant_id(&own)?;
        for tenant in additionally_allowed.iter().filter(|tenant| *tenant != "*") {
            check_tenant_id(tenant)?;
        }
        Ok(Self { own, additionally_allowed })
    }

    /// The credential's own.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    /// The tenant to ask: the one requested, where it is allowed, else the credential's own. `organizations` allows any
    /// unless some are named; AD FS has no tenants, and is asked whatever is requested. With
    /// `AZURE_IDENTITY_DISABLE_MULTITENANTAUTH` set to anything but `0` or `false`, always its own.
    pub(crate) fn resolve<'t>(
        &'t self,
        requested: Option<&'t str>,
        environment: &dyn Environment,
    ) -> Result<Target<'t>, Error> {
        let own = Target { tenant_id: &self.own, must_be: None };
        let Some(requested) = requested.filter(|requested| !requested.eq_ignore_ascii_case(&self.own)) else {
            return Ok(own);
        };
        check_tenant_id(requested)?;
        // AD FS has no tenants.
        if self.own.eq_ignore_ascii_case("adfs") {
            return Ok(own);
        }
        let pinned = environment
            .var("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH")
            .is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"));
        if pinned {
            return Ok(own);
        }
        let allowed = |tenant: &String| tenant == "*" || tenant.eq_ignore_ascii_case(requested);
        // Whoever signs in at any organization has not been kept to one.
        let any = self.additionally_allowed.is_empty() && self.own.eq_ignore_ascii_case("organizations");
        if any || self.additionally_allowed.iter().any(allowed) {
            return Ok(Target { tenant_id: requested, must_be: None });
        }
        // Key Vault asks for its tenant by GUID. Where ours is known by its domain only, it may well be the same one: our
        // own tenant's token will tell.
        if self.own.contains('.') && uuid::Uuid::try_parse(requested).is_ok() {
            return Ok(Target { must_be: Some(requested), ..own });
        }
        Err(not_allowed(&self.own, requested))
    }
}

fn not_allowed(own: &str, requested: &str) -> Error {
    Error::failed(format!(
        "a token of tenant {requested} was requested, but the credential is configured for tenant {own}"
    ))
    .next(format!(
        "add \"{requested}\" (or \"*\" for any tenant) to additionally_allowed_tenants if this app may sign in there"
    ))
}

/// The tenant that a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'t> {
    /// Its id or domain.
    pub(crate) tenant_id: &'t str,
    /// The id that the tenant of the token must turn out to have.
    must_be: Option<&'t str>,
}

impl<'t> Target<'t> {
    /// A tenant that is not a credential's own choice.
    pub(crate) fn only(tenant_id: &'t str) -> Result<Self, Error> {
        check_tenant_id(tenant_id)?;
        Ok(Self { tenant_id, must_be: None })
    }

    /// Refuses a token of another tenant than the one requested.
    pub(crate) fn confirm(&self, token: &Token) -> Result<(), Error> {
        let tid = jwt_claim(token.secret(), "tid");
        let tid = tid.as_ref().and_then(|tid| tid.as_str());
        match self.must_be {
            Some(requested) if !tid.is_some_and(|tid| tid.eq_ignore_ascii_case(requested)) => {
                Err(not_allowed(self.tenant_id, requested))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn tenants_are_guids_or_domains() {
        assert!(check_tenant_id("5a1e1111-0000-4000-8000-000000000001").is_ok());
        assert!(check_tenant_id("contoso.onmicrosoft.com").is_ok());
        for bad in ["", "contoso onmicrosoft", "https://contoso", "a/b", "ä"] {
            let error = check_tenant_id(bad).expect_err(bad);
            assert!(error.is_invalid_argument());
            assert!(error.to_string().contains("portal"), "{error}");
        }
    }

    #[test]
    fn client_ids_and_secrets_are_checked_and_secrets_never_shown() {
        assert!(check_client_id("11111111-0000-4000-8000-000000000001").is_ok());
        assert!(check_client_id("").is_err());
        assert!(check_client_id("<your client id>").is_err());
        assert!(check_secret("s~3cret").is_ok());
        assert!(check_secret("").is_err());
        let error = check_secret("hunter2\n").expect_err("a line end");
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn another_tenant_must_be_allowed() {
        let none = HashMap::new();
        let own = Tenants::new("home".into(), vec![]).expect("ok");
        assert_eq!(own.resolve(None, &none).expect("a tenant").tenant_id, "home");
        assert_eq!(own.resolve(Some("HOME"), &none).expect("a tenant").tenant_id, "home");
        let error = own.resolve(Some("other"), &none).expect_err("not allowed").to_string();
        assert!(error.contains("tenant other") && error.contains("tenant home"));
        let any = Tenants::new("home".into(), vec!["*".into()]).expect("ok");
        assert_eq!(any.resolve(Some("other"), &none).expect("a tenant").tenant_id, "other");
        let pin =
            |value: &str| HashMap::from([("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH".to_owned(), value.to_owned())]);
        assert_eq!(any.resolve(Some("other"), &pin("1")).expect("a tenant").tenant_id, "home");
        assert_eq!(any.resolve(Some("other"), &pin("false")).expect("a tenant").tenant_id, "other");
    }

    #[test]
    fn organizations_are_any_and_ad_fs_has_none() {
        let none = HashMap::new();
        let resolve = |own: &str, allowed: Vec<String>| {
            let tenants = Tenants::new(own.into(), allowed).expect("ok");
            tenants.resolve(Some("other"), &none).map(|target| target.tenant_id.to_owned())
        };
        assert_eq!(resolve("organizations", vec![]).expect("any"), "other");
        resolve("organizations", vec!["third".into()]).expect_err("only the third");
        resolve("common", vec![]).expect_err("not allowed");
        assert_eq!(resolve("adfs", vec![]).expect("its own"), "adfs");
    }

    #[test]
    fn a_domain_and_a_guid_may_be_the_same_tenant() {
        let none = HashMap::new();
        let guid = "7e000000-0000-4000-8000-000000000001";
        let own = Tenants::new("contoso.onmicrosoft.com".into(), vec![]).expect("ok");
        let target = own.resolve(Some(guid), &none).expect("to be seen");
        assert_eq!(target.tenant_id, "contoso.onmicrosoft.com");
        let token = |tid: &str| {
            let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"tid":"{tid}"}}"#));
            Token::new(Zeroizing::new(format!("e30.{payload}.s")), 0, None)
        };
        assert!(target.confirm(&token(guid)).is_ok());
        assert!(target.confirm(&token("another")).is_err());
        assert!(target.confirm(&Token::new(Zeroizing::new("opaque".into()), 0, None)).is_err());
    }
}
