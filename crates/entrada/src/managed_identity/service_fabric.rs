//! Service Fabric: https on loopback, with a certificate that the cluster signs itself and names by its thumbprint.
//!
//! <https://learn.microsoft.com/azure/service-fabric/how-to-managed-identity-service-fabric-app-code>

use http::HeaderName;
use url::Url;

use super::exchange::{About, Asked, TIMEOUT};
use super::secret_header::{header, secret};
use super::token_url::Parameters;
use crate::error::{Condition, Error};
use crate::platform::{Environment, HttpRequest, Route, Trust};
use crate::token::Fetched;

const ABOUT: About = About { host: "Service Fabric application", variable: "IDENTITY_ENDPOINT" };
const THUMBPRINT: &str = "IDENTITY_SERVER_THUMBPRINT";
const PARAMETERS: Parameters =
    Parameters { api_version: "2019-07-01-preview", client_id: None, object_id: None, resource_id: None };

/// The managed-identity endpoint of a node.
#[derive(Debug)]
pub(crate) struct ServiceFabric {
    endpoint: Url,
}

impl ServiceFabric {
    pub(super) fn new(endpoint: Url) -> Result<Self, Error> {
        if endpoint.scheme() == "https" {
            return Ok(Self { endpoint });
        }
        Err(refused(format!("IDENTITY_ENDPOINT is \"{endpoint}\", but Service Fabric has an https endpoint"))
            .next("unset IDENTITY_SERVER_THUMBPRINT if this program does not run on Service Fabric"))
    }

    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    pub(super) async fn fetch(&self, asked: &Asked<'_>) -> Result<Fetched, Error> {
        let url = PARAMETERS.url(ABOUT.host, &self.endpoint, asked.resource, asked.id)?;
        let environment = asked.platform.environment();
        // The cluster renews its certificate: which one is right is read anew for each request, like the secret.
        let thumbprint = thumbprint(environment)?;
        let secret = secret(environment, "IDENTITY_HEADER")?;
        let mut request = HttpRequest::get(url, Route::Direct, TIMEOUT)
            .header(HeaderName::from_static("secret"), header("IDENTITY_HEADER", &secret)?);
        request.trust = Trust::Thumbprint(thumbprint);
        asked.ask(&ABOUT, request, &secret).await
    }
}

fn refused(what: String) -> Error {
    Error::failed(what).condition_of(Condition::Refused)
}

/// The thumbprint of the one certificate that is trusted. Without it nothing is sent.
fn thumbprint(environment: &dyn Environment) -> Result<[u8; 20], Error> {
    let text = environment.var(THUMBPRINT).unwrap_or_default();
    parse(&text).ok_or_else(|| {
        refused(format!("{THUMBPRINT} is \"{text}\", which is not the SHA-1 thumbprint of a certificate"))
            .next("it has 40 hexadecimal digits; restart this program with the variables that Service Fabric gave it")
    })
}

/// Reads 40 hexadecimal digits; people and tools put spaces and colons between them.
fn parse(text: &str) -> Option<[u8; 20]> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b':').collect();
    let mut thumbprint = [0; 20];
    if digits.len() != 2 * thumbprint.len() {
        return None;
    }
    for (byte, pair) in thumbprint.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(thumbprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_read_as_people_write_it() {
        let plain = "00112233445566778899AABBCCDDEEFF00112233";
        let expected = parse(plain).expect("forty digits");
        assert_eq!((expected[0], expected[9], expected[19]), (0x00, 0x99, 0x33));
        for text in [plain.to_ascii_lowercase(), plain.chars().flat_map(|c| [c, ' ']).collect(), format!("\n{plain}")] {
            assert_eq!(parse(&text), Some(expected), "{text}");
        }
        for bad in ["", "00", "xx112233445566778899AABBCCDDEEFF00112233", &"00".repeat(32)] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
