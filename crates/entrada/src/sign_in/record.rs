//! Who has signed in, to be kept for the next run: no secret.

use serde_json::{Value, json};
use url::Url;

use crate::entra::{check_client_id, check_tenant_id};
use crate::error::Error;
use crate::token_answer::excerpt;

/// The one version there is, of `azure-identity` as well.
const VERSION: &str = "1.0";
/// Real ones have some 300 bytes.
const LARGEST: usize = 16 << 10;

/// Who has signed in, as a credential's `authenticate` returns it. It holds no secret and can be kept anywhere.
///
/// A credential that is created with it asks for that account's tokens from the start: silently, while the process
/// has what renews them, and otherwise it asks this person and nobody else to sign in.
///
/// [`serialize`](Self::serialize) writes the JSON that `azure-identity` writes for Python, JavaScript, Java and .NET, and
/// [`deserialize`](Self::deserialize) reads it.
///
/// ```
/// use entrada::AuthenticationRecord;
///
/// let text = r#"{"authority":"login.microsoftonline.com","clientId":"04b07795-8ddb-461a-bbee-02f9e1bf7b46",
///     "homeAccountId":"oid.tid","tenantId":"contoso.onmicrosoft.com","username":"ada@contoso.com","version":"1.0"}"#;
/// let record = AuthenticationRecord::deserialize(text)?;
/// assert_eq!(record.username(), "ada@contoso.com");
/// assert_eq!(AuthenticationRecord::deserialize(&record.serialize())?, record);
/// # Ok::<(), entrada::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AuthenticationRecord {
    authority: String,
    client_id: String,
    home_account_id: String,
    tenant_id: String,
    username: String,
}

impl AuthenticationRecord {
    /// Creates a record.
    ///
    /// # Errors
    /// Where the authority is no host name, or the tenant id, the client id or the account id cannot be right.
    pub fn new(
        tenant_id: &str,
        client_id: &str,
        authority: &str,
        home_account_id: &str,
        username: &str,
    ) -> Result<Self, Error> {
        check_tenant_id(tenant_id)?;
        check_client_id(client_id)?;
        if home_account_id.is_empty() {
            return Err(malformed("its homeAccountId is empty"));
        }
        Ok(Self {
            authority: host(authority)?,
            client_id: client_id.to_owned(),
            home_account_id: home_account_id.to_owned(),
            tenant_id: tenant_id.to_owned(),
            username: username.to_owned(),
        })
    }

    /// The host that authenticated the account, such as `login.microsoftonline.com`; with a port where it is not 443.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The client id of the app that the account signed in to.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What tells the account from all others: its object id and home tenant, `OID.TID`.
    pub fn home_account_id(&self) -> &str {
        &self.home_account_id
    }

    /// The tenant that the account signed in to; a guest's is not the home tenant.
    pub fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    /// The account's name, usually the address that the person signs in with. Names change, and are no identity.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The record as JSON, to be read by [`deserialize`](Self::deserialize) or any `azure-identity`.
    pub fn serialize(&self) -> String {
        json!({
            "authority": self.authority,
            "clientId": self.client_id,
            "homeAccountId": self.home_account_id,
            "tenantId": self.tenant_id,
            "username": self.username,
            "version": VERSION,
        })
        .to_string()
    }

    /// Reads what [`serialize`](Self::serialize) or `azure-identity` wrote.
    ///
    /// # Errors
    /// Where it is no JSON object, is larger than 16 KiB, is of another version, or a field is missing or of no use.
    pub fn deserialize(text: &str) -> Result<Self, Error> {
        if text.len() > LARGEST {
            return Err(malformed(&format!("it has {} bytes, more than {LARGEST}", text.len())));
        }
        let fields = match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Err(malformed("it is JSON, but not an object")),
            Err(error) => return Err(malformed(&format!("it is not JSON: {error}"))),
        };
        let field = |name: &str| match fields.get(name) {
            Some(Value::String(text)) => Ok(text.as_str()),
            None | Some(Value::Null) => Err(malformed(&format!("it has no {name}"))),
            Some(_) => Err(malformed(&format!("its {name} is not text"))),
        };
        let version = field("version")?;
        if version != VERSION {
            return Err(Error::invalid_argument(format!(
                "Unexpected version \"{}\". This package supports these versions: {{'{VERSION}'}}",
                excerpt(version)
            ))
            .next("sign in again with authenticate() and keep what it returns"));
        }
        Self::new(
            field("tenantId")?,
            field("clientId")?,
            field("authority")?,
            field("homeAccountId")?,
            field("username")?,
        )
    }
}

/// The host of an authority, with its port. People's sign-ins go there, so nothing else is let through.
fn host(authority: &str) -> Result<String, Error> {
    let refuse = || malformed(&format!("its authority \"{}\" is not the name of a host", excerpt(authority)));
    let text = authority.strip_prefix("https://").unwrap_or(authority).trim_end_matches('/');
    if text.is_empty() || text.contains(|c: char| !c.is_ascii_alphanumeric() && !"-.:[]".contains(c)) {
        return Err(refuse());
    }
    let url = Url::parse(&format!("https://{text}/")).map_err(|_| refuse())?;
    let host = url.host_str().ok_or_else(refuse)?;
    Ok(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn malformed(why: &str) -> Error {
    Error::invalid_argument(format!("this is not an authentication record: {why}"))
        .next("pass what AuthenticationRecord.serialize() returned, or sign in again with authenticate()")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> AuthenticationRecord {
        AuthenticationRecord::new("tenant", "client", "login.microsoftonline.com", "oid.tid", "ada@contoso.com")
            .expect("valid")
    }

    #[test]
    fn the_json_is_azure_identitys() {
        assert_eq!(
            record().serialize(),
            r#"{"authority":"login.microsoftonline.com","clientId":"client","homeAccountId":"oid.tid","tenantId":"tenant","username":"ada@contoso.com","version":"1.0"}"#
        );
        // As Python's json.dumps writes it, and with what another library may add.
        let text = r#"{"authority": "login.microsoftonline.com", "clientId": "client", "homeAccountId": "oid.tid",
            "tenantId": "tenant", "username": "ada@contoso.com", "version": "1.0", "more": [1]}"#;
        assert_eq!(AuthenticationRecord::deserialize(text).expect("read"), record());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let without = |name: &str| {
            let mut value: Value = serde_json::from_str(&record().serialize()).expect("JSON");
            value.as_object_mut().expect("an object").remove(name);
            value.to_string()
        };
        let with = |name: &str, to: Value| {
            let mut value: Value = serde_json::from_str(&record().serialize()).expect("JSON");
            value[name] = to;
            value.to_string()
        };
        for (text, words) in [
            (without("homeAccountId"), "has no homeAccountId"),
            (without("clientId"), "has no clientId"),
            (without("version"), "has no version"),
            (with("version", json!("2.0")), "Unexpected version \"2.0\""),
            (with("username", json!(7)), "username is not text"),
            (with("homeAccountId", json!("")), "homeAccountId is empty"),
            (with("authority", json!("evil.example/login.microsoftonline.com")), "not the name of a host"),
            (with("authority", json!("user@evil.example")), "not the name of a host"),
            (with("authority", json!("http://login.microsoftonline.com")), "not the name of a host"),
            (with("tenantId", json!("a/b")), "not a tenant id"),
            ("[]".into(), "not an object"),
            (String::new(), "not JSON"),
            ("{\"authority\":".into(), "not JSON"),
            (with("username", json!("a".repeat(20_000))), "more than 16384"),
        ] {
            let error = AuthenticationRecord::deserialize(&text).expect_err(words);
            assert!(error.is_invalid_argument() && error.remedy().is_some(), "{error}");
            assert!(error.to_string().contains(words), "{words}: {error}");
        }
        assert!(
            AuthenticationRecord::deserialize(&with("version", json!("2.0")))
                .expect_err("another version")
                .to_string()
                .starts_with("Unexpected version")
        );
    }

    #[test]
    fn a_url_of_a_host_is_its_host() {
        for (given, kept) in [
            ("https://login.microsoftonline.us/", "login.microsoftonline.us"),
            ("adfs.contoso.example:8443", "adfs.contoso.example:8443"),
            ("login.chinacloudapi.cn:443", "login.chinacloudapi.cn"),
        ] {
            let record = AuthenticationRecord::new("t", "c", given, "o.t", "").expect(given);
            assert_eq!(record.authority(), kept);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            tenant in "[a-z0-9.-]{1,20}", client in "[a-z0-9-]{1,20}", account in ".{1,40}", username in ".{0,40}",
        ) {
            let record = AuthenticationRecord::new(&tenant, &client, "login.microsoftonline.com", &account, &username)
                .expect("valid");
            prop_assert_eq!(AuthenticationRecord::deserialize(&record.serialize()).expect("read"), record);
        }

        #[test]
        fn nothing_makes_it_panic(text in ".{0,300}", authority in ".{0,40}") {
            let _ = AuthenticationRecord::deserialize(&text);
            let _ = AuthenticationRecord::new("t", "c", &authority, "o.t", "u");
        }
    }
}
