//! The rules a world must obey before it can run: what refers to something must find it.

use crate::authorities;
use crate::certificates::{self, AppCertificates};
use crate::compute::ComputeKind;
use crate::config::{ComputeHost, Config, FederatedCredential};
use crate::issuers::Issuers;
use crate::rbac::roles;
use std::collections::HashSet;
use std::fmt::Display;

/// A broken rule, with the value that breaks it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) value: String,
    pub(crate) message: String,
}

fn problem(value: &str, message: impl Display) -> Problem {
    Problem { value: value.to_owned(), message: message.to_string() }
}

impl Config {
    /// Checks identifiers, references and uniqueness.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        self.check_directory()?;
        self.check_resources()?;
        self.check_identities()?;
        self.check_assignments()?;
        for (index, rule) in self.faults.iter().enumerate() {
            rule.check().map_err(|message| problem("", format!("fault {}: {message}", index + 1)))?;
        }
        let mut seen = HashSet::new();
        for entry in &self.authorities {
            authorities::check(entry).map_err(|message| problem(&entry.url, message))?;
            unique(&mut seen, "authority", &entry.url)?;
        }
        Issuers::load(self).map_err(|message| problem("", message))?;
        guid("the service_connection_id of pipelines", &self.pipelines.service_connection_id)?;
        AppCertificates::load(self).map_err(|message| problem("", message))?;
        if let Some(blob) = &self.blob {
            crate::blob::upstream::Upstream::check(blob).map_err(|message| problem(&blob.upstream, message))?;
        }
        Ok(())
    }

    fn check_directory(&self) -> Result<(), Problem> {
        let mut seen = HashSet::new();
        for tenant in &self.tenants {
            guid("the id of a tenant", &tenant.id)?;
            unique(&mut seen, "tenant", &tenant.id)?;
            unique(&mut seen, "tenant domain", &tenant.domain)?;
        }
        for app in &self.apps {
            guid("the client_id of an app", &app.client_id)?;
            unique(&mut seen, "client_id", &app.client_id)?;
            for entry in &app.service_principals {
                self.has_tenant(&entry.tenant)?;
                guid("the object_id of a service principal", &entry.object_id)?;
                unique(&mut seen, "object_id", &entry.object_id)?;
            }
            check_federation(&app.name, &app.federated_credentials)?;
            for subject in &app.trusted_subjects {
                certificates::from_pem(&subject.authority).map_err(|message| {
                    problem(
                        &subject.name,
                        format!("the authority of `{}` of app `{}`: {message}", subject.name, app.name),
                    )
                })?;
            }
            for secret in &app.secrets {
                if let Some(expires) = &secret.expires {
                    crate::clock::parse_rfc3339(expires).ok_or_else(|| {
                        problem(
                            expires,
                            format!("`expires = \"{expires}\"` is not a time; write it as \"2030-01-31T00:00:00Z\""),
                        )
                    })?;
                }
            }
        }
        for api in &self.apis {
            guid("the client_id of an api", &api.client_id)?;
            // An API that signs in itself has an app with the same client id.
            unique(&mut seen, "client_id of an api", &api.client_id)?;
            self.has_tenant(&api.tenant)?;
            if !matches!(api.token_version, 1 | 2) {
                return Err(problem(&api.name, format!("api `{}`: token_version is 1 or 2", api.name)));
            }
        }
        for user in &self.users {
            guid("the object_id of a user", &user.object_id)?;
            unique(&mut seen, "object_id", &user.object_id)?;
            self.has_tenant(&user.tenant)?;
        }
        Ok(())
    }

    fn check_resources(&self) -> Result<(), Problem> {
        let mut seen = HashSet::new();
        for subscription in &self.subscriptions {
            guid("the id of a subscription", &subscription.id)?;
            unique(&mut seen, "subscription", &subscription.id)?;
            self.has_tenant(&subscription.tenant)?;
        }
        for vault in &self.vaults {
            host_label("vault", &vault.name)?;
            unique(&mut seen, "vault", &vault.name)?;
            self.has_group(&vault.subscription, &vault.resource_group)?;
            for name in vault.secrets.keys() {
                if !crate::key_vault::is_secret_name(name) {
                    return Err(problem(
                        name,
                        format!("`{name}` cannot be the name of a secret; use 1 to 127 letters, digits and hyphens"),
                    ));
                }
            }
        }
        for account in &self.storage_accounts {
            host_label("storage account", &account.name)?;
            unique(&mut seen, "storage account", &account.name)?;
            self.has_group(&account.subscription, &account.resource_group)?;
            for container in &account.containers {
                if !crate::blob::is_container_name(container) {
                    return Err(problem(
                        container,
                        format!(
                            "`{container}` cannot be the name of a container; use 3 to 63 lower-case letters, digits and single hyphens"
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_identities(&self) -> Result<(), Problem> {
        let mut seen = HashSet::new();
        for identity in &self.identities {
            guid("the client_id of an identity", &identity.client_id)?;
            guid("the object_id of an identity", &identity.object_id)?;
            unique(&mut seen, "identity", &identity.name)?;
            unique(&mut seen, "identity", &identity.client_id)?;
            unique(&mut seen, "identity", &identity.object_id)?;
            check_federation(&identity.name, &identity.federated_credentials)?;
            self.has_group(&identity.subscription, &identity.resource_group)?;
        }
        for kind in ComputeKind::ALL {
            for host in kind.list(self) {
                unique(&mut seen, kind.noun(), &host.name)?;
                self.check_host(&mut seen, kind, host)?;
            }
        }
        Ok(())
    }

    fn check_host(&self, seen: &mut HashSet<String>, kind: ComputeKind, host: &ComputeHost) -> Result<(), Problem> {
        self.has_group(&host.subscription, &host.resource_group)?;
        let noun = kind.noun();
        if host.parent.is_some() != kind.is_nested() {
            let wanted = if kind.is_nested() { "needs a `parent`" } else { "has no `parent`" };
            return Err(problem(&host.name, format!("{noun} `{}`: a resource of this kind {wanted}", host.name)));
        }
        if let Some(system) = &host.system_assigned {
            guid("the client_id of a system-assigned identity", &system.client_id)?;
            guid("the object_id of a system-assigned identity", &system.object_id)?;
            unique(seen, "identity", &system.client_id)?;
            unique(seen, "identity", &system.object_id)?;
        }
        for name in &host.user_assigned {
            if !self.identities.iter().any(|identity| identity.name.eq_ignore_ascii_case(name)) {
                return Err(problem(
                    name,
                    format!(
                        "{noun} `{}` names the user-assigned identity `{name}`, which is not among [[identities]]",
                        host.name
                    ),
                ));
            }
        }
        Ok(())
    }

    fn check_assignments(&self) -> Result<(), Problem> {
        for entry in &self.role_assignments {
            guid("the principal of a role assignment", &entry.principal)?;
            if roles::find(&entry.role).is_none() {
                return Err(problem(
                    &entry.role,
                    format!("`{}` is not a role the emulator knows; it knows {}", entry.role, roles::names()),
                ));
            }
            if !entry.scope.starts_with('/') {
                return Err(problem(
                    &entry.scope,
                    format!(
                        "the scope `{}` is not a resource id; it begins with `/subscriptions/…`, or is `/`",
                        entry.scope
                    ),
                ));
            }
        }
        Ok(())
    }

    fn has_tenant(&self, id: &str) -> Result<(), Problem> {
        if self.tenants.iter().any(|tenant| tenant.id.eq_ignore_ascii_case(id)) {
            return Ok(());
        }
        Err(problem(id, format!("tenant `{id}` is not among [[tenants]]")))
    }

    fn has_group(&self, subscription: &str, group: &str) -> Result<(), Problem> {
        let Some(found) = self.subscriptions.iter().find(|entry| entry.id.eq_ignore_ascii_case(subscription)) else {
            return Err(problem(subscription, format!("subscription `{subscription}` is not among [[subscriptions]]")));
        };
        if found.resource_groups.iter().any(|name| name.eq_ignore_ascii_case(group)) {
            return Ok(());
        }
        Err(problem(
            group,
            format!("resource group `{group}` is not among the resource_groups of subscription `{}`", found.name),
        ))
    }
}

fn check_federation(owner: &str, credentials: &[FederatedCredential]) -> Result<(), Problem> {
    for credential in credentials {
        let empty = credential.issuer.is_empty() || credential.subject.is_empty() || credential.audiences.is_empty();
        if empty {
            let message = format!("a federated credential of `{owner}` lacks its issuer, its subject or an audience");
            return Err(problem(owner, message));
        }
    }
    Ok(())
}

fn guid(what: &str, value: &str) -> Result<(), Problem> {
    if value.len() == 36 && uuid::Uuid::try_parse(value).is_ok() {
        return Ok(());
    }
    Err(problem(value, format!("{what} is a GUID like {}, not `{value}`", crate::world::TENANT_ID)))
}

fn unique(seen: &mut HashSet<String>, kind: &str, value: &str) -> Result<(), Problem> {
    if seen.insert(format!("{kind} {}", value.to_ascii_lowercase())) {
        return Ok(());
    }
    Err(problem(value, format!("{kind} `{value}` is there twice")))
}

fn host_label(kind: &str, name: &str) -> Result<(), Problem> {
    let fits = (3..=24).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if fits {
        return Ok(());
    }
    Err(problem(name, format!("`{name}` cannot be the name of a {kind}; use 3 to 24 letters, digits and hyphens")))
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};

    fn message(text: &str) -> String {
        Config::from_toml(text).expect_err("invalid").to_string()
    }

    #[test]
    fn syntax_errors_name_line_and_expectation() {
        let text = message("[[apps]]\nclient_id = 5\n");
        assert!(text.contains("line 2") && text.contains("string"), "{text}");
        let text = message("[[vault]]\n");
        assert!(text.contains("line 1") && text.contains("vaults"), "{text}");
    }

    #[test]
    fn errors_of_meaning_name_the_line() {
        let text = message(
            "[[vaults]]\nname = \"extra-vault\"\nsubscription = \"5b000000-0000-4000-8000-000000000099\"\nresource_group = \"g\"\n",
        );
        assert!(text.contains("line 3") && text.contains("[[subscriptions]]"), "{text}");
        let text = message(
            "[[role_assignments]]\nprincipal = \"0b000000-0000-4000-8000-000000000001\"\nrole = \"Secret Reader\"\nscope = \"/\"\n",
        );
        assert!(text.contains("line 3") && text.contains("Key Vault Secrets User"), "{text}");
    }

    #[test]
    fn a_file_adds_to_the_built_in_world_or_starts_from_nothing() {
        let added =
            "[[tenants]]\nid = \"7e000000-0000-4000-8000-000000000042\"\ndomain = \"x.example\"\nname = \"X\"\n";
        let config = Config::from_toml(added).expect("valid");
        assert_eq!(config.tenants.len(), Config::default().tenants.len() + 1);
        assert_eq!(config.role_assignments.len(), Config::default().role_assignments.len());
        let config = Config::from_toml(&format!("world = \"empty\"\n{added}")).expect("valid");
        assert_eq!((config.tenants.len(), config.apps.len()), (1, 0));
    }

    #[test]
    fn the_built_in_world_can_be_written_and_read_again() {
        let text = Config::default().to_toml().expect("written");
        assert!(text.starts_with("world = \"empty\""), "{text}");
        let again = Config::from_toml(&text).expect("valid");
        assert_eq!(again.to_toml().expect("written"), text);
    }

    #[test]
    fn a_configuration_error_is_typed() {
        assert!(matches!(Config::load("/nonexistent.toml"), Err(ConfigError::Read { .. })));
    }
}
