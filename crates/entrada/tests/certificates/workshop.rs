//! Where openssl and keytool make keys and certificates.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// What the password of everything encrypted is.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The programs that the tests need and this machine lacks.
pub(crate) fn missing() -> Vec<&'static str> {
    let runs = |program: &&str, argument: &str| {
        Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
    };
    [("openssl", "version"), ("keytool", "-help")]
        .into_iter()
        .filter(|(program, argument)| !runs(program, argument))
        .map(|(program, _)| program)
        .collect()
}

/// A folder, and what everything is made of.
pub(crate) struct Workshop {
    folder: tempfile::TempDir,
    /// One of a kind is enough for all tests.
    made: Mutex<std::collections::HashMap<String, std::sync::Arc<OnceLock<()>>>>,
}

impl Workshop {
    pub(crate) fn open() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), made: Mutex::default() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("made before")
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).expect("written");
    }

    /// Joins files into one.
    pub(crate) fn join(&self, names: &[&str], into: &str) {
        let content: Vec<u8> = names.iter().flat_map(|name| self.read(name)).collect();
        self.write(into, content);
    }

    /// Runs a program in the folder. What to pass is split at spaces; `@` stands for the password.
    pub(crate) fn run(&self, program: &str, arguments: &str) -> Vec<u8> {
        let arguments = arguments.split_whitespace().map(|argument| match argument.strip_suffix('@') {
            Some(start) => format!("{start}{PASSWORD}"),
            None => argument.to_owned(),
        });
        let output = Command::new(program)
            .args(arguments.clone())
            .current_dir(self.folder.path())
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {:?}: {said}", arguments.collect::<Vec<_>>());
        output.stdout
    }

    pub(crate) fn openssl(&self, arguments: &str) -> Vec<u8> {
        self.run("openssl", arguments)
    }

    fn once(&self, name: &str, make: impl FnOnce()) {
        let made = std::sync::Arc::clone(self.made.lock().expect("no panic").entry(name.to_owned()).or_default());
        made.get_or_init(make);
    }

    /// Makes `NAME.key` and `NAME.crt`, a certificate that is its own issuer. `kind` is what `openssl genpkey` takes.
    pub(crate) fn pair(&self, name: &str, kind: &str) {
        self.once(name, || {
            self.openssl(&format!("genpkey {kind} -out {name}.key"));
            self.openssl(&format!("req -x509 -new -key {name}.key -out {name}.crt -days 365 -subj /CN={name}"));
            self.join(&[&format!("{name}.key"), &format!("{name}.crt")], &format!("{name}.pem"));
        });
    }

    /// The pair that most files are made of.
    pub(crate) fn rsa(&self) {
        self.pair("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048");
    }

    pub(crate) fn ec(&self, curve: &str) -> String {
        let name = format!("ec-{curve}");
        self.pair(&name, &format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}"));
        name
    }
}
