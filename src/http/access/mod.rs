//! Who may do what: logins, how often a login may fail, and which web pages may
//! change something. Works on plain values and knows no address.

mod auth;
mod login_limit;
mod origin;

pub(super) use auth::{Auth, Login};
pub(super) use login_limit::PendingLogin;
pub(super) use origin::{Origin, OriginPolicy};
