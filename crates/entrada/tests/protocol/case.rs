//! A case, as its file has it.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entrada_emulator::{Config, Emulator, FaultRule, Host, world};
use libtest_mimic::Failed;
use serde::Deserialize;
use toml::Value;

use super::issue::Issue;

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
    /// What else the request says.
    #[serde(default)]
    pub(crate) request: Request,
    /// What the emulated world has beside the built-in one: a world file of the emulator.
    world: Option<String>,
    /// Who signs in wherever a person is asked to.
    pub(crate) sign_in_as: Option<String>,
    /// What the emulator makes for the case, by name.
    #[serde(default)]
    pub(crate) issue: BTreeMap<String, Issue>,
    /// Texts that must not show, beside what is a secret by its place.
    #[serde(default)]
    secrets: Vec<String>,
    /// Variables beside those of the host.
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
    /// The case as it was written.
    #[serde(skip)]
    written: Option<Value>,
}

/// What a request says beside its scopes.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Request {
    pub(crate) tenant_id: Option<String>,
    pub(crate) claims: Option<String>,
    pub(crate) enable_cae: bool,
}

/// The arguments of a credential, named as in Python.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    pub(crate) tenant_id: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<String>,
    /// Text of the certificate and its key.
    pub(crate) certificate_data: Option<String>,
    pub(crate) certificate_path: Option<String>,
    /// The same as `certificate_data`, for credentials that prove the app in several ways.
    pub(crate) client_certificate: Option<String>,
    /// Of the certificate, or of the user.
    pub(crate) password: Option<String>,
    #[serde(default)]
    pub(crate) send_certificate_chain: bool,
    pub(crate) algorithm: Option<String>,
    /// Where assertions come from.
    #[serde(alias = "client_assertion_func")]
    pub(crate) func: Option<Assertions>,
    pub(crate) user_assertion: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) authorization_code: Option<String>,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) code_verifier: Option<String>,
    pub(crate) login_hint: Option<String>,
    pub(crate) prompt: Option<String>,
    #[serde(default)]
    pub(crate) disable_automatic_authentication: bool,
    pub(crate) service_connection_id: Option<String>,
    pub(crate) system_access_token: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) expires_on: Option<i64>,
    pub(crate) path: Option<String>,
    /// A program and its arguments.
    #[serde(default)]
    pub(crate) command: Vec<String>,
    pub(crate) authority: Option<String>,
    #[serde(default)]
    pub(crate) disable_instance_discovery: bool,
    #[serde(default)]
    pub(crate) additionally_allowed_tenants: Vec<String>,
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

/// Where assertions come from; one of them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum Assertions {
    /// A file.
    File(String),
    /// A variable.
    Environment(String),
    /// A program and its arguments.
    Command(Vec<String>),
    /// The client id of a user-assigned managed identity.
    ManagedIdentity(String),
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
    /// Other claims.
    #[serde(default)]
    pub(crate) claims: BTreeMap<String, serde_json::Value>,
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
    /// Words of the claims that the next sign-in must bring.
    pub(crate) claims: Option<String>,
}

fn vault() -> Vec<String> {
    vec!["https://vault.azure.net/.default".into()]
}

impl Case {
    pub(crate) fn read(file: &Path) -> Result<Self, Failed> {
        Self::parse(toml::from_str(&std::fs::read_to_string(file)?)?)
    }

    fn parse(written: Value) -> Result<Self, Failed> {
        let case = Self { written: Some(written.clone()), ..written.try_into()? };
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

    /// The same case with everything in place of the `${NAME}` that stand for it.
    pub(crate) fn filled(&self, known: &BTreeMap<String, String>) -> Result<Self, Failed> {
        let mut written = self.written.clone().ok_or("a case is read from a file")?;
        fill(&mut written, known);
        Ok(Self::parse(written)?.on(self.host))
    }

    /// The world that the case is played in.
    pub(crate) fn world(&self, folder: &Path) -> Result<Config, Failed> {
        let mut config = self.world.as_deref().map(Config::from_toml).transpose()?.unwrap_or_default();
        // The key of Azure Arc's agent: where an ordinary user may write, too.
        config.arc_key_folder = Some(folder.join("arc"));
        config.sign_in_as.clone_from(&self.sign_in_as);
        // A container that has started.
        config.limits.container_start_ms = 0;
        Ok(config)
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

    /// What must not show anywhere: what is a secret by its place, and what was made for the case.
    pub(crate) fn secrets(&self, emulator: &Emulator, token: Option<&str>) -> Vec<String> {
        let from_host = emulator.environment(self.host).into_iter();
        let from_case = self.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
        let variables = from_host.chain(from_case).filter(|(name, _)| SECRET_VARIABLES.contains(&name.as_str()));
        let options = &self.options;
        let given = [
            &options.client_secret,
            &options.password,
            &options.user_assertion,
            &options.authorization_code,
            &options.code_verifier,
            &options.system_access_token,
            &options.token,
        ];
        let files = [options.certificate_path.clone(), options.path.clone()].into_iter().flatten();
        let files = files.filter_map(|path| std::fs::read_to_string(path).ok());
        let certificates = [&options.certificate_data, &options.client_certificate].into_iter().flatten().cloned();
        let keys: Vec<String> = files.chain(certificates).flat_map(|text| key_lines(&text)).collect();
        variables
            .map(|(_, value)| value)
            // A macro that nobody has replaced is no secret: errors name it.
            .chain(given.into_iter().flatten().filter(|value| !value.starts_with("$(")).cloned())
            .chain(self.secrets.iter().cloned())
            .chain(keys)
            .chain(token.map(str::to_owned))
            .chain(std::fs::read_to_string(emulator.federated_token_file(self.host)).ok())
            .filter(|secret| !secret.is_empty())
            .collect()
    }
}

/// Variables that hold secrets.
const SECRET_VARIABLES: [&str; 7] = [
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_SECRET",
    "AZURE_PASSWORD",
    "IDENTITY_HEADER",
    "MSI_SECRET",
    "SYSTEM_ACCESSTOKEN",
];

/// The lines of a private key in PEM: none of them may show.
fn key_lines(text: &str) -> Vec<String> {
    let key = text.split_once("PRIVATE KEY-----").map(|(_, rest)| rest.split("-----").next().unwrap_or_default());
    key.unwrap_or_default().lines().filter(|line| line.len() > 20).map(str::to_owned).collect()
}

/// Something that looks like one of the emulator's codes and refresh tokens, which nobody was told: `1.` and then at least
/// sixty letters and digits.
pub(crate) fn grant(text: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let grants = text.match_indices("1.").map(|(at, _)| {
        let rest = &text[at + 2..];
        &text[at..at + 2 + rest.find(|c| !is_part(c)).unwrap_or(rest.len())]
    });
    grants.into_iter().find(|grant| grant.len() > 62)
}

/// Puts what is known in the place of the names that stand for it.
fn fill(value: &mut Value, known: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            for (name, content) in known {
                *text = text.replace(&format!("${{{name}}}"), content);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| fill(value, known)),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| fill(value, known)),
        _ => {}
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
