//! What reads text from outside, ready to be given anything: the targets of `fuzz/`.
//!
//! A target takes bytes and asserts what must hold whatever they are: nothing panics, no token is accepted that has
//! expired, nothing secret is in an error, and an error is of a size that can be read. `cargo xtask fuzz` looks for bytes
//! for which it does not; the unit tests play the seeds in `fuzz/seeds`. See `docs/fuzzing.md`.

mod assertions;
mod certificates;
mod challenge;
mod check;
mod entra;
mod machine;
mod managed_identity;
mod redirect_request;
mod sign_in;
mod tokens;

pub use assertions::assertion;
pub use certificates::certificate;
pub use challenge::www_authenticate;
pub use entra::{error_body, token_response};
pub use managed_identity::{arc_challenge, managed_identity};
pub use redirect_request::redirect_request;
pub use sign_in::{authentication_record, device_code, id_token};
pub use tokens::{azure_cli_output, given_token, jwt};

/// A target's function.
pub type Target = fn(&[u8]);

/// Every target and its name: that of its program in `fuzz/fuzz_targets`, and of the folder of its seeds.
pub const TARGETS: &[(&str, Target)] = &[
    ("arc_challenge", arc_challenge),
    ("assertion", assertion),
    ("authentication_record", authentication_record),
    ("azure_cli_output", azure_cli_output),
    ("certificate", certificate),
    ("device_code", device_code),
    ("error_body", error_body),
    ("given_token", given_token),
    ("id_token", id_token),
    ("jwt", jwt),
    ("managed_identity", managed_identity),
    ("redirect_request", redirect_request),
    ("token_response", token_response),
    ("www_authenticate", www_authenticate),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::TARGETS;

    fn folder(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(name)
    }

    fn names(folder: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn every_seed_is_taken() {
        for (name, target) in TARGETS {
            let seeds = folder("seeds").join(name);
            let files = names(&seeds);
            assert!(!files.is_empty(), "{name} has no seeds");
            for file in files {
                let seed = fs::read(seeds.join(&file)).expect("a seed");
                assert!(seed.len() < 4 << 10, "{name}/{file} is larger than a seed should be");
                let outcome = std::panic::catch_unwind(|| target(&seed));
                assert!(outcome.is_ok(), "{name} breaks on its seed {file}; the reason stands above");
            }
        }
    }

    /// So that a target that is added here is not forgotten there: nothing else compiles the programs on every change.
    #[test]
    fn every_target_has_a_program_and_seeds() {
        let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names(&folder("seeds")), known);
        let programs = known.iter().map(|name| format!("{name}.rs")).collect();
        assert_eq!(names(&folder("fuzz_targets")), programs);
        let manifest = fs::read_to_string(folder("Cargo.toml")).expect("the manifest");
        for name in &known {
            let program = fs::read_to_string(folder("fuzz_targets").join(format!("{name}.rs"))).expect("a program");
            assert_eq!(
                program,
                format!("#![no_main]\nlibfuzzer_sys::fuzz_target!(|data: &[u8]| entrada::fuzzing::{name}(data));\n")
            );
            let entry = format!("[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
            assert!(manifest.contains(&entry), "fuzz/Cargo.toml has no program {name}");
        }
    }
}
