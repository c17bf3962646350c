//! Certificates of every kind, made by the openssl and keytool commands: each signs an assertion that openssl verifies,
//! or is refused with the reason.

#[path = "certificates/assertion.rs"]
mod assertion;
#[path = "certificates/bad.rs"]
mod bad;
#[path = "certificates/emulated.rs"]
mod emulated;
#[path = "certificates/good.rs"]
mod good;
#[path = "certificates/renewed.rs"]
mod renewed;
#[path = "certificates/workshop.rs"]
mod workshop;

use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use libtest_mimic::{Arguments, Trial};

use crate::workshop::Workshop;

type Test = fn(&Workshop);

#[allow(clippy::print_stderr, reason = "whoever watches is told why tests are left out")]
fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let missing = workshop::missing();
    // Where nobody watches, a test that cannot be run must not pass unseen.
    let ignored = !missing.is_empty() && std::env::var_os("CI").is_none_or(|value| value.is_empty());
    for program in &missing {
        eprintln!(
            "{program} is not installed: the tests of certificates need it (Debian: openssl, default-jre-headless)"
        );
    }
    let workshop = Arc::new(LazyLock::new(Workshop::open));
    let trials =
        [good::tests(), bad::tests(), renewed::tests(), emulated::tests()].into_iter().flatten().map(|(name, test)| {
            let workshop = Arc::clone(&workshop);
            Trial::test(name, move || {
                test(&workshop);
                Ok(())
            })
            .with_ignored_flag(ignored)
        });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
