//! Reading and writing a world as TOML.
//!
//! A file adds to the built-in world, entry by entry: an entry with the same key replaces the built-in one.
//! `world = "empty"` on its first line starts from nothing.

use crate::config::{Base, Config};
use std::path::{Path, PathBuf};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not TOML, or has a key or a type that does not belong there.
    #[error("the configuration{place} is not valid:\n{message}")]
    Syntax {
        /// ` FILE`, or nothing for text from memory.
        place: String,
        /// Line, column, and what was expected.
        message: String,
    },
    /// The entries contradict each other.
    #[error("the configuration{place}{} is not valid: {message}", line.map(|line| format!(" (line {line})")).unwrap_or_default())]
    Meaning {
        /// ` FILE`, or nothing for text from memory.
        place: String,
        /// Line of the offending value, where it could be found.
        line: Option<usize>,
        /// What is wrong, and what would be right.
        message: String,
    },
}

impl Config {
    /// Reads a configuration from TOML text.
    ///
    /// # Errors
    /// With line, column and what was expected when the text is not valid.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text, String::new())
    }

    /// Reads a configuration from a TOML file.
    ///
    /// # Errors
    /// As [`Config::from_toml`], or when the file cannot be read.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
        Self::parse(&text, format!(" {}", path.display()))
    }

    /// Writes the configuration as TOML, secrets included: a file to start one's own from.
    ///
    /// # Errors
    /// When a value has no form in TOML, which can only be a JSON null in a fault rule.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|error| ConfigError::Syntax { place: String::new(), message: error.to_string() })
    }

    fn parse(text: &str, place: String) -> Result<Self, ConfigError> {
        let file: Self = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            place: place.clone(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let config = match file.world {
            Base::Empty => file,
            Base::Default => Self::default().extended_with(file),
        };
        config.check().map_err(|problem| ConfigError::Meaning {
            place,
            line: text.lines().position(|line| line.contains(&format!("\"{}\"", problem.value))).map(|index| index + 1),
            message: problem.message,
        })?;
        Ok(config)
    }

    fn extended_with(mut self, file: Self) -> Self {
        self.world = Base::Default;
        self.arc_key_folder = file.arc_key_folder;
        self.inside = file.inside;
        self.kubernetes = file.kubernetes;
        self.github = file.github;
        self.pipelines = file.pipelines;
        self.limits = file.limits;
        self.assertions = file.assertions;
        self.lifetimes = file.lifetimes;
        self.sign_in_as = file.sign_in_as;
        self.blob = file.blob;
        merge(&mut self.tenants, file.tenants, |entry| entry.id.clone());
        merge(&mut self.apps, file.apps, |entry| entry.client_id.clone());
        merge(&mut self.apis, file.apis, |entry| entry.client_id.clone());
        merge(&mut self.authorities, file.authorities, |entry| entry.url.clone());
        merge(&mut self.issuers, file.issuers, |entry| entry.url.clone());
        merge(&mut self.users, file.users, |entry| entry.name.clone());
        merge(&mut self.subscriptions, file.subscriptions, |entry| entry.id.clone());
        merge(&mut self.identities, file.identities, |entry| entry.name.clone());
        for (base, added) in [
            (&mut self.web_apps, file.web_apps),
            (&mut self.virtual_machines, file.virtual_machines),
            (&mut self.container_apps, file.container_apps),
            (&mut self.service_fabric_applications, file.service_fabric_applications),
            (&mut self.arc_machines, file.arc_machines),
            (&mut self.ml_computes, file.ml_computes),
            (&mut self.container_groups, file.container_groups),
        ] {
            merge(base, added, |entry| entry.name.clone());
        }
        merge(&mut self.vaults, file.vaults, |entry| entry.name.clone());
        merge(&mut self.storage_accounts, file.storage_accounts, |entry| entry.name.clone());
        self.role_assignments.extend(file.role_assignments);
        self.challenges.extend(file.challenges);
        self.faults.extend(file.faults);
        self
    }
}

fn merge<T>(base: &mut Vec<T>, added: Vec<T>, key: impl Fn(&T) -> String) {
    for entry in added {
        let wanted = key(&entry);
        match base.iter_mut().find(|other| key(other).eq_ignore_ascii_case(&wanted)) {
            Some(other) => *other = entry,
            None => base.push(entry),
        }
    }
}
