//! Who has consented to which permissions of which app.

use super::lock;
use crate::config::{App, Consent};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// The consents of a run. Apps and users go by client id and object id at home.
pub(crate) struct Consents(Mutex<Table>);

struct Table {
    /// Apps that an administrator has consented to for everyone.
    everyone: HashSet<String>,
    users: HashMap<(String, String), Given>,
}

/// What a user has consented to.
#[derive(Default)]
struct Given {
    all: bool,
    permissions: HashSet<String>,
}

impl Consents {
    pub(crate) fn new(apps: &[App]) -> Self {
        let granted = apps.iter().filter(|app| app.consent == Consent::Granted);
        let everyone = granted.map(|app| app.client_id.to_ascii_lowercase()).collect();
        Self(Mutex::new(Table { everyone, users: HashMap::new() }))
    }

    /// Which of these permissions a user would have to consent to first.
    pub(crate) fn missing(&self, app: &App, user: &str, permissions: &[String]) -> Vec<String> {
        let table = lock(&self.0);
        let client = app.client_id.to_ascii_lowercase();
        if table.everyone.contains(&client) {
            return Vec::new();
        }
        let given = table.users.get(&(client, user.to_ascii_lowercase()));
        let has =
            |permission: &&String| given.is_some_and(|given| given.all || given.permissions.contains(*permission));
        permissions.iter().filter(|permission| !has(permission)).cloned().collect()
    }

    /// A user consents to permissions.
    pub(crate) fn give(&self, client_id: &str, user: &str, permissions: &[String]) {
        let mut table = lock(&self.0);
        let given = table.users.entry((client_id.to_ascii_lowercase(), user.to_ascii_lowercase())).or_default();
        given.permissions.extend(permissions.iter().cloned());
    }

    /// Consent to all that an app asks for, by a user, or by an administrator for everyone.
    pub(crate) fn give_all(&self, client_id: &str, user: Option<&str>) {
        let mut table = lock(&self.0);
        let client = client_id.to_ascii_lowercase();
        match user {
            Some(user) => table.users.entry((client, user.to_ascii_lowercase())).or_default().all = true,
            None => {
                table.everyone.insert(client);
            }
        }
    }

    /// Takes a user's consent back; without a user, everyone's.
    pub(crate) fn remove(&self, client_id: &str, user: Option<&str>) {
        let mut table = lock(&self.0);
        let client = client_id.to_ascii_lowercase();
        match user {
            Some(user) => {
                table.users.remove(&(client, user.to_ascii_lowercase()));
            }
            None => {
                table.everyone.remove(&client);
                table.users.retain(|(app, _), _| *app != client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Consents;
    use crate::config::{App, Consent};

    #[test]
    fn consent_is_to_permissions_of_one_app_by_one_user() {
        let asks = App { client_id: "C1".into(), ..App::default() };
        let granted = App { client_id: "C2".into(), consent: Consent::Granted, ..App::default() };
        let consents = Consents::new(&[asks.clone(), granted.clone()]);
        let wanted = ["vault/x".to_owned(), "vault/y".to_owned()];
        assert!(consents.missing(&granted, "ada", &wanted).is_empty());
        assert_eq!(consents.missing(&asks, "ada", &wanted), wanted);
        consents.give("c1", "ADA", &wanted[..1]);
        assert_eq!(consents.missing(&asks, "ada", &wanted), wanted[1..]);
        assert_eq!(consents.missing(&asks, "grace", &wanted), wanted);
        consents.give_all("c1", None);
        assert!(consents.missing(&asks, "grace", &wanted).is_empty());
        consents.remove("c1", None);
        assert_eq!(consents.missing(&asks, "ada", &wanted), wanted, "everyone's");
    }
}
