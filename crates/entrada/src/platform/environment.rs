//! Environment variables.

use std::collections::HashMap;

/// Where environment variables are read.
pub trait Environment: Send + Sync {
    /// The value of a variable; `None` where it is not set, is empty, or is not Unicode.
    ///
    /// Empty counts as not set: shells, containers and pipelines cannot easily unset a variable, they empty it.
    fn var(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

impl Environment for HashMap<String, String> {
    fn var(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_not_set() {
        let variables = HashMap::from([("A".to_owned(), String::new())]);
        assert_eq!(variables.var("A"), None);
        assert_eq!(variables.var("B"), None);
    }
}
