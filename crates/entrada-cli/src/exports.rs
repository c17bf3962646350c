//! Lines that set variables in a shell.

use clap::ValueEnum;

/// The shells lines can be written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// sh, bash, zsh, dash.
    Sh,
    /// PowerShell.
    Powershell,
    /// fish.
    Fish,
}

/// A line that sets a variable.
pub(crate) fn set(shell: Shell, name: &str, value: &str) -> String {
    match shell {
        Shell::Sh => format!("export {name}='{}'", value.replace('\'', r"'\''")),
        Shell::Powershell => format!("$env:{name} = '{}'", value.replace('\'', "''")),
        Shell::Fish => format!("set -gx {name} '{}'", value.replace('\\', r"\\").replace('\'', r"\'")),
    }
}

/// A line that removes a variable.
pub(crate) fn unset(shell: Shell, name: &str) -> String {
    match shell {
        Shell::Sh => format!("unset {name}"),
        Shell::Powershell => format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue"),
        Shell::Fish => format!("set -e {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Shell, set};

    #[test]
    fn values_are_quoted() {
        assert_eq!(set(Shell::Sh, "A", "it's $x"), r"export A='it'\''s $x'");
        assert_eq!(set(Shell::Powershell, "A", "it's"), "$env:A = 'it''s'");
        assert_eq!(set(Shell::Fish, "A", r"it's \"), r"set -gx A 'it\'s \\'");
    }
}
