//! People who sign in, against the emulated Azure: with the browser, a device code, a code for a web app, a password; what
//! renews their tokens; and every refusal.

#[path = "users/authorization_code.rs"]
mod authorization_code;
#[path = "users/browser.rs"]
mod browser;
#[path = "users/device_code.rs"]
mod device_code;
#[path = "users/machine.rs"]
mod machine;
#[path = "users/password.rs"]
mod password;
