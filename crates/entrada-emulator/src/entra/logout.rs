//! Signing out of the browser's session (OpenID Connect RP-Initiated Logout 1.0).

use super::authorize::redirect_uri_matches;
use super::browser::Web;
use super::{interaction, pages};
use crate::call::Reply;
use url::Url;

/// Answers a request to a logout endpoint: the person is sent back only to an address that some app of the world has.
pub(super) fn answer(web: &Web<'_>) -> Reply {
    let wanted = web.call.parameter("post_logout_redirect_uri");
    let apps = &web.state.directory.config.apps;
    let known = wanted.filter(|uri| apps.iter().any(|app| redirect_uri_matches(app, uri)));
    let reply = match known.and_then(|uri| Url::parse(uri).ok()) {
        Some(mut url) => {
            if let Some(state) = web.call.parameter("state") {
                url.query_pairs_mut().append_pair("state", state);
            }
            Reply::new(302).header("location", url.as_str())
        }
        None => {
            pages::message::reply("You signed out of your account", "It's a good idea to close all browser windows.")
        }
    };
    interaction::traced(web.sign_out(reply), "logout")
}
