//! Which credentials a default chain consists of: `AZURE_TOKEN_CREDENTIALS`.

use crate::error::Error;
use crate::platform::Environment;

const VARIABLE: &str = "AZURE_TOKEN_CREDENTIALS";

/// The credentials that a default chain can consist of, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Environment,
    ManagedIdentity,
    AzureCli,
}

impl Step {
    pub(super) const ALL: [Self; 3] = [Self::Environment, Self::ManagedIdentity, Self::AzureCli];

    fn name(self) -> &'static str {
        match self {
            Self::Environment => "EnvironmentCredential",
            Self::ManagedIdentity => "ManagedIdentityCredential",
            Self::AzureCli => "AzureCliCredential",
        }
    }

    fn is_for_development(self) -> bool {
        self == Self::AzureCli
    }
}

/// What the variable selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    All,
    Development,
    Production,
    Only(Step),
}

impl Selection {
    /// Reads `AZURE_TOKEN_CREDENTIALS`: `dev`, `prod`, or the name of a credential, in any case.
    pub(super) fn read(environment: &dyn Environment) -> Result<Self, Error> {
        let Some(value) = environment.var(VARIABLE) else {
            return Ok(Self::All);
        };
        let word = value.trim();
        let by_name = || Step::ALL.into_iter().find(|step| step.name().eq_ignore_ascii_case(word)).map(Self::Only);
        match word.to_ascii_lowercase().as_str() {
            "" => Ok(Self::All),
            "dev" => Ok(Self::Development),
            "prod" => Ok(Self::Production),
            _ => by_name().ok_or_else(|| {
                let names: Vec<_> = Step::ALL.iter().map(|step| step.name()).collect();
                Error::invalid_argument(format!("{VARIABLE} is \"{word}\", which selects no credential"))
                    .next(format!("set it to dev, prod, {}, or unset it", names.join(", ")))
            }),
        }
    }

    pub(super) fn contains(self, step: Step) -> bool {
        match self {
            Self::All => true,
            Self::Development => step.is_for_development(),
            Self::Production => !step.is_for_development(),
            Self::Only(only) => only == step,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn read(value: &str) -> Result<Selection, Error> {
        Selection::read(&HashMap::from([(VARIABLE.to_owned(), value.to_owned())]))
    }

    #[test]
    fn words_and_names_in_any_case() {
        assert_eq!(read("").expect("unset"), Selection::All);
        assert_eq!(read(" PROD ").expect("a word"), Selection::Production);
        assert_eq!(read("azureclicredential").expect("a name"), Selection::Only(Step::AzureCli));
        assert!(!Selection::Production.contains(Step::AzureCli));
        assert!(!Selection::Development.contains(Step::ManagedIdentity));
        let error = read("devel").expect_err("neither").to_string();
        assert!(error.contains("dev, prod, EnvironmentCredential"), "{error}");
    }
}
