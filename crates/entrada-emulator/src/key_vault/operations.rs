//! The operations on secrets.

use super::problem;
use super::store::{Secret, Secrets, Version};
use crate::call::{Call, Reply};
use crate::clock;
use crate::config::Vault;
use crate::state::State;
use serde_json::{Value, json};

/// Largest value of a secret, in bytes.
const LARGEST_VALUE: usize = 25 * 1024;

/// Most secrets a vault holds.
const MOST_SECRETS: usize = 10_000;

/// Items on a page, unless `maxresults` says less.
const PAGE: usize = 25;

/// What a request asks for. Names are as written in the path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation {
    List,
    ListVersions(String),
    Get(String, Option<String>),
    Set(String),
    Update(String, String),
    Delete(String),
    ListDeleted,
    GetDeleted(String),
    Purge(String),
    Recover(String),
}

impl Operation {
    pub(super) fn of(call: &Call) -> Option<Self> {
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let own = |text: &&str| (*text).to_owned();
        Some(match (call.method.as_str(), parts.as_slice()) {
            ("GET", ["secrets"]) => Self::List,
            ("GET", ["secrets", name, "versions"]) => Self::ListVersions(own(name)),
            ("GET", ["secrets", name]) => Self::Get(own(name), None),
            ("GET", ["secrets", name, version]) => Self::Get(own(name), Some(own(version))),
            ("PUT", ["secrets", name]) => Self::Set(own(name)),
            ("PATCH", ["secrets", name, version]) => Self::Update(own(name), own(version)),
            ("DELETE", ["secrets", name]) => Self::Delete(own(name)),
            ("GET", ["deletedsecrets"]) => Self::ListDeleted,
            ("GET", ["deletedsecrets", name]) => Self::GetDeleted(own(name)),
            ("DELETE", ["deletedsecrets", name]) => Self::Purge(own(name)),
            ("POST", ["deletedsecrets", name, "recover"]) => Self::Recover(own(name)),
            _ => return None,
        })
    }

    /// The secret it is about.
    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Self::List | Self::ListDeleted => None,
            Self::ListVersions(name)
            | Self::Get(name, _)
            | Self::Set(name)
            | Self::Update(name, _)
            | Self::Delete(name)
            | Self::GetDeleted(name)
            | Self::Purge(name)
            | Self::Recover(name) => Some(name),
        }
    }

    /// The data action a role must allow.
    pub(super) fn action(&self) -> &'static str {
        match self {
            Self::List | Self::ListVersions(_) | Self::ListDeleted | Self::GetDeleted(_) => {
                "Microsoft.KeyVault/vaults/secrets/readMetadata/action"
            }
            Self::Get(..) => "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            Self::Set(_) => "Microsoft.KeyVault/vaults/secrets/setSecret/action",
            Self::Update(..) => "Microsoft.KeyVault/vaults/secrets/update/action",
            Self::Delete(_) => "Microsoft.KeyVault/vaults/secrets/delete",
            Self::Purge(_) => "Microsoft.KeyVault/vaults/secrets/purge/action",
            Self::Recover(_) => "Microsoft.KeyVault/vaults/secrets/recover/action",
        }
    }

    pub(super) fn run(&self, state: &State, vault: &Vault, call: &Call) -> Result<Reply, Reply> {
        let url = format!("https://{}", call.host);
        let mut secrets =
            state.vaults.of(&vault.name).ok_or_else(|| problem(404, "NotFound", "There is no such vault."))?;
        match self {
            Self::List => Ok(list(&url, &secrets, call, false)),
            Self::ListDeleted => Ok(list(&url, &secrets, call, true)),
            Self::ListVersions(name) => {
                let secret = find(&secrets, name, false)?;
                let items = secret.versions.iter().map(|version| version.json(id(&url, name, Some(version)), false));
                Ok(page(&format!("{url}/secrets/{name}/versions"), items.collect(), call))
            }
            Self::Get(name, version) => get(&url, find(&secrets, name, false)?, name, version.as_deref()),
            Self::Set(name) => set(&url, &mut secrets, name, call),
            Self::Update(name, wanted) => {
                let body = call.json().unwrap_or_default();
                find(&secrets, name, false)?;
                let version = secrets
                    .get_mut(&name.to_ascii_lowercase())
                    .and_then(|secret| secret.versions.iter_mut().find(|version| version.id == *wanted))
                    .ok_or_else(|| not_found(&format!("{name}/{wanted}")))?;
                version.update(&body);
                version.updated = clock::now();
                Ok(Reply::json(200, &version.json(id(&url, name, Some(version)), false)))
            }
            Self::Delete(name) => {
                find(&secrets, name, false)?;
                let secret = secrets.get_mut(&name.to_ascii_lowercase()).ok_or_else(|| not_found(name))?;
                secret.deleted = Some(clock::now());
                deleted(&url, name, secret)
            }
            Self::GetDeleted(name) => deleted(&url, name, find(&secrets, name, true)?),
            Self::Purge(name) => {
                find(&secrets, name, true)?;
                secrets.remove(&name.to_ascii_lowercase());
                Ok(Reply::new(204))
            }
            Self::Recover(name) => {
                find(&secrets, name, true)?;
                let secret = secrets.get_mut(&name.to_ascii_lowercase()).ok_or_else(|| not_found(name))?;
                secret.deleted = None;
                let newest = secret.versions.last().ok_or_else(|| not_found(name))?;
                Ok(Reply::json(200, &newest.json(id(&url, name, Some(newest)), false)))
            }
        }
    }
}

fn not_found(name: &str) -> Reply {
    problem(
        404,
        "SecretNotFound",
        format!(
            "A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"
        ),
    )
}

fn id(url: &str, name: &str, version: Option<&Version>) -> String {
    match version {
        Some(version) => format!("{url}/secrets/{name}/{}", version.id),
        None => format!("{url}/secrets/{name}"),
    }
}

fn find<'a>(secrets: &'a Secrets, name: &str, deleted: bool) -> Result<&'a Secret, Reply> {
    secrets
        .get(&name.to_ascii_lowercase())
        .filter(|secret| secret.deleted.is_some() == deleted)
        .ok_or_else(|| not_found(name))
}

fn get(url: &str, secret: &Secret, name: &str, wanted: Option<&str>) -> Result<Reply, Reply> {
    let version = match wanted {
        None => secret.versions.last().ok_or_else(|| not_found(name))?,
        Some(wanted) => secret
            .versions
            .iter()
            .find(|version| version.id == wanted)
            .ok_or_else(|| not_found(&format!("{name}/{wanted}")))?,
    };
    let now = clock::now();
    let closed = !version.enabled
        || version.expires.is_some_and(|end| end <= now && wanted.is_none())
        || version.not_before.is_some_and(|start| start > now);
    if !version.enabled {
        let body = json!({"error": {
            "code": "Forbidden",
            "message": "Operation get is not allowed on a disabled secret.",
            "innererror": {"code": "SecretDisabled"},
        }});
        return Err(Reply::json(403, &body).note("SecretDisabled"));
    }
    if closed {
        let body = json!({"error": {
            "code": "Forbidden",
            "message": "Operation get is not allowed on a secret outside of the time it is valid.",
            "innererror": {"code": "SecretExpired"},
        }});
        return Err(Reply::json(403, &body).note("SecretExpired"));
    }
    Ok(Reply::json(200, &version.json(id(url, name, Some(version)), true)))
}

fn set(url: &str, secrets: &mut Secrets, name: &str, call: &Call) -> Result<Reply, Reply> {
    let body = call
        .json()
        .filter(Value::is_object)
        .ok_or_else(|| problem(400, "BadParameter", "The request body is not a JSON object."))?;
    let value = body["value"].as_str().ok_or_else(|| {
        problem(400, "BadParameter", "Property  has invalid value: 'value' is required and is a string.")
    })?;
    if value.len() > LARGEST_VALUE {
        return Err(problem(400, "BadParameter", format!("The value is longer than {LARGEST_VALUE} bytes.")));
    }
    if secrets.len() >= MOST_SECRETS {
        return Err(problem(429, "Throttled", "The emulator's vault is full."));
    }
    let secret = secrets.entry(name.to_ascii_lowercase()).or_default();
    if secret.deleted.is_some() {
        let message = format!(
            "Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."
        );
        let body = json!({"error": {"code": "Conflict", "message": message, "innererror": {"code": "ObjectIsDeletedButRecoverable"}}});
        return Err(Reply::json(409, &body).note("ObjectIsDeletedButRecoverable"));
    }
    let mut version = Version::new(value.to_owned());
    version.update(&body);
    let answer = version.json(id(url, name, Some(&version)), true);
    secret.versions.push(version);
    Ok(Reply::json(200, &answer))
}

fn deleted(url: &str, name: &str, secret: &Secret) -> Result<Reply, Reply> {
    let newest = secret.versions.last().ok_or_else(|| not_found(name))?;
    let mut body = newest.json(id(url, name, Some(newest)), false);
    secret.mark_deleted(url, name, &mut body);
    Ok(Reply::json(200, &body))
}

fn list(url: &str, secrets: &Secrets, call: &Call, deleted: bool) -> Reply {
    let items = secrets
        .iter()
        .filter(|(_, secret)| secret.deleted.is_some() == deleted)
        .filter_map(|(name, secret)| {
            let mut item = secret.versions.last()?.json(id(url, name, None), false);
            secret.mark_deleted(url, name, &mut item);
            Some(item)
        })
        .collect();
    let kind = if deleted { "deletedsecrets" } else { "secrets" };
    page(&format!("{url}/{kind}"), items, call)
}

/// Cuts a list into pages; `$skiptoken` is the number of items before the page.
fn page(url: &str, items: Vec<Value>, call: &Call) -> Reply {
    let number = |name: &str| call.parameter(name).and_then(|text| text.parse::<usize>().ok());
    let from = number("$skiptoken").unwrap_or(0);
    let size = number("maxresults").map_or(PAGE, |most| most.clamp(1, PAGE));
    let version = call.parameter("api-version").unwrap_or_default();
    let more = items.len() > from.saturating_add(size);
    let next = more.then(|| format!("{url}?api-version={version}&$skiptoken={}&maxresults={size}", from + size));
    let value: Vec<Value> = items.into_iter().skip(from).take(size).collect();
    Reply::json(200, &json!({"value": value, "nextLink": next}))
}

#[cfg(test)]
mod tests {
    use super::Operation;
    use crate::call::Call;

    #[test]
    fn paths_name_operations() {
        let operation = |method, path| Operation::of(&Call::test(method, "v", path));
        assert_eq!(operation("GET", "/secrets/a/"), Some(Operation::Get("a".into(), None)));
        assert_eq!(operation("GET", "/secrets/a/v1"), Some(Operation::Get("a".into(), Some("v1".into()))));
        assert_eq!(operation("GET", "/secrets/a/versions"), Some(Operation::ListVersions("a".into())));
        assert_eq!(operation("POST", "/deletedsecrets/a/recover"), Some(Operation::Recover("a".into())));
        assert_eq!(operation("GET", "/keys/a"), None);
    }
}
