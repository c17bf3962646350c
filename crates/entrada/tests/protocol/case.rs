//! A case, as its file has it.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entrada_emulator::{Config, Emulator, FaultRule, Host, world};
use libtest_mimic::Failed;
use serde::Deserialize;

/// One case.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What it shows, in a sentence.
    pub(crate) about: String,
    /// Where the program runs; a laptop if left out.
    #[serde(default)]
    pub(crate) host: Host,
    /// Instead of `host`: all the places the case is played in, one after the other; `["*"]` for every host that has
    /// managed identities.
    #[serde(default)]
    hosts: Vec<String>,
    /// Of these, the ones to leave out.
    #[serde(default)]
    except: Vec<String>,
    /// Whether pauses are made; otherwise time jumps over them.
    #[serde(default)]
    pub(crate) real_time: bool,
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

#[derive(Clone, Default, Deserialize)]
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
    /// Seconds.
    pub(crate) timeout: Option<f64>,
    pub(crate) expected_tenant_id: Option<String>,
    pub(crate) expected_client_id: Option<String>,
    pub(crate) expected_object_id: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) token: Option<ExpectedToken>,
    pub(crate) error: Option<ExpectedError>,
    /// How many requests reached Entra and the managed-identity endpoints.
    pub(crate) requests: Option<usize>,
    /// What must come of it on some hosts instead.
    #[serde(default)]
    on: BTreeMap<String, Expect>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedToken {
    /// Whose it is: `own` for the identity that the host gives to those who name none, or the name of a user-assigned one.
    pub(crate) identity: Option<String>,
    /// Object id of the identity.
    pub(crate) principal: Option<String>,
    /// Audience.
    pub(crate) audience: Option<String>,
    /// The whole token, where it is no JWT.
    pub(crate) text: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedError {
    /// `unavailable`, `failed`, `interaction required` or `invalid argument`.
    pub(crate) outcome: String,
    /// In which condition the endpoint was found.
    pub(crate) condition: Option<String>,
    /// Words that the message has.
    #[serde(default)]
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
        for expect in std::iter::once(&case.expect).chain(case.expect.on.values()) {
            if expect.token.is_some() == expect.error.is_some() {
                return Err("a case expects either a token or an error".into());
            }
        }
        Ok(case)
    }

    /// Whether the case is played in many places.
    pub(crate) fn is_for_many(&self) -> bool {
        !self.hosts.is_empty()
    }

    /// The same case for each of its places.
    pub(crate) fn each(&self) -> Result<Vec<Self>, Failed> {
        if !self.is_for_many() {
            return Ok(vec![self.clone()]);
        }
        let known = |name: &String| name == "*" || Host::ALL.iter().any(|host| host.name() == name);
        let named = self.hosts.iter().chain(&self.except).chain(self.expect.on.keys());
        if let Some(unknown) = named.into_iter().find(|name| !known(name)) {
            return Err(format!("there is no host {unknown}").into());
        }
        let all = Host::ALL.into_iter().filter(|host| {
            let name = host.name();
            let chosen = self.hosts.iter().any(|chosen| chosen == name || chosen == "*" && host.has_managed_identity());
            chosen && !self.except.iter().any(|except| except == name)
        });
        Ok(all.map(|host| self.on(host)).collect())
    }

    /// The case for one of its places.
    fn on(&self, host: Host) -> Self {
        let mut case = Self { host, ..self.clone() };
        if let Some(expect) = self.expect.on.get(host.name()) {
            case.expect = expect.clone();
        }
        for fault in &mut case.fault {
            let service = &mut fault.matching.service;
            // On Kubernetes it is Entra itself that hands out the tokens.
            if case.host.name().starts_with("kubernetes") && service.as_deref() == Some("managed-identity") {
                *service = Some("entra".into());
            }
        }
        case
    }

    /// The world that the case is played in.
    pub(crate) fn world(&self, folder: &Path) -> Config {
        // The key of Azure Arc's agent: where an ordinary user may write, too.
        let mut config = Config { arc_key_folder: Some(folder.join("arc")), ..Config::default() };
        // A container that has started.
        config.limits.container_start_ms = 0;
        config
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
        let is_secret = |name: &str| matches!(name, "IDENTITY_HEADER" | "MSI_SECRET");
        let from_host = emulator.environment(self.host).into_iter().filter(|(name, _)| is_secret(name));
        let assertion = std::fs::read_to_string(emulator.federated_token_file(self.host)).ok();
        let from_case = self.environment.iter().filter(|(name, _)| *name == "AZURE_CLIENT_SECRET");
        from_host
            .map(|(_, value)| value)
            .chain(from_case.map(|(_, value)| value.clone()))
            .chain(self.options.client_secret.clone())
            .chain(token.map(str::to_owned))
            .chain(assertion)
            .filter(|secret| !secret.is_empty())
            .collect()
    }
}

/// The claims of a JWT, unverified.
pub(crate) fn claims(token: &str) -> Option<serde_json::Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// The object id of the identity with a name, or of the one that `host` gives to those who name none.
pub(crate) fn object_id(host: Host, identity: &str) -> Option<&'static str> {
    Some(match (identity, host) {
        ("orders-identity", _) => world::USER_ASSIGNED_OBJECT_ID,
        ("own", Host::AppService | Host::AppServiceLegacy) => world::WEB_APP_OBJECT_ID,
        ("own", Host::ContainerApp) => world::CONTAINER_APP_OBJECT_ID,
        ("own", Host::ServiceFabric) => world::FABRIC_APPLICATION_OBJECT_ID,
        ("own", Host::AzureArc) => world::ARC_MACHINE_OBJECT_ID,
        ("own", Host::CloudShell) => world::USER_OBJECT_ID,
        ("own", Host::VirtualMachine) => world::VIRTUAL_MACHINE_OBJECT_ID,
        ("own", Host::ContainerInstance) => world::CONTAINER_GROUP_OBJECT_ID,
        // These name it in a variable.
        ("own", Host::AzureMl | Host::Kubernetes | Host::KubernetesIdentityBinding) => world::USER_ASSIGNED_OBJECT_ID,
        _ => return None,
    })
}
