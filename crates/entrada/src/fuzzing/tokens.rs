//! Tokens from elsewhere, and the tools that print them.

use std::time::Duration;

use super::{check, machine};
use crate::credential::Source;
use crate::credentials::read_given_token;
use crate::developer_tools::AzureCli;
use crate::platform::ProcessOutput;
use crate::platform::scripted::{Scripted, ScriptedClock};
use crate::token::TokenRequest;
use crate::token_answer::{jwt_claim, jwt_expiry};

/// What `az` left behind: its exit code in the first byte, as a digit; what it printed; after a zero byte, what it
/// complained.
pub fn azure_cli_output(data: &[u8]) {
    let Some((code, said)) = data.split_first() else { return };
    let (stdout, stderr) = match said.iter().position(|byte| *byte == 0) {
        Some(end) => (&said[..end], &said[end + 1..]),
        None => (said, [].as_slice()),
    };
    let code = code.is_ascii_digit().then(|| i32::from(code - b'0'));
    let output = ProcessOutput { code, stdout: stdout.to_vec(), stderr: stderr.to_vec() };
    let machine = Scripted::new(&[("PATH", "/usr/bin"), ("HOME", "/home/u")]).outputs([Ok(output)]);
    machine.files.put("/usr/bin/az", "#!");
    let platform = machine.platform.clone();
    let az = AzureCli { tenants: None, subscription: None, timeout: Duration::from_secs(10), platform };
    let request = TokenRequest::new(["https://vault.azure.net/.default"]);
    match machine::now(az.fetch(&request)) {
        Ok(fetched) => {
            assert_eq!(code, Some(0), "a token of a tool that failed");
            check::fetched(&fetched, machine.platform.clock());
        }
        Err(error) => check::error(&error, data, &[]),
    }
}

/// A token that somebody else got, in a file or out of a program: it is usable, or the error shows nothing of it.
pub fn given_token(data: &[u8]) {
    let clock = ScriptedClock::at(1_800_000_000);
    match read_given_token("the file", data, &clock) {
        Ok(fetched) => {
            check::fetched(&fetched, &clock);
            assert!(!fetched.token.secret().contains(char::is_whitespace), "a token with white space");
        }
        Err(error) => check::error(&error, data, &[]),
    }
}

/// Anything in a token's place: its claims are read, or there are none.
pub fn jwt(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let expiry = jwt_expiry(text);
    if jwt_claim(text, "exp").is_none() {
        assert_eq!(expiry, None);
    }
}
