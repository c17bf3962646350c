//! Finding a tool.

use std::path::PathBuf;

use crate::platform::Platform;

/// The first program of one of these names in the folders of `PATH`, as an absolute path.
///
/// Folders that are not absolute are passed over: the current folder is no place to take a program from that will be
/// trusted with a sign-in.
pub(super) fn find(platform: &Platform, names: &[&str]) -> Option<PathBuf> {
    let path = platform.environment().var("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|program| platform.files().is_program(program))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::platform::scripted::Scripted;

    #[test]
    fn only_absolute_folders_count() {
        let machine = Scripted::new(&[("PATH", ".::bin:/usr/bin:/opt/bin")]);
        for path in ["./az", "az", "bin/az", "/opt/bin/az"] {
            machine.files.put(path, "#!");
        }
        assert_eq!(find(&machine.platform, &["az"]), Some("/opt/bin/az".into()));
        assert_eq!(find(&machine.platform, &["azd"]), None);
    }
}
