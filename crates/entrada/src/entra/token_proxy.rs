//! AKS identity binding: token requests go to a proxy of the cluster, which knows which pods may use which identity.
//!
//! <https://learn.microsoft.com/azure/aks/identity-bindings-concepts>

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use crate::error::Error;
use crate::platform::{Environment, Files, Trust};

const PROXY: &str = "AZURE_KUBERNETES_TOKEN_PROXY";
const SNI: &str = "AZURE_KUBERNETES_SNI_NAME";
const CA_FILE: &str = "AZURE_KUBERNETES_CA_FILE";
const CA_DATA: &str = "AZURE_KUBERNETES_CA_DATA";
/// No set of authorities is larger, in bytes.
const LARGEST: usize = 1 << 20;

/// The proxy of the cluster.
pub(crate) struct TokenProxy {
    url: Url,
    server_name: Option<String>,
    authorities: Authorities,
}

/// Who vouches for the proxy.
enum Authorities {
    System,
    Given(Arc<[u8]>),
    /// A file that the cluster renews, and what it held when it could last be read.
    File(PathBuf, Mutex<Option<Arc<[u8]>>>),
}

impl TokenProxy {
    /// The proxy that the variables describe, if they do.
    pub(crate) fn detect(environment: &dyn Environment) -> Result<Option<Self>, Error> {
        let server_name = environment.var(SNI);
        let (file, data) = (environment.var(CA_FILE), environment.var(CA_DATA));
        let Some(proxy) = environment.var(PROXY) else {
            let set = [(SNI, &server_name), (CA_FILE, &file), (CA_DATA, &data)]
                .into_iter()
                .find(|(_, value)| value.is_some());
            return match set {
                None => Ok(None),
                Some((name, _)) => Err(Error::failed(format!("{name} is set, but {PROXY} is not"))
                    .next("set all variables of the identity binding, or none")),
            };
        };
        let url = Url::parse(&proxy).ok().filter(is_plain).ok_or_else(|| {
            Error::failed(format!("{PROXY} is not an https URL without user name, query and fragment"))
                .next("restart this pod; its webhook sets the variable")
        })?;
        let authorities = match (file, data) {
            (Some(_), Some(_)) => {
                return Err(Error::failed(format!("{CA_FILE} and {CA_DATA} are both set")).next("unset one of them"));
            }
            (Some(file), None) => Authorities::File(file.into(), Mutex::default()),
            (None, Some(data)) => Authorities::Given(data.into_bytes().into()),
            (None, None) => Authorities::System,
        };
        Ok(Some(Self { url, server_name, authorities }))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Whom to trust now.
    pub(crate) fn trust(&self, files: &dyn Files) -> Result<Trust, Error> {
        let pem = match &self.authorities {
            Authorities::System => None,
            Authorities::Given(pem) => Some(Arc::clone(pem)),
            Authorities::File(path, last) => {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                // While it is being replaced it may be empty or away.
                match files.read(path, LARGEST) {
                    Ok(content) if !content.trim_ascii().is_empty() => *last = Some(content.as_slice().into()),
                    outcome if last.is_none() => {
                        let why = outcome.map_or_else(|error| error.to_string(), |_| "it is empty".into());
                        return Err(Error::failed(format!(
                            "{}, which {CA_FILE} names, cannot be used: {why}",
                            path.display()
                        ))
                        .next("check that the authority of the cluster's token proxy is mounted into this container"));
                    }
                    _ => {}
                }
                last.clone()
            }
        };
        Ok(Trust::Authorities { pem, server_name: self.server_name.clone() })
    }
}

fn is_plain(url: &Url) -> bool {
    url.scheme() == "https"
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::platform::scripted::Scripted;

    fn detect(variables: &[(&str, &str)]) -> Result<Option<TokenProxy>, String> {
        let variables: HashMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        TokenProxy::detect(&variables).map_err(|error| error.to_string())
    }

    #[test]
    fn half_a_binding_is_refused() {
        assert!(detect(&[]).expect("none").is_none());
        for (variables, words) in [
            (vec![(SNI, "x")], "AZURE_KUBERNETES_SNI_NAME is set, but AZURE_KUBERNETES_TOKEN_PROXY is not"),
            (vec![(PROXY, "http://proxy")], "not an https URL"),
            (vec![(PROXY, "https://u:p@proxy")], "not an https URL"),
            (vec![(PROXY, "https://proxy?x")], "not an https URL"),
            (vec![(PROXY, "https://proxy"), (CA_FILE, "f"), (CA_DATA, "d")], "both set"),
        ] {
            let error = detect(&variables).err().expect(words);
            assert!(error.contains(words) && !error.contains("u:p"), "{error}");
        }
    }

    #[test]
    fn an_authority_is_read_anew_and_kept_while_its_file_is_away() {
        let machine = Scripted::new(&[]);
        let files = machine.platform.files();
        let proxy = detect(&[(PROXY, "https://proxy/path"), (CA_FILE, "/ca"), (SNI, "name")]).expect("valid");
        let proxy = proxy.expect("a proxy");
        assert!(proxy.trust(files).expect_err("missing").to_string().contains("/ca, which"));
        let pem = |proxy: &TokenProxy| match proxy.trust(files).expect("trust") {
            Trust::Authorities { pem, server_name } => {
                assert_eq!(server_name.as_deref(), Some("name"));
                pem.expect("authorities").to_vec()
            }
            other => panic!("{other:?}"),
        };
        machine.files.put("/ca", "one");
        assert_eq!(pem(&proxy), b"one");
        machine.files.put("/ca", "");
        assert_eq!(pem(&proxy), b"one");
        machine.files.put("/ca", "two");
        assert_eq!(pem(&proxy), b"two");
    }
}
