//! The rules a world must obey before it can run: what refers to something must find it.

use crate::authorities;
use crate::certificates::{self, AppCertificates};
use crate::compute::ComputeKind;
use crate::config::{App, ComputeHost, Config, FederatedCredential};
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
        for (index, challenge) in self.challenges.iter().enumerate() {
            challenge.check().map_err(|message| problem("", format!("challenge {}: {message}", index + 1)))?;
        }
        for (index, rule) in self.faults.iter().enumerate() {
            rule.check().map_err(|message| problem("", format!("fault {}: {message}", index + 1)))?;
        }
        let mut seen = HashSet::new();
        for entry in &self.authorities {
            authorities::check(entry).map_err(|message| problem(&entry.url, message))?;
            unique(&mut seen, "authority", &entry.url)?;
        }
        Issuers::load(self).map_err(|message| problem("", message))?;
        let repository = &self.github.repository;
        if repository.split('/').filter(|part| !part.is_empty()).count() != 2 {
            return Err(problem(repository, format!("the repository of github is OWNER/NAME, not `{repository}`")));
        }
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
            check_redirects(app)?;
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
            if let Some(host) = &api.host {
                unique(&mut seen, "host of an api", host)?;
                if !host.contains('.') || url::Host::parse(host).is_err() {
                    return Err(problem(host, format!("api `{}`: `{host}` is not a host name", api.name)));
                }
            }
            if !matches!(api.token_version, 1 | 2) {
                return Err(problem(&api.name, format!("api `{}`: token_version is 1 or 2", api.name)));
            }
        }
        self.check_users(&mut seen)
    }

    fn check_users(&self, seen: &mut HashSet<String>) -> Result<(), Problem> {
        for user in &self.users {
            let is_name =
                user.name.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
            if !is_name || user.name.contains(|c: char| c.is_whitespace() || c.is_control()) {
                let message = format!(
                    "`{}` cannot be the name of a user; write it as name@{}",
                    user.name,
                    crate::world::TENANT_DOMAIN
                );
                return Err(problem(&user.name, message));
            }
            unique(seen, "user", &user.name)?;
            guid("the object_id of a user", &user.object_id)?;
            unique(seen, "object_id", &user.object_id)?;
            self.has_tenant(&user.tenant)?;
            if user.password.is_empty() {
                return Err(problem(&user.name, format!("user `{}` has an empty password", user.name)));
            }
            for guest in &user.guest_in {
                guid("the object_id of a guest", &guest.object_id)?;
                unique(seen, "object_id", &guest.object_id)?;
                self.has_tenant(&guest.tenant)?;
                unique(seen, &format!("tenant of the user `{}`:", user.name), &guest.tenant)?;
                if guest.tenant.eq_ignore_ascii_case(&user.tenant) {
                    let message = format!(
                        "user `{}` is at home in tenant `{}`, and cannot be a guest there",
                        user.name, guest.tenant
                    );
                    return Err(problem(&guest.object_id, message));
                }
            }
        }
        if let Some(name) = &self.sign_in_as
            && !self.users.iter().any(|user| user.name.eq_ignore_ascii_case(name))
        {
            return Err(problem(name, unknown_user(name, self)));
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

/// Says that there is no such user, and who there is.
pub(crate) fn unknown_user(name: &str, config: &Config) -> String {
    let known: Vec<_> = config.users.iter().map(|user| user.name.as_str()).collect();
    format!("user `{name}` is not among [[users]]; there are {}", known.join(", "))
}

fn check_redirects(app: &App) -> Result<(), Problem> {
    for uri in &app.redirect_uris {
        let wrong = |why: &str| Err(problem(uri, format!("the redirect URI `{uri}` of app `{}` {why}", app.name)));
        let Ok(url) = url::Url::parse(uri) else {
            return wrong("is not a URL; write it as \"http://localhost\" or \"https://app.example/signin\"");
        };
        if url.fragment().is_some() || uri.contains('*') {
            return wrong("may have neither a fragment nor a wildcard");
        }
        let is_loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
        if matches!(url.scheme(), "javascript" | "data" | "file" | "vbscript")
            || (url.scheme() == "http" && !is_loopback)
        {
            return wrong("must be https, http on localhost, or a scheme of the app's own");
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
    fn users_and_redirect_uris_that_cannot_be_are_refused() {
        let user = |name: &str, more: &str| {
            format!(
                "[[users]]\nname = \"{name}\"\nobject_id = \"0b000000-0000-4000-8000-000000000099\"\ntenant = \"{}\"\n{more}",
                crate::world::TENANT_ID
            )
        };
        let password = "password = \"fake\"\n";
        let guest = |tenant: &str| {
            let guest = format!(
                "[[users.guest_in]]\ntenant = \"{tenant}\"\nobject_id = \"0b000000-0000-4000-8000-000000000098\"\n"
            );
            user("eve@x.example", &format!("{password}{guest}"))
        };
        let redirect = |uri: &str| {
            format!(
                "[[apps]]\nclient_id = \"c1000000-0000-4000-8000-000000000099\"\nname = \"x\"\nservice_principals = []\nredirect_uris = [\"{uri}\"]\n"
            )
        };
        for (text, words) in [
            (user("eve", password), "name@contoso.onmicrosoft.com"),
            (user("eve smith@x.example", password), "name@contoso.onmicrosoft.com"),
            (user("eve@x.example", "password = \"\"\n"), "empty password"),
            (user("eve@x.example", &format!("{password}mfa = \"sometimes\"\n")), "not_required"),
            (user("eve@x.example", &format!("{password}refusal = \"dislike\"\n")), "password_expired"),
            (guest("7e000000-0000-4000-8000-000000000099"), "[[tenants]]"),
            (guest(crate::world::TENANT_ID), "at home"),
            ("sign_in_as = \"nobody@x.example\"\n".to_owned(), "ada@contoso.onmicrosoft.com"),
            (redirect("not a url"), "http://localhost"),
            (redirect("http://elsewhere.example"), "must be https"),
            (redirect("javascript:alert(1)"), "must be https"),
            (redirect("https://*.example/signin"), "wildcard"),
        ] {
            let message = message(&text);
            assert!(message.contains(words), "{text}{message}");
        }
        assert!(Config::from_toml(&redirect("myapp://auth")).is_ok());
        assert!(Config::from_toml(&guest(crate::world::FABRIKAM_TENANT_ID)).is_ok());
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
