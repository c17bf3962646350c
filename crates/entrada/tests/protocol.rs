//! Plays the protocol cases in `tests/cases`: each describes a machine, what a credential is asked for there, how the
//! emulated Azure behaves, and what must come of it. Whatever comes, no secret may show up in what was logged or said.
//!
//! The same cases are played through Python by `tests/python/test_cases.py`.

mod protocol {
    pub(crate) mod case;
    pub(crate) mod credentials;
    pub(crate) mod log;
}

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use entrada::{Error, Outcome, Token, TokenRequest};
use entrada_emulator::{Config, Emulator, Service};
use libtest_mimic::{Arguments, Failed, Trial};
use protocol::case::{Case, ExpectedError, ExpectedToken};
use tokio::runtime::Runtime;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases");

fn main() -> ExitCode {
    // Cases share what was logged, and the processes they start are counted against two cores: one after the other.
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let log = protocol::log::Log::install();
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let mut files: Vec<_> = std::fs::read_dir(CASES)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let trials = files.into_iter().map(|file| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (log, runtime) = (log.clone(), Arc::clone(&runtime));
        Trial::test(name, move || runtime.block_on(play(&file, &log)))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

async fn play(file: &Path, log: &protocol::log::Log) -> Result<(), Failed> {
    let case = Case::read(file)?;
    let folder = tempfile::tempdir()?;
    case.write_files(folder.path())?;
    let emulator = Emulator::start(Config::default()).await?;
    for fault in &case.fault {
        emulator.faults().add(fault.clone())?;
    }
    log.clear();

    let outcome = match protocol::credentials::make(&case, &emulator, folder.path()) {
        Ok(credential) => credential.token(&TokenRequest::new(case.scopes.clone())).await,
        Err(error) => Err(error),
    };
    let said = match (&outcome, &case.expect.token, &case.expect.error) {
        (Ok(token), Some(expected), None) => {
            check_token(token, expected)?;
            format!("{token:?}")
        }
        (Err(error), None, Some(expected)) => {
            check_error(error, expected)?;
            format!("{error}\n{error:?}\n{:?}", azure_core::Error::from(error.clone()))
        }
        (Ok(_), ..) => return Err("a token, where an error was expected".into()),
        (Err(error), ..) => return Err(format!("unexpected: {error}").into()),
    };

    let is_identity = |service| matches!(service, Service::Entra | Service::Imds | Service::AppService);
    let requests = emulator.journal().entries().iter().filter(|entry| is_identity(entry.service)).count();
    if case.expect.requests.is_some_and(|expected| expected != requests) {
        return Err(format!("{requests} requests, expected {:?}", case.expect.requests).into());
    }
    let logged = log.text();
    for secret in case.secrets(&emulator, outcome.as_ref().ok().map(|token| token.secret())) {
        if said.contains(&secret) || logged.contains(&secret) {
            return Err("a secret shows in what was said or logged".into());
        }
    }
    emulator.shutdown().await;
    Ok(())
}

fn check_token(token: &Token, expected: &ExpectedToken) -> Result<(), Failed> {
    if let Some(text) = &expected.text {
        return (token.secret() == text).then_some(()).ok_or_else(|| "another token".into());
    }
    let claims = protocol::case::claims(token.secret()).ok_or("the token is no JWT")?;
    for (claim, expected) in [("oid", &expected.principal), ("aud", &expected.audience)] {
        if let Some(expected) = expected
            && claims[claim].as_str() != Some(expected)
        {
            return Err(format!("{claim} is {}, expected {expected}", claims[claim]).into());
        }
    }
    // Never later than the token's own end; earlier by what the answer took.
    let end = claims["exp"].as_i64().unwrap_or_default();
    if !(end - 5..=end).contains(&token.expires_on()) {
        return Err(format!("expires on {}, but the token says {end}", token.expires_on()).into());
    }
    Ok(())
}

fn check_error(error: &Error, expected: &ExpectedError) -> Result<(), Failed> {
    let outcome = match error.outcome() {
        Outcome::Failed if error.is_invalid_argument() => "invalid argument",
        Outcome::Failed => "failed",
        Outcome::Unavailable => "unavailable",
        _ => "interaction required",
    };
    if outcome != expected.outcome {
        return Err(format!("{outcome}, expected {}: {error}", expected.outcome).into());
    }
    let text = error.to_string();
    for words in &expected.contains {
        if !text.contains(words) {
            return Err(format!("{words:?} is not in: {text}").into());
        }
    }
    for words in &expected.lacks {
        if text.contains(words) {
            return Err(format!("{words:?} is in: {text}").into());
        }
    }
    if error.remedy().is_none() {
        return Err(format!("it does not say what to do: {text}").into());
    }
    Ok(())
}
