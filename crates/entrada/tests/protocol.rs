//! Plays the protocol cases in `tests/cases`: each describes a machine, what a credential is asked for there, how the
//! emulated Azure behaves, and what must come of it. Whatever comes, no secret may show up in what was logged or said.
//!
//! The same cases are played through Python by `tests/python/test_cases.py`.

mod protocol {
    pub(crate) mod case;
    pub(crate) mod credentials;
    pub(crate) mod issue;
    pub(crate) mod log;
    pub(crate) mod matrix;
}

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use entrada::{Condition, Error, Outcome, Token};
use entrada_emulator::{Emulator, Exchange, Service};
use libtest_mimic::{Arguments, Failed, Trial};
use protocol::case::{Case, ExpectedError, ExpectedToken, object_id};
use protocol::credentials::Hurried;
use tokio::runtime::Runtime;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases");

fn main() -> ExitCode {
    // Cases share what was logged, and the processes they start are counted against two cores: one after the other.
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let log = protocol::log::Log::install();
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let mut trials = Vec::new();
    let mut many = Vec::new();
    for (name, file) in files(Path::new(CASES)) {
        let cases = Case::read(&file).and_then(|case| Ok((case.each()?, case)));
        match cases {
            Err(error) => trials.push(Trial::test(name, move || Err(error))),
            Ok((each, case)) => {
                for one in &each {
                    let name = if case.is_for_many() { format!("{name}@{}", one.host.name()) } else { name.clone() };
                    let (one, log, runtime) = (one.clone(), log.clone(), Arc::clone(&runtime));
                    trials.push(Trial::test(name, move || runtime.block_on(play(&one, &log))));
                }
                if name.starts_with("managed-identity/") {
                    many.push((case, each));
                }
            }
        }
    }
    trials
        .push(Trial::test("the matrix in the documents is that of the cases", move || protocol::matrix::check(&many)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The case files of a folder and the folders in it, by name.
fn files(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of cases") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(inner, path)| (format!("{name}/{inner}"), path)));
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push((name, path));
        }
    }
    found.sort();
    found
}

async fn play(case: &Case, log: &protocol::log::Log) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let emulator = Emulator::start(case.world(folder.path())?).await?;
    let known = protocol::issue::known(case, &emulator, folder.path()).await?;
    let case = &case.filled(&known)?;
    case.write_files(folder.path())?;
    for fault in &case.fault {
        emulator.faults().add(fault.clone())?;
    }
    emulator.journal().clear();
    log.clear();

    let clock = Hurried::default();
    let outcome = match protocol::credentials::make(case, &emulator, folder.path(), &clock) {
        Ok(credential) => credential.token(&protocol::credentials::request(case)).await,
        Err(error) => Err(error),
    };
    let said = match (&outcome, &case.expect.token, &case.expect.error) {
        (Ok(token), Some(expected), None) => {
            check_token(case, token, expected)?;
            format!("{token:?}")
        }
        (Err(error), None, Some(expected)) => {
            check_error(error, expected)?;
            if case.is_for_many() {
                check_told(case, &emulator, error)?;
            }
            format!("{error}\n{error:?}\n{:?}", azure_core::Error::from(error.clone()))
        }
        (Ok(_), ..) => return Err("a token, where an error was expected".into()),
        (Err(error), ..) => return Err(format!("unexpected: {error}").into()),
    };

    if clock.skipped() > Duration::from_secs_f64(case.options.timeout.unwrap_or(75.0)) {
        return Err(format!("it was tried again for {:?}", clock.skipped()).into());
    }
    let is_identity = |service| !matches!(service, Service::Gateway | Service::KeyVault | Service::ResourceManager);
    // A handshake that fails is written down, but nothing was requested.
    let is_request = |entry: &&Exchange| is_identity(entry.service) && entry.method != "CONNECT";
    let requests = emulator.journal().entries().iter().filter(is_request).count();
    if case.expect.requests.is_some_and(|expected| expected != requests) {
        return Err(format!("{requests} requests, expected {:?}", case.expect.requests).into());
    }
    let logged = log.text();
    let issued = case.issue.keys().filter_map(|name| known.get(name).cloned());
    for secret in case.secrets(&emulator, outcome.as_ref().ok().map(|token| token.secret())).into_iter().chain(issued) {
        if said.contains(&secret) || logged.contains(&secret) {
            return Err("a secret shows in what was said or logged".into());
        }
    }
    if let Some(grant) = protocol::case::grant(&said).or_else(|| protocol::case::grant(&logged)) {
        return Err(format!("a code or refresh token shows in what was said or logged: {}…", &grant[..8]).into());
    }
    emulator.shutdown().await;
    Ok(())
}

fn check_token(case: &Case, token: &Token, expected: &ExpectedToken) -> Result<(), Failed> {
    if let Some(text) = &expected.text {
        return (token.secret() == text).then_some(()).ok_or_else(|| "another token".into());
    }
    let claims = protocol::case::claims(token.secret()).ok_or("the token is no JWT")?;
    let identity = match &expected.identity {
        Some(name) => Some(object_id(case.host, name).ok_or_else(|| format!("there is no identity {name}"))?),
        None => expected.principal.as_deref(),
    };
    for (claim, expected) in [("oid", identity), ("aud", expected.audience.as_deref())] {
        if let Some(expected) = expected
            && claims[claim].as_str() != Some(expected)
        {
            return Err(format!("{claim} is {}, expected {expected}", claims[claim]).into());
        }
    }
    for (claim, expected) in &expected.claims {
        if claims.get(claim) != Some(expected) {
            return Err(format!("{claim} is {:?}, expected {expected}", claims.get(claim)).into());
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
    let condition = error.condition().map(Condition::as_str);
    if expected.condition.is_some() && expected.condition.as_deref() != condition {
        return Err(format!("{condition:?}, expected {:?}: {error}", expected.condition).into());
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
    if let Some(words) = &expected.claims
        && !error.claims().is_some_and(|claims| claims.contains(words.as_str()))
    {
        return Err(format!("{words:?} is not in its claims: {:?}", error.claims()).into());
    }
    if error.remedy().is_none() {
        return Err(format!("it does not say what to do: {text}").into());
    }
    Ok(())
}

/// An error of a host says where it was, for whom it was asked and what came back.
fn check_told(case: &Case, emulator: &Emulator, error: &Error) -> Result<(), Failed> {
    if error.is_invalid_argument() || error.condition() == Some(Condition::IdentityNotSupported) {
        return Ok(());
    }
    let text = error.to_string();
    let endpoint = emulator.endpoint_of(case.host).unwrap_or_else(|| "https://login.microsoftonline.com".into());
    let ids = [&case.options.client_id, &case.options.object_id, &case.options.resource_id];
    let identity = ids.into_iter().flatten().next().map_or("identity", |id| id);
    let identity = if case.host.name().starts_with("kubernetes") { "for client c1" } else { identity };
    let status = error.server_answer().and_then(|answer| answer.status).map(|status| format!("HTTP {status}"));
    for words in [Some(endpoint), Some(identity.to_owned()), status].into_iter().flatten() {
        if !text.contains(&words) {
            return Err(format!("it does not tell of {words:?}: {text}").into());
        }
    }
    Ok(())
}
