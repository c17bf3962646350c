//! A case, as its file has it.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entrada_emulator::{Emulator, FaultRule, Host};
use libtest_mimic::Failed;
use serde::Deserialize;

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What it shows, in a sentence.
    #[serde(rename = "about")]
    _about: String,
    /// Where the program runs; a laptop if left out.
    #[serde(default)]
    pub(crate) host: Host,
    /// The credential's name.
    pub(crate) credential: String,
    /// What it is constructed with.
    #[serde(default)]
    pub(crate) options: Options,
    /// What it is asked for.
    #[serde(default = "vault")]
    pub(crate) scopes: Vec<String>,
    /// Variables beside those of the host. `${case}` is the folder of `files`.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// Files by name; those in `bin` can be run.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// How the emulated Azure misbehaves.
    #[serde(default)]
    pub(crate) fault: Vec<FaultRule>,
    /// What must come of it.
    pub(crate) expect: Expect,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    pub(crate) tenant_id: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<String>,
    pub(crate) authority: Option<String>,
    pub(crate) object_id: Option<String>,
    pub(crate) resource_id: Option<String>,
    /// Seconds.
    pub(crate) process_timeout: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) token: Option<ExpectedToken>,
    pub(crate) error: Option<ExpectedError>,
    /// How many requests reached Entra and the managed-identity endpoints.
    pub(crate) requests: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedToken {
    /// Object id of the identity.
    pub(crate) principal: Option<String>,
    /// Audience.
    pub(crate) audience: Option<String>,
    /// The whole token, where it is no JWT.
    pub(crate) text: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedError {
    /// `unavailable`, `failed`, `interaction required` or `invalid argument`.
    pub(crate) outcome: String,
    /// Words that the message has.
    pub(crate) contains: Vec<String>,
    /// Words that it does not have.
    #[serde(default)]
    pub(crate) lacks: Vec<String>,
}

fn vault() -> Vec<String> {
    vec!["https://vault.azure.net/.default".into()]
}

impl Case {
    pub(crate) fn read(file: &Path) -> Result<Self, Failed> {
        let case: Self = toml::from_str(&std::fs::read_to_string(file)?)?;
        match (&case.expect.token, &case.expect.error) {
            (Some(_), None) | (None, Some(_)) => Ok(case),
            _ => Err("a case expects either a token or an error".into()),
        }
    }

    pub(crate) fn write_files(&self, folder: &Path) -> std::io::Result<()> {
        for (name, content) in &self.files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
            std::fs::write(&path, content)?;
            #[cfg(unix)]
            if name.starts_with("bin/") {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
            }
        }
        Ok(())
    }

    /// What must not show anywhere.
    pub(crate) fn secrets(&self, emulator: &Emulator, token: Option<&str>) -> Vec<String> {
        let from_host = emulator.environment(self.host).into_iter().filter(|(name, _)| name == "IDENTITY_HEADER");
        let from_case = self.environment.iter().filter(|(name, _)| *name == "AZURE_CLIENT_SECRET");
        from_host
            .map(|(_, value)| value)
            .chain(from_case.map(|(_, value)| value.clone()))
            .chain(self.options.client_secret.clone())
            .chain(token.map(str::to_owned))
            .filter(|secret| !secret.is_empty())
            .collect()
    }
}

/// The claims of a JWT, unverified.
pub(crate) fn claims(token: &str) -> Option<serde_json::Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}
