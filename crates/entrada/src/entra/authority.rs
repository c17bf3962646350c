//! Where tokens are issued: the public cloud, a sovereign one, AD FS, B2C, or a host of one's own.

use url::{Host, Url};

use crate::error::Error;
use crate::platform::Environment;

const PUBLIC: &str = "https://login.microsoftonline.com";
/// The tenant that AD FS goes by in clients of Entra.
const ADFS: &str = "adfs";
/// Tenants that stand for those of whoever signs in.
const PLACEHOLDERS: [&str; 3] = ["common", "organizations", "consumers"];

/// One of the clouds of Azure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cloud {
    /// Azure for everybody.
    Public,
    /// Azure operated by 21Vianet.
    China,
    /// Azure Government of the United States.
    UsGovernment,
    /// Another one of Microsoft's.
    Other,
}

/// The hosts that are known to be Entra's, with the cloud of each: all that MSAL knows, and so need not be asked about.
const KNOWN: [(&str, Cloud); 13] = [
    ("login.microsoftonline.com", Cloud::Public),
    ("login.microsoft.com", Cloud::Public),
    ("login.windows.net", Cloud::Public),
    ("sts.windows.net", Cloud::Public),
    ("login.chinacloudapi.cn", Cloud::China),
    ("login.partner.microsoftonline.cn", Cloud::China),
    ("login.microsoftonline.us", Cloud::UsGovernment),
    ("login.usgovcloudapi.net", Cloud::UsGovernment),
    ("login-us.microsoftonline.com", Cloud::UsGovernment),
    ("login.microsoftonline.de", Cloud::Other),
    ("login.sovcloud-identity.fr", Cloud::Other),
    ("login.sovcloud-identity.de", Cloud::Other),
    ("login.sovcloud-identity.sg", Cloud::Other),
];

/// What kind of server an authority is: that decides the paths of its endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Microsoft Entra: `/{tenant}/oauth2/v2.0/token`.
    Entra,
    /// Active Directory Federation Services, of Azure Stack Hub mostly: `/adfs/oauth2/token`. It has no tenants.
    AdFs,
    /// Azure AD B2C: `/{tenant}/{policy}/oauth2/v2.0/token` at `*.b2clogin.com`.
    B2c,
    /// An external tenant of Microsoft Entra, at `*.ciamlogin.com`.
    External,
}

/// The server that issues tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    /// Without a path.
    host: Url,
    kind: Kind,
    /// What stands in the path before the tenant, with a slash before it; empty mostly.
    prefix: String,
    /// What stands after the tenant: a policy of B2C.
    suffix: String,
    /// All of it as a URL without a slash at the end.
    text: String,
}

impl Authority {
    /// The authority that was passed, else the one that `AZURE_AUTHORITY_HOST` names, else the public cloud's.
    ///
    /// It is an https URL or a bare host name. A path is part of it for AD FS, B2C, external tenants and hosts of one's own.
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
                     (China), or another host as https://HOST[:PORT][/PATH]",
            ))
        };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return refuse("is empty");
        }
        let absolute = if trimmed.contains("://") { trimmed.to_owned() } else { format!("https://{trimmed}") };
        let Ok(mut url) = Url::parse(&absolute) else {
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
        let path = url.path().trim_end_matches('/').to_owned();
        if path.contains('%') || path.contains("//") {
            return refuse("has a path with escapes or with nothing between two slashes");
        }
        url.set_path("");
        let kind = kind_of(&url, &path);
        let (prefix, suffix) = match kind {
            Kind::Entra if !path.is_empty() && cloud_of(&url).is_some() => {
                return refuse("must not contain a path: a tenant is passed as the tenant id");
            }
            Kind::Entra | Kind::AdFs => (path, String::new()),
            // The first segment is a tenant, whose place the tenant id takes.
            Kind::B2c | Kind::External => {
                let path = path.strip_prefix("/tfp").filter(|rest| rest.starts_with('/')).unwrap_or(&path);
                let rest = path.trim_start_matches('/').split_once('/').map(|(_tenant, rest)| rest);
                (String::new(), rest.map(|rest| format!("/{rest}")).unwrap_or_default())
            }
        };
        let text = format!("{}{prefix}{suffix}", url.as_str().trim_end_matches('/'));
        Ok(Self { host: url, kind, prefix, suffix, text })
    }

    /// Makes AD FS of it where the tenant id says so: `adfs` is no tenant. Refuses what does not go together.
    pub(crate) fn for_tenant(mut self, tenant_id: &str) -> Result<Self, Error> {
        let is_adfs = tenant_id.eq_ignore_ascii_case(ADFS);
        if self.kind == Kind::AdFs && !is_adfs {
            return Err(Error::invalid_argument(format!(
                "the authority {} is AD FS, which has no tenants, but the tenant id is \"{tenant_id}\"",
                self.text
            ))
            .next("pass \"adfs\" as the tenant id"));
        }
        if self.kind != Kind::AdFs && is_adfs {
            if self.cloud().is_some() || self.kind != Kind::Entra {
                return Err(Error::invalid_argument(format!(
                    "the tenant id \"adfs\" means AD FS, which {} is not",
                    self.text
                ))
                .next("pass the authority of AD FS, such as https://adfs.contoso.com/adfs, or the id of a tenant"));
            }
            self.prefix.push_str("/adfs");
            self.text.push_str("/adfs");
            self.kind = Kind::AdFs;
        }
        let last = self.prefix.rsplit('/').next().unwrap_or_default();
        if self.kind == Kind::Entra && !last.is_empty() && last.eq_ignore_ascii_case(tenant_id) {
            return Err(Error::invalid_argument(format!(
                "the authority {} ends with the tenant, which is the tenant id's place",
                self.text
            ))
            .next("leave the tenant out of the authority"));
        }
        Ok(self)
    }

    /// What kind of server it is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The cloud it belongs to, where it is known to be Entra's.
    pub(crate) fn cloud(&self) -> Option<Cloud> {
        cloud_of(&self.host)
    }

    /// Whether it need not be asked about: it is one of Entra's known hosts, or no instance of Entra at all.
    pub(crate) fn is_known(&self) -> bool {
        self.kind != Kind::Entra || self.cloud().is_some()
    }

    /// The token endpoint of a tenant (RFC 6749, section 3.2).
    pub(crate) fn token_endpoint(&self, tenant_id: &str) -> Url {
        self.endpoint(tenant_id, "token")
    }

    /// The authorization endpoint of a tenant (RFC 6749, section 3.1).
    pub(crate) fn authorize_endpoint(&self, tenant_id: &str) -> Url {
        self.endpoint(tenant_id, "authorize")
    }

    /// The device authorization endpoint of a tenant (RFC 8628, section 3.1).
    pub(crate) fn device_code_endpoint(&self, tenant_id: &str) -> Url {
        self.endpoint(tenant_id, "devicecode")
    }

    fn endpoint(&self, tenant_id: &str, name: &str) -> Url {
        let mut url = self.host.clone();
        url.set_path(&match self.kind {
            Kind::AdFs => format!("{}/oauth2/{name}", self.prefix),
            _ => format!("{}/{tenant_id}{}/oauth2/v2.0/{name}", self.prefix, self.suffix),
        });
        url
    }

    /// The host and, where it is not 443, the port.
    pub(crate) fn host(&self) -> String {
        let host = self.host.host_str().unwrap_or_default();
        self.host.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// As a URL without a trailing slash.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// Whether a tenant id stands for the tenants of whoever signs in, so that an app by itself cannot use it.
pub(crate) fn is_placeholder(tenant_id: &str) -> bool {
    PLACEHOLDERS.iter().any(|placeholder| tenant_id.eq_ignore_ascii_case(placeholder))
}

/// Whether a URL belongs to one of Entra's known hosts, and to nobody in particular there.
pub(crate) fn is_of_entra(url: &Url) -> bool {
    url.scheme() == "https" && url.username().is_empty() && url.password().is_none() && cloud_of(url).is_some()
}

fn kind_of(url: &Url, path: &str) -> Kind {
    let host = url.host_str().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    match () {
        () if host.ends_with(".b2clogin.com") => Kind::B2c,
        () if host.ends_with(".ciamlogin.com") => Kind::External,
        () if last.eq_ignore_ascii_case(ADFS) => Kind::AdFs,
        () => Kind::Entra,
    }
}

/// The cloud of a URL of Entra; a port of one's own makes it another server.
fn cloud_of(url: &Url) -> Option<Cloud> {
    let host = url.host_str().filter(|_| url.port().is_none())?;
    KNOWN.iter().find(|(known, _)| *known == host).map(|(_, cloud)| *cloud)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn authority(given: Option<&str>, variable: &str) -> Result<Authority, Error> {
        let variables = HashMap::from([("AZURE_AUTHORITY_HOST".to_owned(), variable.to_owned())]);
        Authority::new(given, &variables)
    }

    fn text(given: Option<&str>, variable: &str) -> String {
        authority(given, variable).expect("ok").as_str().to_owned()
    }

    fn at(given: &str, tenant_id: &str) -> Authority {
        authority(Some(given), "").and_then(|authority| authority.for_tenant(tenant_id)).expect("ok")
    }

    #[test]
    fn argument_before_variable_before_public_cloud() {
        assert_eq!(text(None, ""), PUBLIC);
        let china = "https://login.chinacloudapi.cn";
        assert_eq!(text(None, &format!("{china}/")), china);
        assert_eq!(text(Some(" login.microsoftonline.us "), china), "https://login.microsoftonline.us");
        assert_eq!(text(Some("https://localhost:8443"), ""), "https://localhost:8443");
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for (given, why) in [
            ("http://login.microsoftonline.com", "must be an https URL"),
            ("https://login.microsoftonline.com/contoso", "must not contain a path"),
            ("login.chinacloudapi.cn/contoso.partner.onmschina.cn", "must not contain a path"),
            ("https://", "is not a URL"),
            ("", "is empty"),
            ("https://u:p@host", "user name or password"),
            ("https://host?x", "must not contain ? or #"),
            ("https://host/a%2fb", "escapes"),
            ("https://host/a//b", "nothing between two slashes"),
        ] {
            let error = authority(Some(given), "").expect_err(given);
            assert!(error.is_invalid_argument());
            assert!(error.to_string().contains(why), "{error}");
        }
        let error = authority(None, "http://x").expect_err("http");
        assert!(error.to_string().starts_with("AZURE_AUTHORITY_HOST \"http://x\""));
    }

    #[test]
    fn endpoints_are_known_without_asking() {
        for (given, tenant, token) in [
            ("login.windows.net", "contoso.com", "https://login.windows.net/contoso.com/oauth2/v2.0/token"),
            ("https://login.stack.test:3001", "t", "https://login.stack.test:3001/t/oauth2/v2.0/token"),
            ("https://gateway.test:3001/entra/", "t", "https://gateway.test:3001/entra/t/oauth2/v2.0/token"),
            ("https://adfs.stack.test/adfs", "adfs", "https://adfs.stack.test/adfs/oauth2/token"),
            ("https://adfs.stack.test/ADFS/", "ADFS", "https://adfs.stack.test/ADFS/oauth2/token"),
            ("https://adfs.stack.test", "adfs", "https://adfs.stack.test/adfs/oauth2/token"),
            (
                "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_in",
                "contoso.onmicrosoft.com",
                "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_in/oauth2/v2.0/token",
            ),
            (
                "https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/B2C_1_in",
                "g-u-i-d",
                "https://contoso.b2clogin.com/g-u-i-d/B2C_1_in/oauth2/v2.0/token",
            ),
            ("contoso.ciamlogin.com", "g-u-i-d", "https://contoso.ciamlogin.com/g-u-i-d/oauth2/v2.0/token"),
            (
                "https://contoso.ciamlogin.com/contoso.onmicrosoft.com",
                "contoso.onmicrosoft.com",
                "https://contoso.ciamlogin.com/contoso.onmicrosoft.com/oauth2/v2.0/token",
            ),
        ] {
            assert_eq!(at(given, tenant).token_endpoint(tenant).as_str(), token, "{given}");
        }
        let adfs = at("https://adfs.stack.test/adfs", "adfs");
        assert_eq!(adfs.kind(), Kind::AdFs);
        assert_eq!(adfs.authorize_endpoint("adfs").path(), "/adfs/oauth2/authorize");
        assert_eq!(adfs.device_code_endpoint("adfs").path(), "/adfs/oauth2/devicecode");
        let entra = at(PUBLIC, "t");
        assert_eq!(entra.authorize_endpoint("t").path(), "/t/oauth2/v2.0/authorize");
        assert_eq!(entra.device_code_endpoint("t").path(), "/t/oauth2/v2.0/devicecode");
    }

    #[test]
    fn hosts_that_are_known_need_not_be_asked_about() {
        for given in [
            "login.microsoftonline.com",
            "LOGIN.MICROSOFTONLINE.COM",
            "https://sts.windows.net:443",
            "login.partner.microsoftonline.cn",
            "https://adfs.stack.test/adfs",
            "contoso.b2clogin.com",
            "contoso.ciamlogin.com",
        ] {
            assert!(authority(Some(given), "").expect("ok").is_known(), "{given}");
        }
        for given in ["login.contoso.test", "https://login.microsoftonline.com:8443", "evil-login.microsoftonline.com"]
        {
            assert!(!authority(Some(given), "").expect("ok").is_known(), "{given}");
        }
        assert_eq!(at("login.chinacloudapi.cn", "t").cloud(), Some(Cloud::China));
        assert_eq!(at("login.microsoftonline.us", "t").cloud(), Some(Cloud::UsGovernment));
        assert_eq!(at("https://h:1", "t").host(), "h:1");
    }

    #[test]
    fn an_authority_and_a_tenant_that_do_not_go_together_are_refused() {
        for (given, tenant, why) in [
            ("https://adfs.stack.test/adfs", "contoso.com", "which has no tenants"),
            (PUBLIC, "adfs", "means AD FS"),
            ("contoso.b2clogin.com", "adfs", "means AD FS"),
            ("https://gateway.test/contoso.com", "contoso.com", "ends with the tenant"),
        ] {
            let error = authority(Some(given), "").and_then(|authority| authority.for_tenant(tenant)).expect_err(given);
            assert!(error.is_invalid_argument() && error.remedy().is_some());
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
