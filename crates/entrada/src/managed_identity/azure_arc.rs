//! Azure Arc: machines elsewhere, with an agent that challenges a program to read a file that only some users may.
//!
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>

use std::path::{Path, PathBuf};

use http::{HeaderName, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

use super::answer::check_confirmed;
use super::exchange::{About, Asked, TIMEOUT};
use super::token_url::Parameters;
use crate::error::{Answer, Condition, Error};
use crate::platform::{Environment, FileError, Files, HttpRequest, HttpResponse, Platform, Route};
use crate::token::Fetched;
use crate::token_answer::excerpt;

const ABOUT: About = About { host: "Azure Arc machine", variable: "IDENTITY_ENDPOINT" };
const PARAMETERS: Parameters = Parameters {
    api_version: "2020-06-01",
    client_id: Some("client_id"),
    object_id: Some("object_id"),
    resource_id: Some("msi_res_id"),
};
/// Where the agent listens on machines whose programs are not told by variables.
const DEFAULT_ENDPOINT: &str = "http://localhost:40342/metadata/identity/oauth2/token";
/// No key is longer, in bytes.
const LONGEST_KEY: usize = 4096;

/// The agent of a machine.
#[derive(Debug)]
pub(crate) struct AzureArc {
    endpoint: Url,
}

impl AzureArc {
    pub(super) fn new(endpoint: Url) -> Self {
        Self { endpoint }
    }

    /// The agent that is installed where the installer puts it, if it is: services and scheduled jobs do not get the
    /// variables that it sets for those who log in.
    pub(super) fn installed(environment: &dyn Environment, files: &dyn Files) -> Option<Self> {
        files.stamp(&agent(environment)?)?;
        Url::parse(DEFAULT_ENDPOINT).ok().map(Self::new)
    }

    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    pub(super) async fn fetch(&self, asked: &Asked<'_>) -> Result<Fetched, Error> {
        let url = PARAMETERS.url(ABOUT.host, &self.endpoint, asked.resource, asked.id)?;
        let request = || {
            HttpRequest::get(url.clone(), Route::Direct, TIMEOUT)
                .header(HeaderName::from_static("metadata"), HeaderValue::from_static("true"))
        };
        let heard = asked.send_configured(&ABOUT, request()).await?;
        let key = match heard.response.status {
            401 => key(&heard.response, asked.platform).map_err(|error| error.tried(heard.tried))?,
            // A token, though nothing was proven.
            200 if asked.read(&ABOUT, &heard).is_ok() => {
                return Err(unchallenged(&heard.response).tried(heard.tried));
            }
            _ => return asked.read(&ABOUT, &heard),
        };

        let mut basic = HeaderValue::try_from(format!("Basic {}", &*key)).map_err(|_| {
            refused("the key of Azure Arc holds characters that no HTTP header can hold")
                .next("restart the Azure Connected Machine agent (himds)")
        })?;
        basic.set_sensitive(true);
        let answering = request().header(http::header::AUTHORIZATION, basic);
        let heard = asked.send_configured(&ABOUT, answering).await?;
        let fetched = asked.read(&ABOUT, &heard).map_err(|error| error.without(&key))?;
        check_confirmed(ABOUT.host, &heard.response, asked.id).map_err(|error| error.tried(heard.tried))?;
        Ok(fetched)
    }
}

fn refused(what: impl Into<String>) -> Error {
    Error::failed(what).condition_of(Condition::Refused)
}

/// The agent's program.
fn agent(environment: &dyn Environment) -> Option<PathBuf> {
    if cfg!(target_os = "windows") {
        let programs = environment.var("ProgramFiles")?;
        return Some(Path::new(&programs).join("AzureConnectedMachineAgent").join("himds.exe"));
    }
    cfg!(target_os = "linux").then(|| PathBuf::from("/opt/azcmagent/bin/himds"))
}

/// The one folder in which the agent puts keys.
fn key_folder(environment: &dyn Environment) -> Option<PathBuf> {
    if cfg!(target_os = "windows") {
        let data = environment.var("ProgramData")?;
        return Some(Path::new(&data).join("AzureConnectedMachineAgent").join("Tokens"));
    }
    cfg!(target_os = "linux").then(|| PathBuf::from("/var/opt/azcmagent/tokens"))
}

fn unchallenged(response: &HttpResponse) -> Error {
    refused("the endpoint gave a token without the challenge of Azure Arc; it is not the Azure Connected Machine agent")
        .answer(Answer { status: Some(response.status), ..Answer::default() })
        .next("check IDENTITY_ENDPOINT and IMDS_ENDPOINT, and what listens there")
}

/// Reads the key that a challenge names (RFC 7617 in form only: the realm is a path).
///
/// The challenge comes from whoever listens on a port of this machine. So that it cannot make this program read any other
/// file and show it, the path must be of a file in the agent's folder and end in `.key`, not lead out of the folder by a
/// link, and hold no more than a key can.
fn key(response: &HttpResponse, platform: &Platform) -> Result<Zeroizing<String>, Error> {
    let answer = || Answer { status: Some(response.status), ..Answer::default() };
    let challenge = response.header("www-authenticate").unwrap_or_default();
    let path = realm(challenge).ok_or_else(|| {
        refused("Azure Arc's challenge names no key file")
            .answer(Answer { text: excerpt(challenge), ..answer() })
            .next("update the Azure Connected Machine agent, and check that nothing else listens at IDENTITY_ENDPOINT")
    })?;
    let folder = key_folder(platform.environment()).ok_or_else(|| {
        refused("Azure Arc's keys are kept on Windows and Linux only")
            .answer(answer())
            .next("use another credential here")
    })?;
    let shown = excerpt(&path.to_string_lossy());
    let forbidden = |why: &str| {
        refused(format!("Azure Arc's challenge points to {shown}, {why}; it was not read")).answer(answer()).next(
            format!(
                "the agent's keys are files in {} that end in .key; check what listens at IDENTITY_ENDPOINT",
                folder.display()
            ),
        )
    };
    if path.parent() != Some(&*folder) {
        return Err(forbidden("which is not in the agent's folder"));
    }
    if path.extension().is_none_or(|extension| extension != "key") {
        return Err(forbidden("which does not end in .key"));
    }
    let unreadable = |error: FileError| match error {
        FileError::TooLarge(_) => forbidden("which is larger than any key"),
        FileError::Denied => refused(format!("this user may not read Azure Arc's key {shown}"))
            .answer(answer())
            .next("add the user to the group himds (Hybrid agent extension applications on Windows) and log in again"),
        error => refused(format!("Azure Arc's key {shown} cannot be read: {error}"))
            .answer(answer())
            .next("in a container, mount the folder of the agent's keys; else restart the agent (himds)"),
    };
    let files = platform.files();
    let (real, real_folder) =
        (files.real_path(&path).map_err(unreadable)?, files.real_path(&folder).map_err(unreadable)?);
    if real.parent() != Some(&*real_folder) {
        return Err(forbidden("a link that leads out of the agent's folder"));
    }
    let content = files.read(&real, LONGEST_KEY).map_err(unreadable)?;
    let text = std::str::from_utf8(&content).map_err(|_| forbidden("which does not hold text"))?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

/// The path in `Basic realm=PATH`.
fn realm(challenge: &str) -> Option<PathBuf> {
    let (scheme, rest) = challenge.trim().split_once(' ')?;
    let (name, path) = rest.trim().split_once('=')?;
    let path = Path::new(path.trim().trim_matches('"'));
    let plain = path.is_absolute() && path.components().all(|part| !matches!(part, std::path::Component::ParentDir));
    (scheme.eq_ignore_ascii_case("basic") && name.trim().eq_ignore_ascii_case("realm") && plain)
        .then(|| path.to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::platform::scripted::{Scripted, response};

    const KEY: &str = "/var/opt/azcmagent/tokens/1.key";

    fn read(machine: &Scripted, challenge: &str) -> Result<String, String> {
        let mut answer = response(401, "");
        answer.headers.insert("www-authenticate", challenge.parse().expect("a header"));
        key(&answer, &machine.platform).map(|key| key.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_is_read_from_the_agents_folder() {
        let machine = Scripted::new(&[]);
        machine.files.put(KEY, "k-1\n");
        for challenge in [format!("Basic realm={KEY}"), format!("basic Realm=\"{KEY}\" ")] {
            assert_eq!(read(&machine, &challenge), Ok("k-1".into()));
        }
    }

    #[test]
    fn no_other_file_is_read() {
        let machine = Scripted::new(&[]);
        machine.files.put("/etc/shadow", "secret");
        machine.files.put("/etc/shadow.key", "secret");
        machine.files.put("/var/opt/azcmagent/tokens/1.txt", "secret");
        machine.files.put("/var/opt/azcmagent/tokens/large.key", "s".repeat(4097));
        machine.files.put("/var/opt/azcmagent/tokens/deep/1.key", "secret");
        machine.files.link("/var/opt/azcmagent/tokens/link.key", "/etc/shadow.key");
        for (path, words) in [
            ("/etc/shadow.key", "not in the agent's folder"),
            ("/var/opt/azcmagent/tokens/deep/1.key", "not in the agent's folder"),
            ("/var/opt/azcmagent/tokens/../../../../etc/shadow.key", "names no key file"),
            ("1.key", "names no key file"),
            ("", "names no key file"),
            ("/var/opt/azcmagent/tokens/1.txt", "does not end in .key"),
            ("/var/opt/azcmagent/tokens/large.key", "larger than any key"),
            ("/var/opt/azcmagent/tokens/link.key", "leads out of"),
            ("/var/opt/azcmagent/tokens/none.key", "mount the folder"),
        ] {
            let error = read(&machine, &format!("Basic realm={path}")).expect_err(path);
            assert!(error.contains(words), "{path}: {error}");
        }
        for challenge in ["", "Basic", "Bearer realm=/var/opt/azcmagent/tokens/1.key"] {
            assert!(read(&machine, challenge).expect_err("refused").contains("names no key file"));
        }
    }

    proptest! {
        #[test]
        fn no_challenge_leads_out_of_the_folder(challenge in "(Basic realm=)?[ -~]{0,60}") {
            let machine = Scripted::new(&[]);
            machine.files.put("/etc/shadow", "secret");
            machine.files.put("/etc/shadow.key", "secret");
            prop_assert!(read(&machine, &challenge).is_err());
            if let Some(path) = realm(&challenge) {
                prop_assert!(path.is_absolute());
            }
        }
    }
}
