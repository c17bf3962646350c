//! Where Entra is: the public cloud, a sovereign one, or a host of one's own.

use url::{Host, Url};

use crate::error::Error;
use crate::platform::Environment;

const PUBLIC: &str = "https://login.microsoftonline.com";

/// The host that issues tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority(Url);

impl Authority {
    /// The authority that was passed, else the one that `AZURE_AUTHORITY_HOST` names, else the public cloud's.
    ///
    /// It is an https URL or a bare host name, without a path.
    pub(crate) fn new(given: Option<&str>, environment: &dyn Environment) -> Result<Self, Error> {
        match (given, environment.var("AZURE_AUTHORITY_HOST")) {
            (Some(given), _) => Self::parse(given, "the authority"),
            (None, Some(value)) => Self::parse(&value, "AZURE_AUTHORITY_HOST"),
            (None, None) => Self::parse(PUBLIC, "the authority"),
        }
    }

    fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        let refuse = |why: &str| {
            Err(Error::invalid_argument(format!("{origin} \"{text}\" {why}")).next(
                "use login.microsoftonline.com, login.microsoftonline.us (US Government), login.chinacloudapi.cn \
                     (China), or another host as https://HOST[:PORT]",
            ))
        };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return refuse("is empty");
        }
        let absolute = if trimmed.contains("://") { trimmed.to_owned() } else { format!("https://{trimmed}") };
        let Ok(url) = Url::parse(&absolute) else {
            return refuse("is not a URL");
        };
        if url.scheme() != "https" {
            return refuse("must be an https URL: client secrets and tokens go there");
        }
        if !matches!(url.host(), Some(Host::Domain(host)) if !host.is_empty())
            && !matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)))
        {
            return refuse("names no host");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("must not contain a user name or password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("must not contain ? or #");
        }
        if url.path() != "/" {
            return refuse("must not contain a path: a tenant is passed as the tenant id");
        }
        Ok(Self(url))
    }

    /// The v2.0 token endpoint of a tenant.
    pub(crate) fn token_endpoint(&self, tenant_id: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("/{tenant_id}/oauth2/v2.0/token"));
        url
    }

    /// As a URL without a trailing slash.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn authority(given: Option<&str>, variable: &str) -> Result<String, Error> {
        let variables = HashMap::from([("AZURE_AUTHORITY_HOST".to_owned(), variable.to_owned())]);
        Authority::new(given, &variables).map(|a| a.as_str().to_owned())
    }

    #[test]
    fn argument_before_variable_before_public_cloud() {
        assert_eq!(authority(None, "").expect("ok"), PUBLIC);
        let china = "https://login.chinacloudapi.cn";
        assert_eq!(authority(None, &format!("{china}/")).expect("ok"), china);
        assert_eq!(
            authority(Some(" login.microsoftonline.us "), china).expect("ok"),
            "https://login.microsoftonline.us"
        );
        assert_eq!(authority(Some("https://localhost:8443"), "").expect("ok"), "https://localhost:8443");
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for (given, why) in [
            ("http://login.microsoftonline.com", "must be an https URL"),
            ("https://login.microsoftonline.com/contoso", "must not contain a path"),
            ("https://", "is not a URL"),
            ("", "is empty"),
            ("https://u:p@host", "user name or password"),
            ("https://host?x", "must not contain ? or #"),
        ] {
            let error = authority(Some(given), "").expect_err(given);
            assert!(error.is_invalid_argument());
            assert!(error.to_string().contains(why), "{error}");
        }
        let error = authority(None, "http://x").expect_err("http");
        assert!(error.to_string().starts_with("AZURE_AUTHORITY_HOST \"http://x\""));
    }
}
